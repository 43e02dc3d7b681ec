//! What each request does.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use super::{Services, line, providers};
use crate::control::pattern;
use crate::control::protocol::{InputPart, Reply, Request, WaitCondition, WaitOutcome};
use crate::control::shapes::{
    self, ErrorShape, GatewayShape, RowStyle, ScreenShape, StatusShape, TerminalShape,
};
use crate::domain::agent::{AgentKind, AgentState};
use crate::domain::chord::Chord;
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::domain::terminal::{self, Owner, Status, TerminalSpec};
use crate::pane::{PaneError, PaneHandle, WaitFor};

/// A wait of no time still looks once, which takes a round trip to the pane.
const ONE_LOOK: Duration = Duration::from_millis(200);

/// Does what a request asks and gives the line that answers it.
pub(super) async fn answer(services: &Services, request: Request) -> Vec<u8> {
    match request {
        Request::List => {
            let terminals = services.pool.list();
            let shapes: Vec<_> = terminals.iter().map(TerminalShape::from).collect();
            line(&Reply::Ok(shapes))
        }
        Request::Url { id } => reply(url(services, id.as_deref())),
        Request::Status => line(&Reply::Ok(status(services))),
        Request::Providers => line(&Reply::Ok(shapes::providers(&services.providers.status()))),
        Request::Provider { command } => reply(providers::command(services, command).await),
        // Answered by its connection, line after line.
        Request::Ask { .. } => bad_request("a prompt has an answer of its own".to_owned()),
        Request::Open {
            name,
            command,
            cwd,
            env,
            cols,
            rows,
            persistent,
            agent,
        } => {
            let agent = match agent.map(|kind| kind.parse::<AgentKind>()).transpose() {
                Ok(agent) => agent,
                Err(error) => return bad_request(error.to_string()),
            };
            if let Some(Err(error)) = name.as_deref().map(check_name) {
                return reply::<(), _>(Err(error));
            }
            let size = match Size::asked(cols.into(), rows.into()) {
                Ok(size) => size,
                Err(error) => return bad_request(error.to_string()),
            };
            let spec = TerminalSpec {
                name,
                command,
                cwd: cwd.map(PathBuf::from),
                env,
                size,
                persistent,
                agent,
                owner: Owner::Local,
            };
            let opened = services.pool.open(spec).await;
            reply(opened.map(|pane| TerminalShape::from(&pane.info())))
        }
        Request::Input { id, parts } => reply(input(services, &id, parts)),
        Request::Capture {
            id,
            scrollback,
            ansi,
        } => reply(capture(services, &id, scrollback, ansi).await),
        Request::Resize { id, cols, rows } => match Size::asked(cols.into(), rows.into()) {
            Ok(size) => reply(resize(services, &id, size).await),
            Err(error) => bad_request(error.to_string()),
        },
        Request::Rename { id, name } => reply(rename(services, &id, &name)),
        Request::Kill { id } => reply(kill(services, &id).await),
        Request::Wait {
            id,
            until,
            timeout_ms,
        } => reply(wait(services, &id, until, Duration::from_millis(timeout_ms)).await),
    }
}

fn reply<T: serde::Serialize, E: Into<ErrorShape>>(result: Result<T, E>) -> Vec<u8> {
    line(&match result {
        Ok(value) => Reply::Ok(value),
        Err(error) => Reply::Error(error.into()),
    })
}

fn bad_request(message: String) -> Vec<u8> {
    line(&Reply::<()>::Error(ErrorShape::new("bad_request", message)))
}

pub(super) fn status(services: &Services) -> StatusShape {
    let facts = &services.facts;
    let providers = services.providers.status();
    StatusShape {
        version: facts.version.clone(),
        pid: facts.pid,
        started_at: facts.started_at,
        pool: services.pool.gauge().into(),
        remote: services.remote.as_ref().and_then(|remote| remote.shape()),
        gateway: GatewayShape::of(&providers),
        providers: shapes::providers(&providers),
        control_socket: facts.control_socket.to_string_lossy().into_owned(),
        log_file: facts.log_file.to_string_lossy().into_owned(),
        config_file: facts.config_file.to_string_lossy().into_owned(),
    }
}

fn url(services: &Services, id: Option<&str>) -> Result<String, ErrorShape> {
    let terminal = match id {
        Some(id) => Some(living(services, id)?.id()),
        None => None,
    };
    match &services.remote {
        Some(remote) => remote.url(terminal),
        None => Err(ErrorShape::new(
            "unavailable",
            "this instance has no listener for browsers",
        )),
    }
}

fn living(services: &Services, id: &str) -> Result<PaneHandle, PaneError> {
    let pane = services.pool.find(id)?;
    match pane.info().status {
        Status::Active | Status::Disconnected => Ok(pane),
        Status::Dead => Err(PaneError::Dead(pane.id())),
    }
}

fn input(services: &Services, id: &str, parts: Vec<InputPart>) -> Result<(), ErrorShape> {
    let pane = services.pool.find(id)?;
    let inputs = parts.into_iter().map(|part| {
        Ok(match part {
            InputPart::Text(text) => Input::Text(text),
            InputPart::Paste(text) => Input::Paste(text),
            InputPart::Key(name) => {
                let chord: Chord =
                    name.parse()
                        .map_err(|error: crate::domain::chord::ParseChordError| {
                            ErrorShape::new("bad_request", error.to_string())
                        })?;
                Input::Key(chord.event())
            }
        })
    });
    // All are read before the first is typed, so that a wrong one leaves nothing half done.
    for input in inputs.collect::<Result<Vec<_>, ErrorShape>>()? {
        pane.try_input(input)?;
    }
    Ok(())
}

async fn capture(
    services: &Services,
    id: &str,
    scrollback: bool,
    ansi: bool,
) -> Result<ScreenShape, PaneError> {
    let pane = services.pool.find(id)?;
    let capture = pane.capture(scrollback).await?;
    let style = if ansi {
        RowStyle::Ansi
    } else {
        RowStyle::Plain
    };
    Ok(ScreenShape::new(
        pane.id().to_string(),
        &capture,
        scrollback,
        style,
    ))
}

/// Answers only once the size is in force, so that a capture or a list after it cannot show the old one.
async fn resize(services: &Services, id: &str, size: Size) -> Result<(), PaneError> {
    let pane = living(services, id)?;
    pane.resize(size);
    pane.settled().await;
    Ok(())
}

fn rename(services: &Services, id: &str, name: &str) -> Result<(), ErrorShape> {
    let pane = services.pool.find(id)?;
    check_name(name)?;
    pane.rename(name);
    Ok(())
}

fn check_name(name: &str) -> Result<(), ErrorShape> {
    terminal::check_name(name).map_err(|error| ErrorShape::new("bad_request", error.to_string()))
}

async fn kill(services: &Services, id: &str) -> Result<(), PaneError> {
    let pane = services.pool.find(id)?;
    pane.kill();
    pane.wait_session_gone().await;
    Ok(())
}

async fn wait(
    services: &Services,
    id: &str,
    until: WaitCondition,
    limit: Duration,
) -> Result<WaitOutcome, ErrorShape> {
    let pane = services.pool.find(id)?;
    let what = match until {
        WaitCondition::Text(text) => WaitFor::Text(
            pattern::compile(&text)
                .map_err(|error| ErrorShape::new("bad_request", error.to_string()))?,
        ),
        WaitCondition::Exit => WaitFor::Exit,
        WaitCondition::State(name) => match state(&name)? {
            StateName::Agent(state) => WaitFor::State(state),
            StateName::Status(status) => WaitFor::Status(status),
        },
    };
    Ok(match timeout(limit.max(ONE_LOOK), pane.wait(what)).await {
        Ok(true) => WaitOutcome::Holds,
        Ok(false) => WaitOutcome::Ended,
        Err(_) => WaitOutcome::TimedOut,
    })
}

enum StateName {
    Agent(AgentState),
    Status(Status),
}

fn state(name: &str) -> Result<StateName, ErrorShape> {
    let agent = AgentState::ALL
        .into_iter()
        .find(|state| state.name() == name);
    let status = [Status::Active, Status::Disconnected, Status::Dead]
        .into_iter()
        .find(|status| status.name() == name);
    match (agent, status) {
        (Some(state), _) => Ok(StateName::Agent(state)),
        (None, Some(status)) => Ok(StateName::Status(status)),
        (None, None) => {
            let message = format!(
                "{name:?} is not a state: use active, disconnected, dead, unknown, working, waiting, done or idle"
            );
            Err(ErrorShape::new("bad_request", message))
        }
    }
}
