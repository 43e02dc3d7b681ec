//! The HTTP server: the listener and its connections. `guard` says who may come in, `routes` where a request goes.

mod body;
mod guard;
mod head_timeout;
mod login_models;
mod metrics;
mod models;
mod routes;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::service::{Gateway, GatewayState};
use crate::runtime::connections::{ConnectionLimit, Requests};
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

/// Accepts connections until `tasks` end, and returns once all of them are gone, at most a second later.
pub async fn serve(listener: TcpListener, gateway: Gateway, tasks: Tasks) {
    let state = gateway.state;
    let bound = listener.local_addr().ok();
    *state
        .address
        .write()
        .unwrap_or_else(PoisonError::into_inner) = bound;
    let here = bound.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
    let connections = TaskTracker::new();
    let limit = ConnectionLimit::for_this_machine();
    let ending = tasks.ending();
    tokio::pin!(ending);
    loop {
        let accepted = tokio::select! {
            () = &mut ending => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let Some(permit) = limit.admit(Some(address.ip())) else {
                    continue;
                };
                let requests = permit.requests();
                let served =
                    serve_connection(stream, Arc::clone(&state), here, requests, tasks.clone());
                // It ends early where its peer needs the permit for another one.
                let connection = async move {
                    tokio::select! {
                        () = served => {}
                        () = permit.revoked() => {}
                    }
                };
                tasks.spawn("gateway connection", connections.track_future(connection));
            }
            Err(error) => {
                warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(GRACE, connections.wait()).await.is_err() {
        state.closing.cancel();
        if timeout(LAST_WORDS, connections.wait()).await.is_err() {
            warn!(left = connections.len(), "connections did not end in time");
        }
    }
}

async fn serve_connection(
    stream: TcpStream,
    state: Arc<GatewayState>,
    here: IpAddr,
    requests: Requests,
    tasks: Tasks,
) {
    // Small frames must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "TCP_NODELAY");
    }
    let closing = state.closing.clone();
    let stream = HeadTimeout::new(stream, requests.clone(), HEAD_PATIENCE);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        let under_way = requests.begin();
        async move {
            let answer = routes::answer(state, here, request).await;
            // A stream is a request under way until its end.
            Ok::<_, Infallible>(answer.map(|body| Keeping::new(body, under_way)))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_PATIENCE)
        .max_header_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = tasks.ending() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = async { closing.cancelled().await; tokio::time::sleep(LAST_WORDS).await } => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended");
    }
}
