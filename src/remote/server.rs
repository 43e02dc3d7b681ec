//! Starting the listeners, and the handle to them.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::auth::Auth;
use super::error::RemoteError;
use super::guard::{Site, reachable};
use super::kept::{KeptAuth, KeptRemote};
use super::resumed_viewer::{self, ResumedViewer};
use super::service::{Network, Service};
use super::session::ViewerRegistry;
use super::{listener, tls};
use crate::api::Services;
use crate::config::Settings;
use crate::domain::id::TerminalId;
use crate::push::Push;
use crate::runtime::handover::{Incoming, Outgoing};
use crate::runtime::ports::{self, Choice};
use crate::runtime::tasks::Tasks;

/// What the listeners are started with.
pub struct Setup {
    pub services: Services,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub tasks: Tasks,
    /// Takes browsers in that want to be told while no page is open.
    pub push: Push,
    /// The folder of token and certificate.
    pub state: PathBuf,
    /// Bound by the caller, and private to this user.
    pub local: UnixListener,
    /// What another program has left, and the listener on the network where it had one.
    pub kept: KeptRemote,
    pub listener: Option<TcpListener>,
    pub viewers: Vec<ResumedViewer>,
    pub stop: CancellationToken,
}

/// Talks to the running listeners; cheap to clone.
#[derive(Clone)]
pub struct RemoteHandle {
    service: Arc<Service>,
    /// The listener on the network once more, for another program to go on with.
    listener: Option<Arc<TcpListener>>,
}

/// Binds what the settings say and serves it until `setup.stop`. Must be called within the runtime.
///
/// # Errors
/// [`RemoteError`]; nothing is left listening then.
pub fn start(setup: Setup) -> Result<RemoteHandle, RemoteError> {
    let remote = setup.settings.borrow().remote.clone();
    let mut acceptor = None;
    let mut bound = None;
    let mut network = None;
    let mut spare = None;
    if remote.enabled {
        let choice = if remote.bind_named {
            Choice::Named
        } else {
            Choice::Default { reserved: None }
        };
        let listener = match setup.listener {
            Some(listener) => listener,
            None => ports::listen(remote.bind, choice)?,
        };
        let address = listener.local_addr().map_err(RemoteError::Listener)?;
        let certificate = if remote.tls.is_some() || !address.ip().is_loopback() {
            Some(tls::certificate(
                remote.tls.as_ref(),
                &setup.state,
                reachable(address),
            )?)
        } else {
            None
        };
        let token_file = setup.state.join("remote.token");
        let instance = setup.state.to_string_lossy().into_owned();
        let auth = Auth::open(&token_file, &instance).map_err(|source| RemoteError::Token {
            path: token_file.clone(),
            source,
        })?;
        auth.resume(&setup.kept.auth, Instant::now());
        network = Some(Network {
            auth,
            site: Site {
                address,
                tls: certificate.is_some(),
                machine: tls::machine_name(),
            },
            wanted: remote.bind,
            token_file,
            fingerprint: certificate.as_ref().map(|own| own.fingerprint.clone()),
            self_signed: certificate.as_ref().is_some_and(|own| own.self_signed),
        });
        acceptor = certificate.map(|own| TlsAcceptor::from(own.config));
        spare = Some(listener.try_clone().map_err(RemoteError::Listener)?);
        bound = Some(tokio::net::TcpListener::from_std(listener).map_err(RemoteError::Listener)?);
    }
    let local = tokio::net::UnixListener::from_std(setup.local).map_err(RemoteError::Listener)?;
    let epoch = Some(setup.kept.registry.epoch.clone()).filter(|epoch| !epoch.is_empty());
    let epoch = epoch.unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    let registry = Arc::new(ViewerRegistry::new(
        setup.settings,
        setup.tasks.clone(),
        epoch,
    ));
    let panes = setup.services.pool.panes();
    let viewers = &setup.viewers;
    registry.resume(&setup.kept.registry, &panes, |terminal| {
        viewers.iter().any(|viewer| viewer.is_at(terminal))
    });
    let service = Arc::new(Service {
        services: setup.services,
        registry,
        push: setup.push,
        stop: setup.stop,
        upgrade: CancellationToken::new(),
        network,
    });
    for viewer in setup.viewers {
        viewer.go_on(&service, &panes);
    }
    for pane in &panes {
        pane.settle_viewers();
    }
    let handle = RemoteHandle {
        service: Arc::clone(&service),
        listener: spare.map(Arc::new),
    };
    if let Some(bound) = bound {
        info!(url = handle.url(), "remote attach listens");
        let serving = listener::serve_network(bound, acceptor, Arc::clone(&service));
        setup.tasks.spawn("remote", serving);
    }
    let serving = listener::serve_local(local, service);
    setup.tasks.spawn("remote local", serving);
    Ok(handle)
}

impl RemoteHandle {
    /// The address for a browser without its token; None where remote attach is disabled.
    pub fn url(&self) -> Option<String> {
        let network = self.service.network.as_ref()?;
        Some(network.site.url())
    }

    /// The address wanted and the one found, where the default port was busy.
    pub fn moved(&self) -> Option<(SocketAddr, SocketAddr)> {
        let network = self.service.network.as_ref()?;
        let found = network.site.address;
        let moved = network.wanted.port() != 0 && network.wanted != found;
        moved.then_some((network.wanted, found))
    }

    pub fn token_file(&self) -> Option<&PathBuf> {
        Some(&self.service.network.as_ref()?.token_file)
    }

    /// The SHA-256 fingerprint of the certificate, where TLS is served.
    pub fn fingerprint(&self) -> Option<&str> {
        self.service.network.as_ref()?.fingerprint.as_deref()
    }

    pub fn is_self_signed(&self) -> bool {
        let network = self.service.network.as_ref();
        network.is_some_and(|network| network.self_signed)
    }

    /// Accepts nothing from now on and leaves every viewer's socket, or tells it to come back where the socket cannot go
    /// over; waits until all are left, for `patience` at most. Connections that come meanwhile wait at the listener.
    pub async fn freeze(&self, patience: Duration) {
        self.service.upgrade.cancel();
        if timeout(patience, self.emptied()).await.is_err() {
            warn!(
                left = self.viewers(),
                "some viewers were not told to come back"
            );
        }
    }

    /// Keeps who was let in and where clients stood, once all is frozen.
    ///
    /// # Errors
    /// Where there is no descriptor left.
    pub fn keep(&self, out: &mut Outgoing) -> std::io::Result<KeptRemote> {
        let listener = self.listener.as_ref();
        let listener = listener.map(|listener| listener.try_clone()).transpose()?;
        let network = self.service.network.as_ref();
        Ok(KeptRemote {
            listener: listener.map(|listener| out.descriptor(listener.into())),
            auth: network.map_or_else(KeptAuth::default, |network| {
                network.auth.keep(Instant::now())
            }),
            registry: self.service.registry.keep(),
            viewers: resumed_viewer::keep(self.service.registry.take_left_sockets(), out),
        })
    }

    /// The viewers whose sockets another program kept. Must be called within the runtime.
    pub fn resume_viewers(kept: &KeptRemote, incoming: &mut Incoming) -> Vec<ResumedViewer> {
        let viewers = kept.viewers.iter();
        viewers
            .filter_map(|kept| ResumedViewer::of(kept, incoming))
            .collect()
    }

    /// The listener on the network that another program kept; None where it had none.
    pub fn resume_listener(kept: &KeptRemote, incoming: &mut Incoming) -> Option<TcpListener> {
        let listener = incoming.descriptor(kept.listener?)?;
        Some(TcpListener::from(listener))
    }

    /// Waits until nobody is attached any more.
    pub async fn emptied(&self) {
        self.service.registry.emptied().await;
    }

    /// How many are attached over all terminals.
    pub fn viewers(&self) -> usize {
        self.service.registry.viewers()
    }

    /// The address for a browser, with a token that is good for one login; None where remote attach is disabled.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn one_time_url(&self, terminal: Option<TerminalId>) -> std::io::Result<Option<String>> {
        let Some(network) = self.service.network.as_ref() else {
            return Ok(None);
        };
        let secret = network.auth.one_time(Instant::now())?;
        let mut url = format!("{}/#token={}", network.site.url(), secret.as_str());
        if let Some(terminal) = terminal {
            url.push_str("&terminal=");
            url.push_str(&terminal.to_string());
        }
        Ok(Some(url))
    }
}

impl fmt::Debug for RemoteHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteHandle")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
