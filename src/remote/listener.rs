//! Connections: how they are accepted, how many there may be, and how long they may take.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::routes;
use super::service::{Peer, REQUEST_TIMEOUT, Service};
use super::write_timeout::{Upgraded, WriteTimeout};
use crate::runtime::connections::{ConnectionLimit, ConnectionPermit, Requests, accept};
use crate::runtime::dial::ServedSocket;
use crate::runtime::handover;

/// After a failed accept (out of descriptors), before the next.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// The head of a request, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// What the kernel may hold for a client that reads slowly, in bytes. More would be stale when it is read.
const SEND_BUFFER: usize = 64 * 1024;
/// Connections to the local socket, so that no number of them takes the descriptors of everybody else.
const MAX_LOCAL: usize = 256;

/// Serves the network until the service stops.
pub(super) async fn serve_network(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    service: Arc<Service>,
) {
    let limit = ConnectionLimit::for_listener();
    handover::arrived().await;
    loop {
        let accepted = tokio::select! {
            () = service.stop.cancelled() => return,
            () = service.upgrade.cancelled() => return,
            accepted = accept(&listener) => accepted,
        };
        let Some((stream, address)) = accepted_or_pause(accepted).await else {
            continue;
        };
        let Some(permit) = limit.admit(Some(address.ip())) else {
            continue;
        };
        let peer = Peer::Network(address);
        let acceptor = acceptor.clone();
        let connection = Connection {
            peer,
            requests: permit.requests(),
            service: Arc::clone(&service),
        };
        let connection = serve_stream(stream, acceptor, connection);
        spawn(&service, permit, connection);
    }
}

/// Serves the local socket until the service stops; gives it back where another program is to go on.
pub(super) async fn serve_local(mut socket: ServedSocket, service: Arc<Service>) {
    let limit = ConnectionLimit::new(MAX_LOCAL, MAX_LOCAL);
    handover::arrived().await;
    loop {
        let accepted = tokio::select! {
            () = service.stop.cancelled() => return,
            () = service.upgrade.cancelled() => {
                return service.leave_local(socket.into_listener());
            }
            accepted = socket.accept() => accepted,
        };
        let Some(stream) = accepted_or_pause(accepted).await else {
            continue;
        };
        if !is_own(&stream, &service) {
            continue;
        }
        let Some(permit) = limit.admit(None) else {
            continue;
        };
        let connection = Connection {
            peer: Peer::Local,
            requests: permit.requests(),
            service: Arc::clone(&service),
        };
        spawn(&service, permit, connection.serve(stream));
    }
}

async fn accepted_or_pause<T>(accepted: std::io::Result<T>) -> Option<T> {
    match accepted {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            warn!(%error, "connection not accepted");
            tokio::time::sleep(ACCEPT_RETRY).await;
            None
        }
    }
}

/// Each connection is a task of its own, which ends early where its peer needs the permit for another one.
fn spawn<F>(service: &Service, permit: ConnectionPermit, connection: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    service.registry.tasks().spawn("connection", async move {
        tokio::select! {
            () = connection => {}
            () = permit.revoked() => {}
        }
    });
}

async fn serve_stream(stream: TcpStream, acceptor: Option<TlsAcceptor>, connection: Connection) {
    let _ = rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER);
    let Some(acceptor) = acceptor else {
        return connection.serve(stream).await;
    };
    let peer = connection.peer;
    match timeout(REQUEST_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => connection.serve(stream).await,
        Ok(Err(error)) => debug!(%peer, %error, "TLS handshake failed"),
        Err(_) => debug!(%peer, "TLS handshake not finished in time"),
    }
}

fn is_own(stream: &UnixStream, service: &Service) -> bool {
    let me = rustix::process::geteuid().as_raw();
    let peer = stream.peer_cred();
    let pid = peer.as_ref().ok().and_then(tokio::net::unix::UCred::pid);
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    if pid.is_some_and(|pid| service.services.pool.confines(pid)) {
        warn!(?pid, "a local connection of a confined terminal refused");
        return false;
    }
    let peer = peer.map(|peer| peer.uid());
    let own = matches!(peer, Ok(uid) if uid == me || uid == 0);
    if !own {
        warn!(?peer, "a local connection of another user refused");
    }
    own
}

/// One connection, before anything was read from it.
struct Connection {
    peer: Peer,
    requests: Requests,
    service: Arc<Service>,
}

impl Connection {
    /// Answers requests until the peer or the service ends it.
    async fn serve<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            peer,
            requests,
            service,
        } = self;
        let (stop, upgrade) = (service.stop.clone(), service.upgrade.clone());
        let upgraded = Upgraded::default();
        let stream = WriteTimeout::new(stream, upgraded.clone());
        let handler = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(upgraded.clone());
            let service = Arc::clone(&service);
            let under_way = requests.begin();
            async move {
                let answer = routes::answer(&service, peer, request).await;
                drop(under_way);
                Ok::<_, Infallible>(answer)
            }
        });
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(REQUEST_TIMEOUT)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), handler)
            .with_upgrades();
        tokio::pin!(serving);
        let served = tokio::select! {
            served = &mut serving => served,
            () = either(&stop, &upgrade) => {
                serving.as_mut().graceful_shutdown();
                match timeout(REQUEST_TIMEOUT, serving).await {
                    Ok(served) => served,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = served {
            debug!(%peer, %error, "a connection ended early");
        }
    }
}

/// Waits until one of them is cancelled. Cancel-safe.
async fn either(one: &CancellationToken, other: &CancellationToken) {
    tokio::select! {
        () = one.cancelled() => {}
        () = other.cancelled() => {}
    }
}
