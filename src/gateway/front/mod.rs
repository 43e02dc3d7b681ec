//! The HTTP server: the listener and its connections. `guard` says who may come in, `routes` where a request goes.

mod body;
mod guard;
mod head_timeout;
mod login_models;
mod metrics;
mod models;
mod routes;

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::frozen::FrozenFront;
use super::service::{Gateway, GatewayState};
use crate::runtime::connections::{ConnectionLimit, Requests, accept};
use crate::runtime::handover;
use crate::runtime::prefixed::Prefixed;
use crate::runtime::tasks::Tasks;

use head_timeout::{HeadTimeout, Keeping};

/// How long a connection may rest between two requests; clients give unused ones up long before.
const IDLE_PATIENCE: Duration = Duration::from_secs(600);
/// How long a request's head may take from its first byte on.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// The head of a request, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// How long requests under way may go on once tundra ends, before streams are ended.
const GRACE: Duration = Duration::from_millis(500);
/// How long the last answers then have to leave.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Pause after the system refuses a connection, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the server begins with.
#[derive(Debug)]
pub struct Connections {
    pub listener: TcpListener,
    /// Those that another program served, each with what it has read of the next request.
    pub kept: Vec<(TcpStream, Bytes)>,
    /// How long requests under way may go on, once the program is to be replaced; None until then.
    pub drain: watch::Receiver<Option<Duration>>,
}

/// Accepts connections until `tasks` end, and returns once all of them are gone, at most a second later.
pub async fn serve(listener: TcpListener, gateway: Gateway, tasks: Tasks) {
    let (_never, drain) = watch::channel(None);
    let connections = Connections {
        listener,
        kept: Vec::new(),
        drain,
    };
    serve_until_replaced(connections, gateway, tasks).await;
}

/// The same, but where the program is to be replaced it accepts no more, lets what is under way end in its time, and
/// returns what goes over.
pub async fn serve_until_replaced(
    connections: Connections,
    gateway: Gateway,
    tasks: Tasks,
) -> Option<FrozenFront> {
    let Connections {
        listener,
        kept,
        drain,
    } = connections;
    let state = gateway.state;
    state.run_on(&tasks);
    let bound = listener.local_addr().ok();
    *state
        .address
        .write()
        .unwrap_or_else(PoisonError::into_inner) = bound;
    let here = bound.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
    let connections = TaskTracker::new();
    let limit = ConnectionLimit::for_this_machine();
    let (frozen, mut idle) = mpsc::channel(limit.max());
    let spawn = |stream: TcpStream, read: Bytes, peer: IpAddr| {
        let Some(permit) = limit.admit(Some(peer)) else {
            return;
        };
        let connection = Connection {
            requests: permit.requests(),
            state: Arc::clone(&state),
            here,
            tasks: tasks.clone(),
            drain: drain.clone(),
            frozen: frozen.clone(),
        };
        let served = Box::pin(connection.serve(Prefixed::new(read, stream)));
        // It ends early where its peer needs the permit for another one.
        let connection = async move {
            tokio::select! {
                () = served => {}
                () = permit.revoked() => {}
            }
        };
        tasks.spawn("gateway connection", connections.track_future(connection));
    };
    handover::arrived().await;
    for (stream, read) in kept {
        if let Ok(peer) = stream.peer_addr() {
            spawn(stream, read, peer.ip());
        }
    }
    let mut leaving = drain.clone();
    let ending = tasks.ending();
    tokio::pin!(ending);
    let patience = loop {
        let accepted = tokio::select! {
            () = &mut ending => break None,
            patience = told(&mut leaving) => break Some(patience),
            accepted = accept(&listener) => accepted,
        };
        match accepted {
            Ok((stream, address)) => spawn(stream, Bytes::new(), address.ip()),
            Err(error) => {
                warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    };
    connections.close();
    if timeout(patience.unwrap_or(GRACE), connections.wait())
        .await
        .is_err()
    {
        state.closing.cancel();
        if timeout(LAST_WORDS, connections.wait()).await.is_err() {
            warn!(left = connections.len(), "connections did not end in time");
        }
    }
    patience?;
    let mut frozen = FrozenFront {
        listener,
        idle: Vec::new(),
    };
    while let Ok(connection) = idle.try_recv() {
        frozen.idle.push(connection);
    }
    Some(frozen)
}

/// Waits until the program is to be replaced; for ever, where nobody is left to say so. Cancel-safe.
async fn told(drain: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match drain.wait_for(Option::is_some).await.map(|told| *told) {
        Ok(Some(patience)) => patience,
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

/// One connection, and where it goes when the program is to be replaced.
struct Connection {
    requests: Requests,
    state: Arc<GatewayState>,
    here: IpAddr,
    tasks: Tasks,
    drain: watch::Receiver<Option<Duration>>,
    frozen: mpsc::Sender<(TcpStream, Bytes)>,
}

impl Connection {
    async fn serve(self, stream: Prefixed<TcpStream>) {
        let Self {
            requests,
            state,
            here,
            tasks,
            mut drain,
            frozen,
        } = self;
        let closing = state.closing.clone();
        let stream = HeadTimeout::new(stream, requests.clone(), HEAD_PATIENCE);
        let ends = Arc::new(AtomicBool::new(false));
        let ends_with_answer = Arc::clone(&ends);
        let service = service_fn(move |request: Request<Incoming>| {
            let state = Arc::clone(&state);
            let under_way = requests.begin();
            ends_with_answer.store(is_last(&request), Ordering::Relaxed);
            Box::pin(async move {
                let answer = routes::answer(state, here, request).await;
                // A stream is a request under way until its end.
                Ok::<_, Infallible>(answer.map(|body| Keeping::new(body, under_way)))
            })
        });
        let mut connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_PATIENCE)
            .max_header_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let cut_off = async {
            closing.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = tasks.ending() => {
                std::pin::Pin::new(&mut connection).graceful_shutdown();
                tokio::select! {
                    ended = &mut connection => ended,
                    () = cut_off => Ok(()),
                }
            }
            _ = told(&mut drain) => {
                std::pin::Pin::new(&mut connection).graceful_shutdown();
                let parted = poll_fn(|context| connection.poll_without_shutdown(context));
                let parted = tokio::select! {
                    parted = parted => parted,
                    () = cut_off => return,
                };
                if parted.is_ok() && !ends.load(Ordering::Relaxed) {
                    let parts = connection.into_parts();
                    let (unread, stream) = parts.io.into_inner().into_inner().into_parts();
                    let read = [&parts.read_buf[..], &unread].concat();
                    // There is room for as many as there may be.
                    let _ = frozen.try_send((stream, read.into()));
                    return;
                }
                parted
            }
        };
        if let Err(error) = ended {
            debug!(%error, "a connection ended");
        }
    }
}

/// Whether the peer expects the connection to end with the answer (RFC 9112, section 9.3).
fn is_last(request: &Request<Incoming>) -> bool {
    request.version() < Version::HTTP_11
        || request.headers().get_all(CONNECTION).iter().any(|value| {
            let mut options = value.to_str().unwrap_or_default().split(',');
            options.any(|option| option.trim().eq_ignore_ascii_case("close"))
        })
}
