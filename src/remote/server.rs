//! Starting the listeners, and the handle to them.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
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
use crate::config::{Remote, Settings};
use crate::domain::id::TerminalId;
use crate::push::Push;
use crate::runtime::dial::{LocalListener, ServedSocket};
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
    /// Private to this user.
    pub local: LocalListener,
    /// What another program has left, and the listener on the network where it had one.
    pub kept: KeptRemote,
    pub listener: Option<TcpListener>,
    pub viewers: Vec<ResumedViewer>,
    /// Whether a network that cannot be had is lived without.
    pub may_lack_network: bool,
    pub stop: CancellationToken,
}

/// Talks to the running listeners; cheap to clone.
#[derive(Clone)]
pub struct RemoteHandle {
    service: Arc<Service>,
    /// The listener on the network once more, for another program to go on with.
    listener: Option<Arc<TcpListener>>,
    /// Why there is none, though one is wanted.
    trouble: Option<Arc<str>>,
}

/// Binds what the settings say and serves it until `setup.stop`. Must be called within the runtime.
///
/// # Errors
/// [`RemoteError`]; nothing is left listening then.
pub fn start(setup: Setup) -> Result<RemoteHandle, RemoteError> {
    let remote = setup.settings.borrow().remote.clone();
    let mut trouble = None;
    let opened = remote
        .enabled
        .then(|| open_network(&remote, &setup.state, &setup.kept, setup.listener));
    let opened = match opened.transpose() {
        Err(error) if setup.may_lack_network => {
            warn!(%error, "there is no listener on the network");
            trouble = Some(error.to_string());
            None
        }
        opened => opened?,
    };
    let (network, bound) = opened.unzip();
    let local = ServedSocket::new(setup.local).map_err(RemoteError::Listener)?;
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
        local: Mutex::default(),
        network,
    });
    for viewer in setup.viewers {
        viewer.go_on(&service, &panes);
    }
    for pane in &panes {
        pane.settle_viewers();
    }
    let (serving, spare) = bound
        .map(|bound| ((bound.listener, bound.acceptor), bound.spare))
        .unzip();
    let handle = RemoteHandle {
        service: Arc::clone(&service),
        listener: spare.map(Arc::new),
        trouble: trouble.map(Arc::from),
    };
    if let Some((listener, acceptor)) = serving {
        info!(url = handle.url(), "remote attach listens");
        let serving = listener::serve_network(listener, acceptor, Arc::clone(&service));
        setup.tasks.spawn("remote", serving);
    }
    let serving = listener::serve_local(local, service);
    setup.tasks.spawn("remote local", serving);
    Ok(handle)
}

/// The listener on the network.
struct Bound {
    listener: tokio::net::TcpListener,
    acceptor: Option<TlsAcceptor>,
    /// The same once more, for another program to go on with.
    spare: TcpListener,
}

/// Takes the port and all that it is served with; `kept` is the listener of another program.
fn open_network(
    remote: &Remote,
    state: &Path,
    kept: &KeptRemote,
    listener: Option<TcpListener>,
) -> Result<(Network, Bound), RemoteError> {
    let choice = if remote.bind_named {
        Choice::Named
    } else {
        Choice::Default { reserved: None }
    };
    let listener = match listener {
        Some(listener) => listener,
        None => ports::listen(remote.bind, choice)?,
    };
    let address = listener.local_addr().map_err(RemoteError::Listener)?;
    let certificate = if remote.tls.is_some() || !address.ip().is_loopback() {
        Some(tls::certificate(
            remote.tls.as_ref(),
            state,
            reachable(address),
        )?)
    } else {
        None
    };
    let token_file = state.join("remote.token");
    let instance = state.to_string_lossy().into_owned();
    let auth = Auth::open(&token_file, &instance).map_err(|source| RemoteError::Token {
        path: token_file.clone(),
        source,
    })?;
    auth.resume(&kept.auth, Instant::now());
    let network = Network {
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
    };
    let bound = Bound {
        acceptor: certificate.map(|own| TlsAcceptor::from(own.config)),
        spare: listener.try_clone().map_err(RemoteError::Listener)?,
        listener: tokio::net::TcpListener::from_std(listener).map_err(RemoteError::Listener)?,
    };
    Ok((network, bound))
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

    /// Why nothing listens on the network, where it should.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
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

    /// The local socket, once all is frozen.
    #[must_use]
    pub fn take_local(&self) -> Option<LocalListener> {
        self.service.take_local()
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
