//! `/api/terminals`: what a request for a new terminal may hold, and how a path names one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use http::header::{self, HeaderValue};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use tracing::info;

use super::body;
use crate::control::shapes::TerminalShape;
use crate::domain::agent::AgentKind;
use crate::domain::id::TerminalId;
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalSpec};
use crate::pane::PaneHandle;
use crate::remote::answer::{Answer, Refusal, json};
use crate::remote::server::{Peer, Service};

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

/// Opens a terminal, which ends after the grace unless somebody attaches.
pub(super) async fn open(
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

fn terminal_id(text: &str) -> Result<TerminalId, Refusal> {
    // Only the form with hyphens names a terminal, so that each has one address.
    let id = text.parse::<TerminalId>().ok().filter(|_| text.len() == 36);
    id.ok_or_else(|| Refusal::bad_request(format!("not a UUID: {text}")))
}

/// The terminal, living or dead, that a path names.
pub(super) fn find(service: &Service, text: &str) -> Result<PaneHandle, Refusal> {
    let id = terminal_id(text)?;
    let missing = || Refusal::not_found(format!("pty handle not found: {text}"));
    service.pool.get(id).ok_or_else(missing)
}
