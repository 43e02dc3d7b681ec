//! `/ws/terminal/{id}`: the opening handshake.

use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::{Request, StatusCode, Version};
use hyper::body::Incoming;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tracing::info;

use super::terminals::find;
use crate::domain::code::Code;
use crate::domain::id::TerminalId;
use crate::domain::terminal::Status;
use crate::domain::writer::Access;
use crate::remote::answer::{Answer, Refusal, bare};
use crate::remote::guard;
use crate::remote::protocol::PROTOCOL;
use crate::remote::service::{Peer, REQUEST_TIMEOUT, Service};
use crate::remote::session::{self, Mode, ViewerContext, plain};
use crate::remote::viewer_socket::{ViewerSocket, Wire};
use crate::remote::write_timeout::Upgraded;

/// Opens a socket at a terminal.
pub(super) async fn attach(
    service: &Arc<Service>,
    peer: Peer,
    id: &str,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    if id.parse::<TerminalId>().is_err() {
        // Not told back: whatever it is could be a token that went into the wrong place.
        return Err(Refusal::bad_request("a terminal's id is a UUID"));
    }
    let pane = find(service, id)?;
    let gone = || {
        Refusal::new(
            StatusCode::GONE,
            Code::Gone,
            format!("terminal is dead: {id}"),
        )
    };
    if pane.info().status == Status::Dead {
        return Err(gone());
    }
    let accept = accept_key(request)?;
    let mode = offered_mode(request);
    let permit = service
        .registry
        .admit()
        .map_err(Refusal::too_many_viewers)?;
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
    let viewer = ViewerContext::new(service, pane, permit, access, peer);
    let attachment = match mode {
        Mode::Plain => Some(plain::attach(&viewer).await.ok_or_else(gone)?),
        Mode::V1 => None,
    };
    if let Some(upgraded) = request.extensions().get::<Upgraded>() {
        upgraded.set();
    }
    let upgrade = hyper::upgrade::on(request);
    service.registry.tasks().spawn("session", async move {
        // Nothing is said about a client that vanished between request and answer.
        let Ok(Ok(upgraded)) = timeout(REQUEST_TIMEOUT, upgrade).await else {
            if let Some(attachment) = attachment {
                plain::give_up(&viewer, attachment);
            }
            return;
        };
        let (wire, read) = Wire::of(upgraded);
        let socket = ViewerSocket::new(wire, &read);
        Box::pin(session::serve(socket, viewer, attachment)).await;
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
    if request.version() < Version::HTTP_11 {
        return Err(Refusal::bad_request("a WebSocket needs HTTP/1.1"));
    }
    let headers = request.headers();
    let names = |name, token: &str| {
        guard::listed(headers, name).any(|value| value.eq_ignore_ascii_case(token))
    };
    if !names(header::CONNECTION, "upgrade") || !names(header::UPGRADE, "websocket") {
        let message = "this route takes a WebSocket";
        let status = StatusCode::UPGRADE_REQUIRED;
        let refusal = Refusal::new(status, Code::BadRequest, message);
        return Err(refusal.with(header::UPGRADE, "websocket"));
    }
    if guard::only(headers, &header::SEC_WEBSOCKET_VERSION) != Some("13") {
        let refusal = Refusal::bad_request("Sec-WebSocket-Version must be 13");
        return Err(refusal.with(header::SEC_WEBSOCKET_VERSION, "13"));
    }
    guard::only(headers, &header::SEC_WEBSOCKET_KEY)
        .filter(|key| key.len() == 24)
        .and_then(|key| derive_accept_key(key.as_bytes()).parse().ok())
        .ok_or_else(|| Refusal::bad_request("Sec-WebSocket-Key is missing or malformed"))
}

/// The mode that the client's subprotocols ask for; one that offers only others gets the plain one, unnamed.
fn offered_mode(request: &Request<Incoming>) -> Mode {
    let mut offers = guard::listed(request.headers(), header::SEC_WEBSOCKET_PROTOCOL);
    if offers.any(|name| name == PROTOCOL) {
        Mode::V1
    } else {
        Mode::Plain
    }
}
