//! The listeners and their connections.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::auth::Auth;
use super::error::RemoteError;
use super::guard::Site;
use super::hub::Hub;
use super::line::{Handed, Line};
use super::places::Places;
use super::{routes, tls};
use crate::api::Services;
use crate::config::Settings;
use crate::domain::id::TerminalId;
use crate::runtime::ports::{self, Choice};
use crate::runtime::tasks::Tasks;

/// For a TLS handshake, and for a request to arrive whole.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// After a failed accept (out of descriptors), before the next.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// The head of a request.
const MAX_HEAD: usize = 32 * 1024;
/// What the kernel may hold for a client that reads slowly. More would be stale when it is read.
const SEND_BUFFER: usize = 64 * 1024;

/// What the listeners are started with.
pub struct Setup {
    pub services: Services,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub tasks: Tasks,
    /// The folder of token and certificate.
    pub state: PathBuf,
    /// Bound by the caller, and private to this user.
    pub local: UnixListener,
    pub stop: CancellationToken,
}

/// Talks to the running listeners; cheap to clone.
#[derive(Clone)]
pub struct RemoteHandle {
    service: Arc<Service>,
}

/// What requests are answered from.
pub(super) struct Service {
    pub services: Services,
    pub hub: Arc<Hub>,
    places: Arc<Places>,
    pub stop: CancellationToken,
    /// None where there is only the local socket.
    pub network: Option<Network>,
}

pub(super) struct Network {
    pub auth: Auth,
    pub site: Site,
    wanted: SocketAddr,
    token_file: PathBuf,
    fingerprint: Option<String>,
    self_signed: bool,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Network(SocketAddr),
    Local,
}

impl Peer {
    pub fn ip(self) -> IpAddr {
        match self {
            Self::Network(address) => address.ip(),
            Self::Local => IpAddr::from([127, 0, 0, 1]),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(f),
            Self::Local => f.write_str("local"),
        }
    }
}

/// Binds what the settings say and serves it until `setup.stop`. Must be called within the runtime.
///
/// # Errors
/// [`RemoteError`]; nothing is left listening then.
pub fn start(setup: Setup) -> Result<RemoteHandle, RemoteError> {
    let remote = setup.settings.borrow().remote.clone();
    let mut acceptor = None;
    let mut listener = None;
    let mut network = None;
    if remote.enabled {
        let choice = if remote.bind_named {
            Choice::Named
        } else {
            Choice::Default
        };
        let bound = ports::listen(remote.bind, choice)?;
        let address = bound.local_addr().map_err(RemoteError::Listener)?;
        let certificate = if remote.tls.is_some() || !address.ip().is_loopback() {
            Some(tls::certificate(
                remote.tls.as_ref(),
                &setup.state,
                outward(address),
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
        listener = Some(tokio::net::TcpListener::from_std(bound).map_err(RemoteError::Listener)?);
    }
    let local = tokio::net::UnixListener::from_std(setup.local).map_err(RemoteError::Listener)?;
    let epoch = uuid::Uuid::new_v4().simple().to_string();
    let hub = Arc::new(Hub::new(setup.settings, setup.tasks.clone(), epoch));
    let service = Arc::new(Service {
        services: setup.services,
        hub,
        places: Arc::default(),
        stop: setup.stop,
        network,
    });
    let handle = RemoteHandle {
        service: Arc::clone(&service),
    };
    if let Some(listener) = listener {
        info!(url = handle.url(), "remote attach listens");
        let service = Arc::clone(&service);
        setup.tasks.spawn("remote", async move {
            let accept = || async {
                let (stream, address) = listener.accept().await?;
                Ok((stream, Peer::Network(address)))
            };
            serve(accept, &service, |stream, peer, service| {
                let acceptor = acceptor.clone();
                async move { network_connection(stream, peer, acceptor, service).await }
            })
            .await;
        });
    }
    setup.tasks.spawn("remote local", async move {
        let accept = || async {
            let (stream, _) = local.accept().await?;
            Ok((stream, Peer::Local))
        };
        serve(accept, &service, |stream, peer, service| async move {
            if is_own(&stream) {
                connection(stream, peer, service).await;
            }
        })
        .await;
    });
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

    /// Waits until nobody is attached any more.
    pub async fn emptied(&self) {
        self.service.hub.emptied().await;
    }

    /// How many are attached over all terminals.
    pub fn viewers(&self) -> usize {
        self.service.hub.viewers()
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

impl Site {
    /// The address as a browser on this machine reaches it.
    fn url(&self) -> String {
        format!("{}://{}", self.scheme(), outward(self.address))
    }
}

/// An address as others reach it.
fn outward(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(outward_ip(address.ip()));
    }
    address
}

/// This machine's address as others see it: the one that its packets to the outside would carry. Nothing is sent.
fn outward_ip(wildcard: IpAddr) -> IpAddr {
    let (any, loopback, far) = match wildcard {
        IpAddr::V4(_) => ("0.0.0.0:0", IpAddr::from([127, 0, 0, 1]), "192.0.2.1:9"),
        IpAddr::V6(_) => (
            "[::]:0",
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
            "[2001:db8::1]:9",
        ),
    };
    std::net::UdpSocket::bind(any)
        .and_then(|socket| {
            socket.connect(far)?;
            socket.local_addr()
        })
        .map_or(loopback, |address| address.ip())
}

/// Accepts until the service stops; each connection is a task of its own.
async fn serve<A, AF, S, C, CF>(accept: A, service: &Arc<Service>, connect: C)
where
    A: Fn() -> AF,
    AF: Future<Output = std::io::Result<(S, Peer)>>,
    S: Send + 'static,
    C: Fn(S, Peer, Arc<Service>) -> CF,
    CF: Future<Output = ()> + Send + 'static,
{
    let places = &service.places;
    loop {
        let accepted = tokio::select! {
            () = service.stop.cancelled() => return,
            accepted = accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = places.take(peer) else {
                    continue;
                };
                let connection = connect(stream, peer, Arc::clone(service));
                service.hub.tasks().spawn("connection", async move {
                    tokio::select! {
                        () = connection => {}
                        () = place.given_up.cancelled() => {}
                    }
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

async fn network_connection(
    stream: tokio::net::TcpStream,
    peer: Peer,
    acceptor: Option<TlsAcceptor>,
    service: Arc<Service>,
) {
    // Keys and their echo are small and must not wait for more.
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER);
    let Some(acceptor) = acceptor else {
        return connection(stream, peer, service).await;
    };
    match timeout(PATIENCE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => connection(stream, peer, service).await,
        Ok(Err(error)) => debug!(%peer, %error, "TLS handshake failed"),
        Err(_) => debug!(%peer, "TLS handshake not finished in time"),
    }
}

fn is_own(stream: &tokio::net::UnixStream) -> bool {
    let me = rustix::process::geteuid().as_raw();
    let peer = stream.peer_cred().map(|peer| peer.uid());
    let own = matches!(peer, Ok(uid) if uid == me || uid == 0);
    if !own {
        warn!("a local connection of another user refused");
    }
    own
}

/// Serves the requests of one connection.
async fn connection<S>(stream: S, peer: Peer, service: Arc<Service>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stop = service.stop.clone();
    let handed = Handed::default();
    let stream = Line::new(stream, handed.clone());
    let handler = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(handed.clone());
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(routes::answer(&service, peer, request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), handler)
        .with_upgrades();
    tokio::pin!(serving);
    let served = tokio::select! {
        served = &mut serving => served,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            match timeout(PATIENCE, serving).await {
                Ok(served) => served,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = served {
        debug!(%peer, %error, "a connection ended early");
    }
}
