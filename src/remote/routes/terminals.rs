//! `/api/terminals`: what a request for a new terminal may hold, and how a path names one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use http::header::{self, HeaderValue};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use tracing::info;

use super::body;
use crate::api::{self, Operation, Target, Typed, perform};
use crate::domain::chord::Chord;
use crate::domain::id::TerminalId;
use crate::domain::input::{KeyCode, Mods};
use crate::domain::route::By;
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalSpec, check_name};
use crate::pane::PaneHandle;
use crate::remote::answer::{Answer, Refusal, bare, json};
use crate::remote::service::{Peer, Service};

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a string or an array of strings")]
enum Words {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Open {
    command: Option<Words>,
    args: Option<Vec<String>>,
    cwd: Option<PathBuf>,
    env: Option<BTreeMap<String, String>>,
    cols: Option<u32>,
    rows: Option<u32>,
    name: Option<String>,
    persistent: Option<bool>,
    agent: Option<String>,
}

/// Opens a terminal, which ends after the grace unless somebody attaches.
pub(super) async fn open(
    service: &Service,
    peer: Peer,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    let spec = spec(body::json(request).await?)?;
    let opened = perform(&service.services, Operation::Open(spec), By::Http).await?;
    let mut answer = json(StatusCode::CREATED, &opened);
    if let api::Answer::Terminal(terminal) = opened {
        let id = &terminal.id;
        info!(id, %peer, "terminal opened on request");
        service.registry.end_after_grace(&find(service, id)?);
        if let Ok(location) = HeaderValue::from_str(&format!("/api/terminals/{id}")) {
            answer.headers_mut().insert(header::LOCATION, location);
        }
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
    let args = open.args.unwrap_or_default();
    let env = open.env.unwrap_or_default();
    if command.is_empty() && !args.is_empty() {
        return bad("args needs a command");
    }
    command.extend(args);
    if command.iter().any(|word| word.contains('\0')) {
        return bad("command and args must not hold a NUL");
    }
    let odd_name = |name: &str| name.is_empty() || name.contains(['=', '\0']);
    if env
        .iter()
        .any(|(name, value)| odd_name(name) || value.contains('\0'))
    {
        return bad("env must hold variables and their values");
    }
    if let Some(Err(error)) = open.name.as_deref().map(check_name) {
        return bad(&format!("name: {error}"));
    }
    let default = Size::DEFAULT;
    let size = Size::asked(
        open.cols.unwrap_or(default.cols().into()),
        open.rows.unwrap_or(default.rows().into()),
    );
    let size = match size {
        Ok(size) => size,
        Err(error) => return bad(&error.to_string()),
    };
    Ok(TerminalSpec {
        confine: None,
        resume: false,
        budget: crate::domain::budget::Budget::default(),
        name: open.name,
        command,
        cwd: open.cwd,
        env: env.into_iter().collect(),
        size,
        persistent: open.persistent.unwrap_or(false),
        agent: open.agent.map(Into::into),
        gateway: true,
        owner: Owner::Remote,
    })
}

/// A line, as a person would type it.
#[derive(Deserialize)]
struct Line {
    text: String,
}

/// Types a line and Enter into a terminal, as `tundra send --enter` does.
pub(super) async fn type_line(
    service: &Service,
    id: &str,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    let target = target(id)?;
    let Line { text } = body::json(request).await?;
    if text.contains(char::is_control) {
        return Err(Refusal::bad_request(
            "text must be one line without control characters",
        ));
    }
    let enter = Chord::new(KeyCode::Enter, Mods::NONE);
    let parts = [Typed::Text(text), Typed::Key(enter)];
    let parts = parts
        .into_iter()
        .filter(|part| *part != Typed::Text(String::new()))
        .collect();
    perform(
        &service.services,
        Operation::Type { target, parts },
        By::Http,
    )
    .await?;
    Ok(bare(StatusCode::NO_CONTENT))
}

/// The terminal that a path names. Only an id with hyphens does, so that each has one address.
pub(super) fn target(text: &str) -> Result<Target, Refusal> {
    let id = text.parse::<TerminalId>().ok().filter(|_| text.len() == 36);
    id.map(Target::Id)
        .ok_or_else(|| Refusal::not_found(format!("pty handle not found: {text}")))
}

/// The terminal, living or dead, that a path names.
pub(super) fn find(service: &Service, text: &str) -> Result<PaneHandle, Refusal> {
    Ok(api::find(&service.services, &target(text)?)?)
}
