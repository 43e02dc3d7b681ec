//! Which route a request is for, and what leaves.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Either;
use hyper::body::Incoming;
use tracing::{debug, info};

use super::guard::Identity;
use super::{body, guard, login_models, metrics, models};
use crate::domain::budget::Reached;
use crate::domain::caller::Caller;
use crate::domain::id::TerminalId;
use crate::domain::profile::{Capability, Dialect};
use crate::gateway::answer::{ATTEMPTS, Answer, AnswerBody, mark};
use crate::gateway::content_coding::ContentCoding;
use crate::gateway::error::Refusal;
use crate::gateway::exchange::{self, Progress};
use crate::gateway::keep_alive::KeepAliveBody;
use crate::gateway::keys::CallerKey;
use crate::gateway::own_answer::{self, OwnAnswer};
use crate::gateway::report::Report;
use crate::gateway::request::summary::RequestSummary;
use crate::gateway::request::{BroughtLogin, IncomingRequest, LazyForm};
use crate::gateway::service::GatewayState;
use crate::gateway::upstream::headers::{self, GOOGLE_KEY};
use crate::gateway::wire::Endpoint;
use crate::gateway::wire::generate::Route;

/// What leaves: an answer, or a stream that begins before there is one.
pub type ResponseBody = Either<AnswerBody, KeepAliveBody>;

/// Answers one request. Dropping the future gives its exchange up.
pub async fn answer(
    state: Arc<GatewayState>,
    here: IpAddr,
    mut request: Request<Incoming>,
) -> Response<ResponseBody> {
    let path_key = guard::take_path_key(request.uri_mut());
    let dialect = dialect_of(&request);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let holds_login = guard::shows_foreign_secret(request.headers(), &state.keys);
    let mut response = match route(state, here, path_key, request).await {
        Ok(response) => response,
        Err(refusal) => {
            let path = guard::loggable(&path);
            debug!(%method, path, status = refusal.status().as_u16(), reason = %refusal, "refused");
            whole(refuse(&refusal, dialect))
        }
    };
    if !response.headers().contains_key(ATTEMPTS) {
        mark(response.headers_mut(), 0, None);
    }
    if holds_login {
        // The HTTP library keeps what it has read of a connection until that ends, and so the login in it.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

async fn route(
    state: Arc<GatewayState>,
    here: IpAddr,
    path_key: Option<CallerKey>,
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
        // Claude Code looks whether there is anybody, before it shows its key.
        "/" => return only(method, &[Method::HEAD]).map(|()| whole(health())),
        _ => {}
    }
    let identity = guard::check_key(uri, path_key.as_ref(), headers, &state.keys)?;
    guard::check_upgrade(headers)?;
    if let Some(endpoint) = Endpoint::from_path(path) {
        only(method, &[Method::POST])?;
        return forward(state, endpoint, identity, request).await;
    }
    match path {
        "/v1/models" => {
            only(method, READ)?;
            if let Some(answer) = logins_models(&state, identity, &request).await {
                return Ok(whole(answer));
            }
            let list = models::list(&state.router, dialect_of(&request));
            Ok(whole(own_answer::json(StatusCode::OK, list)))
        }
        "/v1beta/models" => {
            only(method, READ)?;
            let list = models::list(&state.router, Dialect::Generate);
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
            path: guard::loggable(path),
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
    let own = OwnAnswer {
        dialect,
        status: refusal.status(),
        message: &refusal.to_string(),
        attempts: 0,
        profile: None,
    };
    let mut answer = own.into_answer();
    answer.headers.extend(refusal.headers());
    answer
}

/// Forwards a request to whoever can take it.
async fn forward(
    state: Arc<GatewayState>,
    endpoint: Endpoint,
    identity: Identity,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Refusal> {
    state.counts.requests.fetch_add(1, Ordering::Relaxed);
    let reached = match identity.caller {
        Caller::Terminal(id) => state.router.came_in(id).map(|reached| (id, reached)),
        Caller::Outside | Caller::Ask => None,
    };
    let sound = read(&state, endpoint, identity, request).await;
    let request = sound.inspect_err(|_| {
        state.counts.refused.fetch_add(1, Ordering::Relaxed);
    })?;
    let (dialect, streams) = (request.dialect(), request.streams());
    let report = report(&state, &request);
    if let Some((id, reached)) = reached.filter(|_| request.endpoint.generates()) {
        let mut answer = over_budget(&state, id, reached, dialect);
        answer.tell(report);
        return Ok(whole(answer));
    }
    let progress = Arc::new(Mutex::new(Progress::default()));
    let closing = state.closing.clone();
    let ping = state.ping_every();
    let mut search = Box::pin(exchange::dispatch(
        state,
        request,
        Arc::clone(&progress),
        report,
    ));
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

/// Tells whoever holds terminals of a request that one of their programs makes the agent work with.
fn report(state: &GatewayState, request: &IncomingRequest) -> Report {
    match (request.caller, state.terminals()) {
        (Caller::Terminal(id), Some(terminals)) if request.endpoint.generates() => {
            let tools = request.summary.needs.contains(Capability::Tools);
            Report::begin(terminals, id, tools)
        }
        _ => Report::default(),
    }
}

/// What a program is told whose terminal has used up its budget.
fn over_budget(
    state: &GatewayState,
    terminal: TerminalId,
    reached: Reached,
    dialect: Dialect,
) -> Answer {
    let name = state
        .terminals()
        .and_then(|terminals| terminals.name(terminal));
    let name = name.unwrap_or_else(|| terminal.to_string());
    info!(id = %terminal, %reached, "refused: the budget is used up");
    OwnAnswer {
        dialect,
        status: StatusCode::PAYMENT_REQUIRED,
        message: &reached.told_of(&name),
        attempts: 0,
        profile: None,
    }
    .into_answer()
}

async fn read(
    state: &GatewayState,
    endpoint: Endpoint,
    identity: Identity,
    request: Request<Incoming>,
) -> Result<IncomingRequest, Refusal> {
    let (head, body) = request.into_parts();
    let coding = ContentCoding::of(&head.headers)?;
    let body = body::read(&head.headers, body, state.max_body()).await?;
    let text = match coding {
        Some(coding) => coding.decode(&body, state.max_body())?,
        None => body.clone(),
    };
    let summary = match Route::from_path(head.uri.path()) {
        Some(route) => {
            RequestSummary::generate(&text, route.method, &route.model, head.uri.query())?
        }
        None => RequestSummary::read(&text)?,
    };
    let caller = identity.caller;
    let named = summary.cache_key.as_deref().or(summary.user.as_deref());
    let conversation = state.conversations.of(caller, &head.headers, named);
    Ok(IncomingRequest {
        brought: brought(
            state,
            endpoint.dialect(),
            identity,
            &head.headers,
            summary.user.as_deref(),
        ),
        endpoint,
        caller,
        query: head.uri.query().map(str::to_owned),
        headers: headers::from_caller(&head.headers),
        body,
        text,
        summary,
        conversation: Some(conversation),
        only: None,
        form: LazyForm::default(),
    })
}

/// The login beside a terminal's key, if there is one.
fn brought(
    state: &GatewayState,
    dialect: Dialect,
    identity: Identity,
    headers: &HeaderMap,
    user: Option<&str>,
) -> Option<BroughtLogin> {
    let login = identity
        .is_apart
        .then(|| state.logins().login(dialect, headers, user))??;
    Some(BroughtLogin {
        login,
        headers: headers::with_login(headers),
    })
}

/// The list of models of a `ChatGPT` login, which Codex asks for at its start; `None` where there is nobody to ask.
async fn logins_models(
    state: &GatewayState,
    identity: Identity,
    request: &Request<Incoming>,
) -> Option<Answer> {
    let (uri, headers) = (request.uri(), request.headers());
    let asks = uri
        .query()
        .is_some_and(|query| query.contains("client_version="));
    let brought = brought(state, Dialect::Responses, identity, headers, None).filter(|_| asks)?;
    login_models::ask(state, &brought, uri.query()).await
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
        None if request.headers().contains_key(GOOGLE_KEY)
            || request.uri().path().starts_with("/v1beta/") =>
        {
            Dialect::Generate
        }
        None => Dialect::Chat,
    }
}
