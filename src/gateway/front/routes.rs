//! Which route a request is for, and what leaves.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Either;
use hyper::body::Incoming;
use tracing::debug;

use super::{body, guard, metrics, models};
use crate::domain::caller::Caller;
use crate::domain::profile::Dialect;
use crate::gateway::answer::{ATTEMPTS, Answer, AnswerBody, mark};
use crate::gateway::error::Refusal;
use crate::gateway::exchange::{self, Progress};
use crate::gateway::keep_alive::KeepAliveBody;
use crate::gateway::own_answer::{self, OwnAnswer};
use crate::gateway::request::summary::RequestSummary;
use crate::gateway::request::{IncomingRequest, LazyForm};
use crate::gateway::service::GatewayState;
use crate::gateway::upstream::headers;
use crate::gateway::wire::Endpoint;

/// What leaves: an answer, or a stream that begins before there is one.
pub type ResponseBody = Either<AnswerBody, KeepAliveBody>;

/// Answers one request. Dropping the future gives its exchange up.
pub async fn answer(
    state: Arc<GatewayState>,
    here: IpAddr,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let dialect = dialect_of(&request);
    let mut response = match route(state, here, request).await {
        Ok(response) => response,
        Err(refusal) => {
            debug!(status = refusal.status().as_u16(), reason = %refusal, "refused");
            whole(refuse(&refusal, dialect))
        }
    };
    if !response.headers().contains_key(ATTEMPTS) {
        mark(response.headers_mut(), 0, None);
    }
    response
}

async fn route(
    state: Arc<GatewayState>,
    here: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Refusal> {
    const READ: &[Method] = &[Method::GET, Method::HEAD];
    let (uri, headers) = (request.uri(), request.headers());
    guard::check_origin(uri, headers, here)?;
    guard::check_query(uri)?;
    let (method, path) = (request.method(), uri.path());
    match path {
        "/health" => return only(method, READ).map(|()| whole(health())),
        "/api/hello" => {
            return only(method, &[Method::HEAD, Method::GET]).map(|()| whole(health()));
        }
        _ => {}
    }
    let caller = guard::check_key(uri, headers, &state.keys)?;
    if let Some(endpoint) = Endpoint::from_path(path) {
        only(method, &[Method::POST])?;
        return forward(state, endpoint, caller, request).await;
    }
    match path {
        "/v1/models" => {
            only(method, READ)?;
            let anthropic = dialect_of(&request) == Dialect::Messages;
            let list = models::list(&state.router, anthropic);
            Ok(whole(own_answer::json(StatusCode::OK, list)))
        }
        "/metrics" => {
            only(method, READ)?;
            let text = metrics::exposition(&state);
            let kind = metrics::CONTENT_TYPE;
            Ok(whole(own_answer::with_type(StatusCode::OK, kind, text)))
        }
        _ => Err(Refusal::NoRoute {
            method: method.clone(),
            path: path.to_owned(),
        }),
    }
}

fn only(method: &Method, allowed: &'static [Method]) -> Result<(), Refusal> {
    if allowed.contains(method) {
        return Ok(());
    }
    Err(Refusal::Method {
        method: method.clone(),
        allowed,
    })
}

fn health() -> Answer {
    own_answer::json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"ok\"}"))
}

fn whole(answer: Answer) -> Response<ResponseBody> {
    answer.into_response().map(Either::Left)
}

fn refuse(refusal: &Refusal, dialect: Dialect) -> Answer {
    OwnAnswer {
        dialect,
        status: refusal.status(),
        message: &refusal.to_string(),
        attempts: 0,
        profile: None,
    }
    .into_answer()
}

/// Forwards a request to whoever can take it.
async fn forward(
    state: Arc<GatewayState>,
    endpoint: Endpoint,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Refusal> {
    state.counts.requests.fetch_add(1, Ordering::Relaxed);
    let sound = read(&state, endpoint, caller, request).await;
    let request = sound.inspect_err(|_| {
        state.counts.refused.fetch_add(1, Ordering::Relaxed);
    })?;
    let (dialect, streams) = (request.dialect(), request.streams());
    let progress = Arc::new(Mutex::new(Progress::default()));
    let closing = state.closing.clone();
    let ping = state.ping_every();
    let mut search = Box::pin(exchange::dispatch(state, request, Arc::clone(&progress)));
    if !streams {
        return tokio::select! {
            answer = search => Ok(whole(answer)),
            () = closing.cancelled() => Err(Refusal::ShuttingDown),
        };
    }
    tokio::select! {
        answer = &mut search => Ok(whole(answer)),
        () = closing.cancelled() => Err(Refusal::ShuttingDown),
        () = tokio::time::sleep(ping) => {
            let ended = closing.clone().cancelled_owned();
            let body = KeepAliveBody::new(dialect, search, ping, ended);
            let mut response = Response::new(Either::Right(body));
            let progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            mark(headers, progress.attempts, progress.profile.as_ref());
            Ok(response)
        }
    }
}

async fn read(
    state: &GatewayState,
    endpoint: Endpoint,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<IncomingRequest, Refusal> {
    let (head, body) = request.into_parts();
    let body = body::read(&head.headers, body, state.max_body()).await?;
    let summary = RequestSummary::read(&body)?;
    Ok(IncomingRequest {
        endpoint,
        caller,
        query: head.uri.query().map(str::to_owned),
        headers: headers::from_caller(&head.headers),
        body,
        summary,
        only: None,
        form: LazyForm::default(),
    })
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
