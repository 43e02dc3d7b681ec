//! The routes: who may ask, and what each of them answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tracing::{info, warn};

use super::answer::{self, Answer, Refusal, bare, json};
use super::assets;
use super::auth::Login;
use super::guard::{self, Credential, OriginState};
use super::protocol::{MAX_MESSAGE, PROTOCOL};
use super::server::{PATIENCE, Peer, Service};
use super::session::{self, Mode, Visit};
use crate::config::parse_duration;
use crate::control::shapes::{DoneShape, TerminalShape};
use crate::domain::agent::AgentKind;
use crate::domain::id::TerminalId;
use crate::domain::profile::ProfileName;
use crate::domain::route::{By, CommandError, DEFAULT_HOLD, RouterCommand};
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, Status, TerminalSpec};
use crate::pane::{Access, PaneHandle, WaitFor};
use crate::providers::SteerError;

/// A body is at most as long as a message on a socket.
const MAX_BODY: usize = MAX_MESSAGE;
const SESSION_SECONDS: u32 = 12 * 3600;

/// Answers one request. Whatever is wrong with it is an answer too.
pub(super) async fn answer(
    service: &Arc<Service>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Answer {
    let network = service.network.as_ref().filter(|_| peer != Peer::Local);
    let tls = network.is_some_and(|network| network.site.tls);
    let outcome = match admit(service, peer, &request) {
        Ok(credential) => Box::pin(route(service, peer, credential, &mut request)).await,
        Err(refusal) => Err(refusal),
    };
    let host_is_ours = !matches!(&outcome, Err(refusal) if refusal.status == StatusCode::FORBIDDEN);
    let mut answer = outcome.unwrap_or_else(|refusal| {
        let path = request.uri().path();
        if refusal.status.is_server_error() || refusal.status == StatusCode::NOT_FOUND {
            info!(%peer, path, code = refusal.code, "request not served");
        } else {
            warn!(%peer, path, code = refusal.code, "request refused");
        }
        refusal.into_answer()
    });
    let host = request.headers().get(header::HOST);
    let host = host
        .and_then(|host| host.to_str().ok())
        .filter(|_| host_is_ours);
    answer::secure(answer.headers_mut(), host, tls);
    answer
}

/// Checks Host, Origin and credentials; whoever shows none may still look at what needs none.
fn admit(
    service: &Service,
    peer: Peer,
    request: &Request<Incoming>,
) -> Result<Credential, Refusal> {
    let (Some(network), Peer::Network(_)) = (&service.network, peer) else {
        return Ok(Credential::Local);
    };
    let headers = request.headers();
    let allowed = service.hub.options().allowed_origins;
    if !network.site.is_host(headers, &allowed) {
        return Err(Refusal::forbidden("this host is not served here"));
    }
    let origin = network.site.origin(headers, &allowed);
    if origin == OriginState::Foreign {
        return Err(Refusal::forbidden(
            "requests from this origin are not allowed; see remote.allowed_origins",
        ));
    }
    let credential = guard::credential(headers, &network.auth, Instant::now());
    let path = request.uri().path();
    let public = path == "/health" || path == "/api/login" || !needs_token(path);
    if credential == Credential::None && !public {
        return Err(Refusal::unauthorized());
    }
    let reads =
        matches!(*request.method(), Method::GET | Method::HEAD) && !path.starts_with("/ws/");
    let may_lack_origin = credential == Credential::Bearer || reads || public;
    if origin == OriginState::Missing && !may_lack_origin {
        return Err(Refusal::forbidden(
            "this request needs an Origin or a bearer token",
        ));
    }
    Ok(credential)
}

fn needs_token(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/ws/")
}

async fn route(
    service: &Arc<Service>,
    peer: Peer,
    credential: Credential,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    let method = match *request.method() {
        Method::HEAD => Method::GET,
        ref method => method.clone(),
    };
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (segments.as_slice(), method) {
        (["health"], Method::GET) => Ok(text("ok")),
        (["api", "login"], Method::POST) => login(service, peer, credential, request).await,
        (["api", "logout"], Method::POST) => Ok(logout(service, request)),
        (["api", "terminals"], Method::GET) => {
            let terminals = service.pool.list();
            let shapes: Vec<_> = terminals.iter().map(TerminalShape::from).collect();
            Ok(json(StatusCode::OK, &shapes))
        }
        (["api", "terminals"], Method::POST) => open(service, peer, request).await,
        (["api", "terminals", id], Method::GET) => {
            let pane = find(service, id)?;
            Ok(json(StatusCode::OK, &TerminalShape::from(&pane.info())))
        }
        (["api", "terminals", id], Method::DELETE) => {
            let pane = find(service, id)?;
            info!(id = %pane.id(), %peer, "terminal ended on request");
            pane.kill();
            pane.wait(WaitFor::Exit).await;
            Ok(bare(StatusCode::NO_CONTENT))
        }
        (["api", "status"], Method::GET) => Ok(json(StatusCode::OK, &(service.status)())),
        (["api", "providers", name, action], Method::POST) => {
            steer(service, name, action, request).await
        }
        (["ws", "terminal", id], Method::GET) => attach(service, peer, id, request),
        (_, Method::GET) if assets::exists(&path) => Ok(assets::answer(&path, request.headers())),
        (known, _) => Err(match allowed_methods(known, &path) {
            Some(allowed) => method_not_allowed(allowed),
            None => Refusal::not_found("there is nothing here"),
        }),
    }
}

fn allowed_methods(segments: &[&str], path: &str) -> Option<&'static str> {
    match segments {
        ["api", "login" | "logout"] => Some("POST"),
        ["api", "providers", _, action] if ACTIONS.contains(action) => Some("POST"),
        ["api", "terminals"] => Some("GET, POST"),
        ["api", "terminals", _] => Some("GET, DELETE"),
        ["health"] | ["api", "status"] | ["ws", "terminal", _] => Some("GET"),
        _ if assets::exists(path) => Some("GET"),
        _ => None,
    }
}

fn method_not_allowed(allowed: &str) -> Refusal {
    let message = format!("only {allowed} is understood here");
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "bad_request", message)
}

fn text(text: &'static str) -> Answer {
    let mut answer = bare(StatusCode::OK);
    *answer.body_mut() = Full::new(Bytes::from_static(text.as_bytes()));
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    answer
}

fn terminal_id(text: &str) -> Result<TerminalId, Refusal> {
    // Only the form with hyphens names a terminal, so that each has one address.
    let id = text.parse::<TerminalId>().ok().filter(|_| text.len() == 36);
    id.ok_or_else(|| Refusal::bad_request(format!("not a UUID: {text}")))
}

fn find(service: &Service, text: &str) -> Result<PaneHandle, Refusal> {
    let id = terminal_id(text)?;
    let missing = || Refusal::not_found(format!("pty handle not found: {text}"));
    service.pool.get(id).ok_or_else(missing)
}

/// Reads a JSON body; an empty one is an empty object.
async fn body<T: DeserializeOwned>(request: &mut Request<Incoming>) -> Result<T, Refusal> {
    let reading = Limited::new(request.body_mut(), MAX_BODY).collect();
    let bytes = match timeout(PATIENCE, reading).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let message = "a body is at most 1 MiB long";
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Refusal::new(status, "bad_request", message));
        }
        Ok(Err(_)) => return Err(Refusal::bad_request("the body was cut short")),
        Err(_) => {
            let message = "the body did not arrive within 5 s";
            let status = StatusCode::REQUEST_TIMEOUT;
            return Err(Refusal::new(status, "bad_request", message));
        }
    };
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) {
        Bytes::from_static(b"{}")
    } else {
        bytes
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        // What the parser says can hold parts of a token.
        Refusal::bad_request(format!(
            "the body is not what this route takes (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

async fn login(
    service: &Service,
    peer: Peer,
    credential: Credential,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        token: String,
    }
    let body: Body = body(request).await?;
    let Some(network) = &service.network else {
        return Ok(bare(StatusCode::NO_CONTENT));
    };
    let known = credential != Credential::None;
    let login = network
        .auth
        .login(&body.token, peer.ip(), known, Instant::now());
    match login.map_err(|error| Refusal::internal(error.to_string()))? {
        Login::Welcome(secret) => {
            info!(%peer, "login");
            let secure = if network.site.tls { "; Secure" } else { "" };
            let name = network.auth.cookie();
            let cookie = format!(
                "{name}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION_SECONDS}{secure}"
            );
            let mut answer = bare(StatusCode::NO_CONTENT);
            if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
                cookie.set_sensitive(true);
                answer.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(answer)
        }
        Login::Wrong => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "this token is wrong, used or too old: tundra url prints a new address",
        )),
        Login::Throttled(wait) => {
            let seconds = wait.as_secs() + 1;
            let message = format!("too many wrong tokens: try again in {seconds}s");
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut refusal = Refusal::new(status, "too_many_requests", message);
            refusal.retry_after = Some(seconds.to_string());
            Err(refusal)
        }
    }
}

fn logout(service: &Service, request: &Request<Incoming>) -> Answer {
    let mut answer = bare(StatusCode::NO_CONTENT);
    if let Some(network) = &service.network {
        if let Some(secret) = guard::session(request.headers(), &network.auth) {
            network.auth.logout(secret);
        }
        let name = network.auth.cookie();
        let gone = format!("{name}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
        if let Ok(gone) = HeaderValue::from_str(&gone) {
            answer.headers_mut().insert(header::SET_COOKIE, gone);
        }
    }
    answer
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Open {
    command: Option<Words>,
    #[serde(default)]
    args: Vec<String>,
    cwd: Option<PathBuf>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    cols: Option<u16>,
    rows: Option<u16>,
    name: Option<String>,
    #[serde(default)]
    persistent: bool,
    agent: Option<String>,
}

async fn open(
    service: &Service,
    peer: Peer,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    let spec = spec(body(request).await?)?;
    let pane = service.pool.open(spec).await?;
    info!(id = %pane.id(), %peer, "terminal opened on request");
    service.hub.abandon(&pane);
    let id = pane.id();
    let mut answer = json(StatusCode::CREATED, &TerminalShape::from(&pane.info()));
    if let Ok(location) = HeaderValue::from_str(&format!("/api/terminals/{id}")) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    Ok(answer)
}

fn spec(open: Open) -> Result<TerminalSpec, Refusal> {
    let bad = |message: &str| Err(Refusal::bad_request(message));
    let mut command = match open.command {
        Some(Words::One(program)) => vec![program],
        Some(Words::Many(words)) => words,
        None => Vec::new(),
    };
    if command.first().is_some_and(String::is_empty) {
        return bad("command must name a program; leave it out for the shell");
    }
    if command.is_empty() && !open.args.is_empty() {
        return bad("args needs a command");
    }
    command.extend(open.args);
    if command.iter().any(|word| word.contains('\0')) {
        return bad("command and args must not hold a NUL");
    }
    let odd_name = |name: &str| name.is_empty() || name.contains(['=', '\0']);
    if open
        .env
        .iter()
        .any(|(name, value)| odd_name(name) || value.contains('\0'))
    {
        return bad("env must hold variables and their values");
    }
    if open
        .name
        .as_deref()
        .is_some_and(|name| name.trim().is_empty() || name.chars().any(char::is_control))
    {
        return bad("name needs characters that can be seen");
    }
    if open.cols == Some(0) || open.rows == Some(0) {
        return bad("cols and rows must be at least 1");
    }
    let agent = match open.agent.map(|kind| kind.parse::<AgentKind>()).transpose() {
        Ok(agent) => agent,
        Err(error) => return bad(&error.to_string()),
    };
    let default = Size::DEFAULT;
    Ok(TerminalSpec {
        name: open.name,
        command,
        cwd: open.cwd,
        env: open.env.into_iter().collect(),
        size: Size::clamped(
            open.cols.unwrap_or(default.cols()),
            open.rows.unwrap_or(default.rows()),
        ),
        persistent: open.persistent,
        agent,
        owner: Owner::Remote,
    })
}

/// What `/api/providers/{name}/` may be followed by.
const ACTIONS: [&str; 7] = [
    "failover", "restart", "reset", "enable", "disable", "pin", "unpin",
];

/// Does to a provider what the command of that name does.
async fn steer(
    service: &Service,
    name: &str,
    action: &str,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    #[derive(Default, Deserialize)]
    struct Body {
        /// How long a failover holds, as the configuration writes durations.
        r#for: Option<String>,
    }
    if !ACTIONS.contains(&action) {
        return Err(Refusal::not_found("there is nothing here"));
    }
    let body: Body = body(request).await?;
    let hold = match body.r#for.as_deref() {
        Some(text) => parse_duration(text)
            .ok_or_else(|| Refusal::bad_request("for must be a duration, such as \"10m\""))?,
        None => DEFAULT_HOLD,
    };
    let name = percent_decoded(name);
    let profile = ProfileName::from(name.as_str());
    let command = match action {
        "failover" => RouterCommand::Failover {
            from: Some(profile),
            hold,
        },
        "restart" => RouterCommand::Restart(profile),
        "reset" => RouterCommand::Reset(profile),
        "enable" => RouterCommand::Enable(profile),
        "disable" => RouterCommand::Disable(profile),
        "pin" => RouterCommand::Pin(profile),
        _ => RouterCommand::Unpin,
    };
    match service.providers.command(command, By::Http).await {
        Ok(done) => Ok(json(StatusCode::OK, &DoneShape::from(&done))),
        Err(SteerError::Command(error @ CommandError::NotFound(_))) => {
            Err(Refusal::not_found(error.to_string()))
        }
        Err(error @ SteerError::Command(CommandError::NobodyLeft)) => Err(Refusal::new(
            StatusCode::CONFLICT,
            "bad_request",
            error.to_string(),
        )),
        Err(error @ SteerError::Server(_)) => Err(Refusal::internal(error.to_string())),
    }
}

/// A path segment as it was meant; what is not UTF-8 then names nobody.
fn percent_decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .filter(|_| byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(byte));
        rest = after
            .get(if escaped.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Opens a socket at a terminal.
fn attach(
    service: &Arc<Service>,
    peer: Peer,
    id: &str,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    let pane = find(service, id)?;
    if pane.info().status == Status::Dead {
        let message = format!("terminal is dead: {id}");
        return Err(Refusal::new(StatusCode::GONE, "gone", message));
    }
    let accept = accept_key(request)?;
    let mode = offered_mode(request);
    let place = service.hub.admit().map_err(Refusal::too_many_viewers)?;
    let read_only = request
        .uri()
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair == "read_only=1"));
    let access = if read_only {
        Access::ReadOnly
    } else {
        Access::Full
    };
    info!(id = %pane.id(), %peer, ?mode, ?access, "viewer attaches");
    let visit = Visit {
        pane,
        hub: Arc::clone(&service.hub),
        _place: place,
        mode,
        access,
        peer: peer.to_string(),
        stop: service.stop.clone(),
    };
    let upgrade = hyper::upgrade::on(request);
    service.hub.tasks().spawn("session", async move {
        // Nothing is said about a client that vanished between request and answer.
        let Ok(Ok(upgraded)) = timeout(PATIENCE, upgrade).await else {
            return;
        };
        let socket = WebSocketStream::from_raw_socket(
            TokioIo::new(upgraded),
            Role::Server,
            Some(session::socket_config()),
        )
        .await;
        Box::pin(session::run(socket, visit)).await;
    });
    let mut answer = bare(StatusCode::SWITCHING_PROTOCOLS);
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if mode == Mode::V1 {
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(PROTOCOL),
        );
    }
    Ok(answer)
}

/// Checks the opening handshake (RFC 6455, section 4.2.1) and computes its answer.
fn accept_key(request: &Request<Incoming>) -> Result<HeaderValue, Refusal> {
    let headers = request.headers();
    let names = |name, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    if !names(header::CONNECTION, "upgrade") || !names(header::UPGRADE, "websocket") {
        let message = "this route takes a WebSocket";
        let status = StatusCode::UPGRADE_REQUIRED;
        return Err(Refusal::new(status, "bad_request", message));
    }
    if !names(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(Refusal::bad_request("Sec-WebSocket-Version must be 13"));
    }
    headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| key.len() == 24)
        .and_then(|key| derive_accept_key(key.as_bytes()).parse().ok())
        .ok_or_else(|| Refusal::bad_request("Sec-WebSocket-Key is missing or malformed"))
}

/// The mode that the client's subprotocols ask for; one that offers only others gets the plain one, unnamed.
fn offered_mode(request: &Request<Incoming>) -> Mode {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let offered = offers
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == PROTOCOL);
    if offered { Mode::V1 } else { Mode::Plain }
}
