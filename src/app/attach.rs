//! `tundra attach`: this terminal as a viewer.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{AppError, Ending};
use crate::api::shapes::TerminalShape;
use crate::config::{Paths, Settings};
use crate::domain::id::TerminalId;
use crate::domain::terminal::{Fit, best_fits};
use crate::remote::client::{Command, ConnectionState, Endpoint, Event, Link, Target};
use crate::remote::{KnownRemotes, TransportError};
use crate::runtime::signals::Terminations;
use crate::tui::{self, Incoming, Outgoing, Viewing};

/// Steps of output or input that wait; a full channel slows the one who fills it.
const STEPS: usize = 64;

/// How long the goodbye to the instance may take.
const LEAVING: Duration = Duration::from_millis(500);

/// What `attach` is given.
pub struct Attach {
    pub target: Target,
    /// For an instance on the network.
    pub token: Option<String>,
    /// As given: an id, the beginning of one, or a name; None for the only one there is.
    pub terminal: Option<String>,
    pub read_only: bool,
    pub settings: Settings,
}

/// How an attach ended, and what the program in the terminal ended with, if it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    pub ending: Ending,
    /// Told to the user once the terminal is restored.
    pub note: Option<String>,
}

/// The certificates that the user has said yes to.
#[must_use]
pub fn known_remotes(paths: &Paths) -> KnownRemotes {
    KnownRemotes::in_folder(&paths.state)
}

/// Attaches this terminal to a pane until its user leaves.
///
/// # Errors
/// [`AppError::Transport`] when there is no way to the pane.
pub fn attach(attach: Attach) -> Result<Attached, AppError> {
    tui::install_panic_hook();
    runtime()?.block_on(Box::pin(run(attach)))
}

/// Finds out whether an instance is at a target.
///
/// # Errors
/// [`AppError::Transport`] when there is none, or its certificate is not trusted yet.
pub fn reach(target: &Target) -> Result<(), AppError> {
    let endpoint = Endpoint::new(target.clone(), None);
    Ok(runtime()?.block_on(endpoint.probe())?)
}

fn runtime() -> Result<tokio::runtime::Runtime, AppError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AppError::Runtime)
}

async fn run(attach: Attach) -> Result<Attached, AppError> {
    let mut endpoint = Endpoint::new(attach.target, attach.token);
    endpoint.login().await?;
    let terminals = endpoint.terminals().await?;
    let chosen = choose(&terminals, attach.terminal.as_deref())?;
    if std::env::var("TUNDRA_TERMINAL_ID").is_ok_and(|own| own == chosen.id) {
        let message = "this terminal would show itself: attach from another one";
        return Err(AppError::NoTerminal(message.to_owned()));
    }
    let (commands, for_link) = mpsc::channel(STEPS);
    let (events, from_link) = mpsc::channel(STEPS);
    let link = Link::new(
        endpoint,
        chosen.id.clone(),
        attach.read_only,
        for_link,
        events,
    );
    let mut linking = std::pin::pin!(link.run());
    let mut from_link = from_link;
    // The terminal is left alone until there is something to show on it.
    let first = tokio::select! {
        ended = &mut linking => return Err(ended.err().unwrap_or_else(gone).into()),
        first = connected(&mut from_link) => first,
    };
    let terminations = Terminations::catch().map_err(AppError::Runtime)?;
    let terminal = tui::Terminal::stdio()?;
    let (shows, incoming) = mpsc::channel(STEPS);
    let (outgoing, does) = mpsc::channel(STEPS);
    let viewing = Viewing {
        settings: attach.settings,
        name: chosen.name.clone(),
        read_only: attach.read_only,
        incoming,
        outgoing,
        terminations,
    };
    let mut note = None;
    let mut failure = None;
    let mut link_ended = false;
    let ending = {
        let viewed = Box::pin(tui::view(terminal, viewing));
        let passing = pass_in(first, from_link, shows, &mut note);
        let doing = pass_out(does, commands);
        tokio::pin!(viewed, passing, doing);
        let mut linked = false;
        loop {
            tokio::select! {
                ending = &mut viewed => break ending?,
                () = &mut passing, if !linked => linked = true,
                ended = &mut linking, if !linked => {
                    failure = ended.err();
                    link_ended = true;
                    linked = true;
                    // What was told before the end is still shown.
                    (&mut passing).await;
                }
                () = &mut doing => {}
            }
        }
    };
    if !link_ended {
        // The instance is told that this viewer leaves, and does not wait for it to come back.
        let _ = timeout(LEAVING, &mut linking).await;
    }
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(Attached {
            ending: match ending {
                tui::Ending::Quit => Ending::Quit,
                tui::Ending::Signal(signal) => Ending::Signal(signal),
            },
            note,
        }),
    }
}

/// Waits for the first connection; what is told meanwhile is not lost.
async fn connected(events: &mut mpsc::Receiver<Event>) -> Vec<Event> {
    let mut told = Vec::new();
    while let Some(event) = events.recv().await {
        let is_it = event == Event::State(ConnectionState::Connected);
        told.push(event);
        if is_it {
            break;
        }
    }
    told
}

async fn pass_in(
    first: Vec<Event>,
    mut events: mpsc::Receiver<Event>,
    shows: mpsc::Sender<Incoming>,
    note: &mut Option<String>,
) {
    let mut first = first.into_iter();
    loop {
        let event = match first.next() {
            Some(event) => event,
            None => match events.recv().await {
                Some(event) => event,
                None => return,
            },
        };
        let incoming = match event {
            Event::State(state) => Incoming::State(
                match state {
                    ConnectionState::Connecting => "connecting",
                    ConnectionState::Connected => "connected",
                    ConnectionState::Lost => "connection lost, trying again",
                }
                .to_owned(),
            ),
            Event::Snapshot { size, bytes } => Incoming::Snapshot {
                size,
                bytes: bytes.to_vec(),
            },
            Event::Output(bytes) => Incoming::Output(bytes.to_vec()),
            Event::Role { writer, other } => Incoming::Role {
                writer,
                other: other.map(|other| match other {
                    "front" => "its own user".to_owned(),
                    other => format!("another {other}"),
                }),
            },
            Event::Dropped => {
                Incoming::Told("no room for more keys: the last was dropped".to_owned())
            }
            Event::NotTyped { .. } => Incoming::Told(
                "another one writes by now: what was typed meanwhile was not sent".to_owned(),
            ),
            Event::TooLong => Incoming::Told("a paste of more than 1 MiB was not sent".to_owned()),
            Event::Unread => {
                Incoming::Told("the program does not read: input was dropped".to_owned())
            }
            Event::Exit { code, signal } => {
                *note = Some(match (code, signal) {
                    (Some(code), _) => format!("the program ended with exit code {code}"),
                    (None, Some(signal)) => format!("the program ended by signal {signal}"),
                    (None, None) => "the program ended".to_owned(),
                });
                Incoming::Ended
            }
        };
        if shows.send(incoming).await.is_err() {
            return;
        }
    }
}

async fn pass_out(mut does: mpsc::Receiver<Outgoing>, commands: mpsc::Sender<Command>) {
    while let Some(outgoing) = does.recv().await {
        let command = match outgoing {
            Outgoing::Input(bytes) => Command::Input(bytes),
            Outgoing::Paste(text) => Command::Paste(text),
            Outgoing::Key(key) => Command::Key(key),
            Outgoing::Resize(size) => Command::Resize(size),
            Outgoing::Take => Command::Take,
        };
        if commands.send(command).await.is_err() {
            break;
        }
    }
    std::future::pending::<()>().await;
}

fn gone() -> TransportError {
    TransportError::Network("the terminal has ended".to_owned())
}

/// The terminal that was asked for, by the rules of every command.
fn choose<'t>(
    terminals: &'t [TerminalShape],
    given: Option<&str>,
) -> Result<&'t TerminalShape, AppError> {
    let candidates = match given {
        Some(given) => best_fits(terminals, |one| Fit {
            is_named: one.name == given,
            is_prefixed: !given.is_empty()
                && one
                    .id
                    .parse()
                    .is_ok_and(|id: TerminalId| id.starts_with(given)),
            lives: one.status != "dead",
        }),
        None => terminals.iter().collect(),
    };
    let living: Vec<&TerminalShape> = candidates
        .iter()
        .copied()
        .filter(|one| one.status != "dead")
        .collect();
    let message = match (living.as_slice(), given) {
        ([only], _) => return Ok(only),
        ([], Some(given)) if candidates.is_empty() => format!("pty handle not found: {given}"),
        ([], Some(given)) => format!("terminal is dead: {given}"),
        ([], None) => "there is no terminal: open one with `tundra new`".to_owned(),
        (several, Some(given)) => {
            format!("{given:?} fits several terminals: {}", names(several))
        }
        (several, None) => format!("there are several terminals, name one: {}", names(several)),
    };
    Err(AppError::NoTerminal(message))
}

fn names(of: &[&TerminalShape]) -> String {
    let names: Vec<&str> = of.iter().map(|one| one.name.as_str()).collect();
    names.join(", ")
}
