//! The HTTP server: who comes in, which route it is, and what leaves.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::body::Body;
use super::exchange::{self, Answer, Inbound, Progress};
use super::guard::{self, Denied};
use super::keep_alive::KeepAliveBody;
use super::reply::{self, OwnAnswer};
use super::service::{Gateway, Shared};
use super::summary::RequestSummary;
use super::wire::Endpoint;
use super::{headers, metrics, models};
use crate::domain::profile::Dialect;
use crate::domain::route::Caller;
use crate::runtime::tasks::Tasks;

/// How long a connection may take for the next request's head; clients give unused ones up long before.
const HEAD_PATIENCE: Duration = Duration::from_secs(600);
/// How long a request's body may be silent.
const BODY_PATIENCE: Duration = Duration::from_secs(60);
/// How much of an oversized body is read and thrown away, so that its sender gets to read why.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;
/// How long requests under way may go on once tundra ends, before streams are ended.
const GRACE: Duration = Duration::from_millis(500);
/// How long the last answers then have to leave.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Pause after the system refuses a connection, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until `tasks` end, and returns once all of them are gone, at most a second later.
pub async fn serve(listener: TcpListener, gateway: Gateway, tasks: Tasks) {
    let shared = gateway.shared;
    let bound = listener.local_addr().ok();
    *shared
        .address
        .write()
        .unwrap_or_else(PoisonError::into_inner) = bound;
    let here = bound.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
    let connections = TaskTracker::new();
    let ending = tasks.ending();
    tokio::pin!(ending);
    loop {
        let accepted = tokio::select! {
            () = &mut ending => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = serve_connection(stream, Arc::clone(&shared), here, tasks.clone());
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
        shared.closing.cancel();
        if timeout(LAST_WORDS, connections.wait()).await.is_err() {
            warn!(left = connections.len(), "connections did not end in time");
        }
    }
}

async fn serve_connection(stream: TcpStream, shared: Arc<Shared>, here: IpAddr, tasks: Tasks) {
    // Small frames must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "TCP_NODELAY");
    }
    let closing = shared.closing.clone();
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(shared, here, request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
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

async fn answer(shared: Arc<Shared>, here: IpAddr, request: Request<Incoming>) -> Response<Body> {
    let dialect = dialect_of(&request);
    let mut response = match route(shared, here, request).await {
        Ok(response) => response,
        Err(refused) => {
            debug!(status = refused.status.as_u16(), reason = %refused.message, "refused");
            refused.into_response(dialect)
        }
    };
    if !response.headers().contains_key(reply::ATTEMPTS) {
        reply::mark(response.headers_mut(), 0, None);
    }
    response
}

/// A request that tundra turns away itself.
struct Refused {
    status: StatusCode,
    message: String,
}

impl Refused {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    fn into_response(self, dialect: Dialect) -> Response<Body> {
        OwnAnswer {
            dialect,
            status: self.status,
            message: &self.message,
            attempts: 0,
            profile: None,
        }
        .into_response()
    }
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        Self::new(denied.status(), denied.to_string())
    }
}

async fn route(
    shared: Arc<Shared>,
    here: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refused> {
    let (uri, headers) = (request.uri(), request.headers());
    guard::check_origin(uri, headers, here)?;
    guard::check_query(uri)?;
    let (method, path) = (request.method(), uri.path());
    match path {
        "/health" => return only(method, &[Method::GET, Method::HEAD], health),
        "/api/hello" => return only(method, &[Method::HEAD, Method::GET], health),
        _ => {}
    }
    let caller = guard::check_key(uri, headers, &shared.keys)?;
    if let Some(endpoint) = Endpoint::from_path(path) {
        return only(method, &[Method::POST], || ())
            .map(|()| forward(shared, endpoint, caller, request))?
            .await;
    }
    match path {
        "/v1/models" => {
            let anthropic = dialect_of(&request) == Dialect::Messages;
            only(method, &[Method::GET, Method::HEAD], || {
                reply::json(StatusCode::OK, models::list(&shared.router, anthropic))
            })
        }
        "/metrics" => only(method, &[Method::GET, Method::HEAD], || {
            let text = metrics::exposition(&shared);
            reply::with_type(StatusCode::OK, metrics::CONTENT_TYPE, text)
        }),
        _ => Err(Refused::new(
            StatusCode::NOT_FOUND,
            format!(
                "no such route: {method} {path}; there are POST /v1/messages, /v1/messages/count_tokens, \
                 /v1/chat/completions, /v1/responses and GET /v1/models, /metrics, /health"
            ),
        )),
    }
}

fn only<T>(method: &Method, allowed: &[Method], then: impl FnOnce() -> T) -> Result<T, Refused> {
    if allowed.contains(method) {
        return Ok(then());
    }
    let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    Err(Refused::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!(
            "method {method} is not allowed here: use {}",
            names.join(" or ")
        ),
    ))
}

fn health() -> Response<Body> {
    reply::json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"ok\"}"))
}

/// Forwards a request to whoever can take it.
async fn forward(
    shared: Arc<Shared>,
    endpoint: Endpoint,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refused> {
    shared.counts.requests.fetch_add(1, Ordering::Relaxed);
    let sound = read_inbound(&shared, endpoint, caller, request).await;
    let inbound = sound.inspect_err(|_| {
        shared.counts.refused.fetch_add(1, Ordering::Relaxed);
    })?;
    let dialect = endpoint.dialect();
    let streams = inbound.summary.stream && endpoint.generates();
    let progress = Arc::new(Mutex::new(Progress::default()));
    let closing = shared.closing.clone();
    let ping = shared.ping_every();
    let mut search = Box::pin(exchange::dispatch(shared, inbound, Arc::clone(&progress)));
    let stopped = || Refused::new(StatusCode::SERVICE_UNAVAILABLE, "tundra is shutting down");
    if !streams {
        return tokio::select! {
            answer = search => Ok(answer.into_response()),
            () = closing.cancelled() => Err(stopped()),
        };
    }
    tokio::select! {
        answer = &mut search => Ok(Answer::into_response(answer)),
        () = closing.cancelled() => Err(stopped()),
        () = tokio::time::sleep(ping) => {
            let mut response = Response::new(Body::KeepAlive(Box::new(KeepAliveBody::new(dialect, search, ping, closing.clone().cancelled_owned()))));
            let progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            reply::mark(headers, progress.attempts, progress.profile.as_ref());
            Ok(response)
        }
    }
}

async fn read_inbound(
    shared: &Shared,
    endpoint: Endpoint,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Inbound, Refused> {
    let (head, body) = request.into_parts();
    let body = read_body(&head.headers, body, shared.max_body()).await?;
    let summary = RequestSummary::read(&body)
        .map_err(|bad| Refused::new(StatusCode::BAD_REQUEST, bad.to_string()))?;
    Ok(Inbound {
        endpoint,
        caller,
        query: head.uri.query().map(str::to_owned),
        headers: headers::from_caller(&head.headers),
        body,
        summary,
        only: None,
    })
}

async fn read_body(headers: &HeaderMap, mut body: Incoming, most: usize) -> Result<Bytes, Refused> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    let too_large = || {
        Refused::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {most} bytes (gateway.max_body)"),
        )
    };
    // A caller that waits for leave to send, or would send more than is worth discarding, is told at once.
    let discarded = most.saturating_add(MAX_DISCARDED);
    let waits = headers.contains_key(EXPECT);
    if announced.is_some_and(|length| length > discarded || (length > most && waits)) {
        return Err(too_large());
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut length = 0;
    loop {
        let frame = match timeout(BODY_PATIENCE, body.frame()).await {
            Err(_) => {
                return Err(Refused::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "the body did not arrive in time",
                ));
            }
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                return Err(Refused::new(
                    StatusCode::BAD_REQUEST,
                    format!("the body did not arrive whole: {error}"),
                ));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        let chunk = frame.into_data().unwrap_or_default();
        length += chunk.len();
        if length > discarded {
            return Err(too_large());
        }
        if length > most {
            (first, all) = (Bytes::new(), BytesMut::new());
        } else if first.is_empty() && all.is_empty() {
            first = chunk;
        } else {
            if all.is_empty() {
                all.reserve(
                    announced
                        .unwrap_or(0)
                        .min(most)
                        .max(first.len() + chunk.len()),
                );
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&chunk);
        }
    }
    if length > most {
        return Err(too_large());
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// The format in which the caller reads errors: by its route, else by what only one vendor's clients send.
fn dialect_of(request: &Request<Incoming>) -> Dialect {
    match Endpoint::from_path(request.uri().path()) {
        Some(endpoint) => endpoint.dialect(),
        None if request.headers().contains_key("anthropic-version")
            || request.headers().contains_key("x-api-key")
            || request.uri().path().starts_with("/v1/messages") =>
        {
            Dialect::Messages
        }
        None => Dialect::Chat,
    }
}
