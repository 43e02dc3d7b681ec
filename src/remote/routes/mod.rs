//! The routes: who may ask, and what each of them answers.

mod body;
mod login;
mod push;
mod socket;
mod steer;
mod terminals;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use tracing::{info, warn};

use super::answer::{self, Answer, Refusal, bare, json};
use super::assets;
use super::guard::{self, Credential, OriginState};
use super::service::{Network, Peer, Service};
use crate::api::shapes::ExplanationShape;
use crate::api::{Answer as Performed, Operation, perform, query};
use crate::domain::code::Code;
use crate::domain::explain::{self, Found};
use crate::domain::fact::{Fact, What};
use crate::domain::id::TerminalId;
use crate::domain::profile::ProfileName;
use crate::domain::route::{By, Verb};

/// The longest part of a name in the log: as long as a name can be (RFC 1035, section 2.3.4).
const MAX_SHOWN: usize = 255;

/// The head of a request, in bytes. The connection's buffer bounds what is kept of it; this is the exact end.
const MAX_HEAD: usize = 32 * 1024;

/// Answers one request. Whatever is wrong with it is an answer too.
pub(super) async fn answer(
    service: &Arc<Service>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Answer {
    let outcome = match admit(service, peer, &request) {
        Ok(credential) => Box::pin(route(service, peer, credential, &mut request)).await,
        Err(refusal) => Err(refusal),
    };
    let host_is_ours = !matches!(&outcome, Err(refusal) if refusal.status == StatusCode::FORBIDDEN);
    let mut answer = outcome.unwrap_or_else(|refusal| {
        log_refusal(peer, &request, &refusal);
        record_refusal(service, peer, request.uri().path(), &refusal);
        refusal.into_answer()
    });
    let site = service.network.as_ref().and_then(|network| {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        let allowed = service.registry.options().allowed_origins;
        host_is_ours.then(|| (network.site.scheme_of(host, &allowed), host))
    });
    answer::secure(answer.headers_mut(), site);
    answer
}

/// Tells the log what was refused and why.
fn log_refusal(peer: Peer, request: &Request<Incoming>, refusal: &Refusal) {
    let method = request.method().as_str();
    let path = loggable(request.uri().path());
    let code = refusal.code.as_str();
    let status = refusal.status.as_u16();
    // What a path or a message tells back could be a token that went into the wrong place.
    let reason = refusal.reason.as_deref().unwrap_or("");
    if refusal.status.is_server_error() || refusal.status == StatusCode::NOT_FOUND {
        info!(%peer, method, path, status, code, reason, "request not served");
    } else {
        warn!(%peer, method, path, status, code, reason, "request refused");
    }
}

/// Tells the history of a viewer that was not let in.
fn record_refusal(service: &Service, peer: Peer, path: &str, refusal: &Refusal) {
    let Some(id) = path.strip_prefix("/ws/terminal/") else {
        return;
    };
    let why = refusal.reason.as_deref().unwrap_or(refusal.code.as_str());
    let what = What::ViewerRefused {
        terminal: id.parse().ok(),
        peer: peer.origin(),
        status: refusal.status.as_u16(),
        why: why.to_owned(),
    };
    let recorder = service.services.store.recorder();
    recorder.record(Fact::at(Timestamp::now(), what));
}

/// A path as it may stand in the log: what is no id and has many hexadecimal digits could be (a part of) a token that went
/// into the wrong place.
fn loggable(path: &str) -> String {
    let segments = path.split('/');
    let loggable = segments.map(|segment| {
        let digits = segment.bytes().filter(u8::is_ascii_hexdigit).count();
        let is_id = segment.len() == 36 && segment.parse::<TerminalId>().is_ok();
        if digits < 16 || is_id { segment } else { "…" }
    });
    loggable.collect::<Vec<_>>().join("/")
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
    if head_bytes(request) > MAX_HEAD {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        let message = "the head of a request is at most 32 KiB long";
        return Err(Refusal::new(status, Code::BadRequest, message));
    }
    let allowed = service.registry.options().allowed_origins;
    // Where the target itself names a host, that one counts (RFC 9112, section 3.2.2).
    let target = request.uri().authority().map(Authority::as_str);
    let is_ours = network.site.is_host(headers, &allowed)
        && target.is_none_or(|target| network.site.is_authority(target, &allowed));
    if !is_ours {
        return Err(foreign_host(network, request, &allowed));
    }
    let origin = network.site.origin(headers, &allowed);
    if origin == OriginState::Foreign {
        let given = shown(headers, &header::ORIGIN);
        let host = guard::only(headers, &header::HOST).unwrap_or_default();
        let taken = network.site.origins(host, &allowed);
        return Err(Refusal::forbidden(
            "requests from this origin are not allowed; see remote.allowed_origins",
        )
        .because(format!("origin {given}, allowed are {taken}")));
    }
    let credential = guard::credential(headers, &network.auth, Instant::now());
    let path = request.uri().path();
    let public = path == "/health" || path == "/api/login" || !needs_token(path);
    if let Credential::None(missing) = credential
        && !public
    {
        return Err(Refusal::unauthorized().because(missing.reason()));
    }
    let reads =
        matches!(*request.method(), Method::GET | Method::HEAD) && !path.starts_with("/ws/");
    let may_lack_origin = credential == Credential::Bearer || reads || public;
    if origin == OriginState::Missing && !may_lack_origin {
        return Err(
            Refusal::forbidden("this request needs an Origin or a bearer token")
                .because("no origin beside a session"),
        );
    }
    Ok(credential)
}

/// How long the head of a request was on the wire, near enough.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let fields = request.headers().iter();
    let fields: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    let target = request.uri().path_and_query();
    fields + target.map_or(0, |target| target.as_str().len())
}

/// The refusal of a host that is not this listener's. Whoever opened the page under such a name is told what to do.
fn foreign_host(network: &Network, request: &Request<Incoming>, allowed: &[String]) -> Refusal {
    let hosts = network.site.hosts(allowed);
    let given = match request.uri().authority() {
        Some(target) => quoted(target.as_str()),
        None => shown(request.headers(), &header::HOST),
    };
    let url = network.site.url();
    let message = format!(
        "this host is not served here: open {url}, or write the address that you use into remote.allowed_origins, such \
         as [\"https://tundra.example.org\"]"
    );
    let refusal = Refusal::forbidden(message).because(format!("host {given}, allowed are {hosts}"));
    let wants_page = request.method() == Method::GET
        && !needs_token(request.uri().path())
        && guard::listed(request.headers(), header::ACCEPT)
            .any(|kind| kind.starts_with("text/html"));
    if wants_page {
        refusal.into_page()
    } else {
        refusal
    }
}

/// A header's value for the log.
fn shown(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| quoted(&String::from_utf8_lossy(value.as_bytes())))
        .collect();
    if values.is_empty() {
        return "none".to_owned();
    }
    values.join(" and ")
}

/// What a stranger gave, for the log: escaped, and not longer than a name can be.
fn quoted(given: &str) -> String {
    let short: String = given.chars().take(MAX_SHOWN).collect();
    format!("{short:?}")
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
    let is_socket = request.uri().path().starts_with("/ws/");
    let method = match *request.method() {
        Method::HEAD if !is_socket => Method::GET,
        ref method => method.clone(),
    };
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (segments.as_slice(), method) {
        (["health"], Method::GET) => Ok(text("ok")),
        (["api", "login"], Method::POST) => login::login(service, peer, credential, request).await,
        (["api", "logout"], Method::POST) => Ok(login::logout(service, request)),
        (["api", "terminals"], Method::GET) => operate(service, Operation::List).await,
        (["api", "terminals"], Method::POST) => terminals::open(service, peer, request).await,
        (["api", "terminals", ""], _) => Err(Refusal::not_found("there is nothing here")),
        (["api", "terminals", id], Method::GET) => {
            operate(service, Operation::Show(terminals::target(id)?)).await
        }
        (["api", "terminals", id], Method::DELETE) => {
            operate(service, Operation::Kill(terminals::target(id)?)).await
        }
        (["api", "terminals", id, "glimpse"], Method::GET) => {
            operate(service, Operation::Glimpse(terminals::target(id)?)).await
        }
        (["api", "terminals", id, "line"], Method::POST) => {
            terminals::type_line(service, id, request).await
        }
        (["api", "status"], Method::GET) => operate(service, Operation::Status).await,
        (["api", "push"], Method::GET) => push::key(service),
        (["api", "push"], Method::POST) => push::subscribe(service, request).await,
        (["api", "push"], Method::DELETE) => push::unsubscribe(service, request).await,
        (["api", "usage"], Method::GET) => {
            operate(service, query::usage(parameters(request.uri()))?).await
        }
        (["api", "history"], Method::GET) => {
            operate(service, query::history(parameters(request.uri()))?).await
        }
        (["api", "explain"], Method::GET) => explanation(request.uri()),
        (["api", "providers", name, "requests"], Method::GET) => {
            let name = percent_decode_str(name).decode_utf8_lossy();
            operate(service, Operation::Requests(ProfileName::from(&*name))).await
        }
        (["api", "providers", name, verb], Method::POST) if Verb::parse(verb).is_some() => {
            let command = steer::command(name, verb, request).await?;
            operate(service, Operation::Steer(command)).await
        }
        (["ws", "terminal", id], Method::GET) => socket::attach(service, peer, id, request).await,
        (_, Method::GET) if assets::exists(&path) => Ok(assets::answer(&path, request.headers())),
        (known, _) => Err(match allowed_methods(known, &path) {
            Some(allowed) => method_not_allowed(allowed),
            None => Refusal::not_found("there is nothing here"),
        }),
    }
}

/// Carries an operation out and answers what it tells; where that is nothing, without a body.
async fn operate(service: &Service, operation: Operation) -> Result<Answer, Refusal> {
    let performed = perform(&service.services, operation, By::Http).await?;
    Ok(match performed {
        Performed::Done(()) => bare(StatusCode::NO_CONTENT),
        performed => json(StatusCode::OK, &performed),
    })
}

/// What an error means: `of` is its text, its name or its code.
fn explanation(uri: &Uri) -> Result<Answer, Refusal> {
    let of = parameters(uri).find(|(name, _)| *name == "of");
    let (_, of) = of.ok_or_else(|| Refusal::bad_request("say which error with ?of=TEXT"))?;
    match explain::find(&of) {
        Found::One(entry) => Ok(json(StatusCode::OK, &ExplanationShape::from(entry))),
        Found::Near(_) | Found::Nothing => {
            Err(Refusal::not_found("nothing is known of this error"))
        }
    }
}

/// Names and values of an address's query; an empty value is none.
fn parameters(uri: &Uri) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (!value.is_empty()).then(|| (name, percent_decode_str(value).decode_utf8_lossy()))
    })
}

fn allowed_methods(segments: &[&str], path: &str) -> Option<&'static str> {
    match segments {
        ["api", "login" | "logout"] | ["api", "terminals", _, "line"] => Some("POST"),
        ["api", "providers", _, verb] if Verb::parse(verb).is_some() => Some("POST"),
        ["api", "terminals"] => Some("GET, POST"),
        ["api", "push"] => Some("GET, POST, DELETE"),
        ["api", "terminals", _] => Some("GET, DELETE"),
        ["health"]
        | ["api", "providers", _, "requests"]
        | ["api", "terminals", _, "glimpse"]
        | ["api", "status" | "usage" | "history" | "explain"]
        | ["ws", "terminal", _] => Some("GET"),
        _ if assets::exists(path) => Some("GET"),
        _ => None,
    }
}

fn method_not_allowed(allowed: &'static str) -> Refusal {
    let message = format!("only {allowed} is understood here");
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::BadRequest, message)
        .with(header::ALLOW, allowed)
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
