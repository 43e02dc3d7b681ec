//! Asks the running instance, without a runtime: a command does one thing and is gone within milliseconds.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::error::ControlError;
use super::instance::Holder;
use super::protocol::{
    AskPart, InputPart, MAX_REQUEST, ProviderCommand, Reply, Request, WaitCondition, WaitOutcome,
    WirePath,
};
use super::shapes::{
    DoneShape, ErrorShape, ProviderShape, ScreenShape, StatusShape, TerminalShape,
};
use super::socket;
use crate::config::Paths;
use crate::domain::agent::AgentKind;
use crate::domain::chord::Chord;
use crate::domain::size::Size;

/// Longer than any answer takes that waits for nothing.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A connection to the running instance.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

/// What to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTerminal {
    pub name: Option<String>,
    /// Empty for the configured shell, or the agent's binary.
    pub command: Vec<String>,
    /// None for the instance's own folder.
    pub cwd: Option<PathBuf>,
    pub env: Vec<(String, String)>,
    pub size: Size,
    pub persistent: bool,
    pub agent: Option<AgentKind>,
}

/// Something to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    Text(String),
    Paste(String),
    Key(Chord),
}

/// What to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// A regular expression that the text of screen and history matches.
    Text(String),
    Exit,
    /// The name of an agent's state or a terminal's status.
    State(String),
}

/// How a wait came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Holds,
    TimedOut,
    /// The terminal ended, so that it will never hold.
    Never,
}

impl Client {
    /// Connects to the instance of a home.
    pub fn connect(paths: &Paths) -> Result<Self, ControlError> {
        let path = paths.control_socket();
        let stream = socket::connect(&path).or_else(|error| {
            // The instance may have been started where XDG_RUNTIME_DIR names another folder.
            match Holder::read(&paths.lock_file()) {
                Some(holder) if absent(&error) && holder.socket != path => {
                    socket::connect(&holder.socket)
                }
                _ => Err(error),
            }
        });
        match stream {
            Ok(stream) => Ok(Self {
                stream: BufReader::new(stream),
            }),
            Err(error) if absent(&error) => Err(ControlError::NoInstance),
            Err(error) => Err(ControlError::Ipc(format!("{}: {error}", path.display()))),
        }
    }

    /// Every terminal that lives or ended within the last minute, oldest first.
    pub fn list(&mut self) -> Result<Vec<TerminalShape>, ControlError> {
        self.ask(&Request::List, Some(ANSWER_WITHIN))
    }

    pub fn open(&mut self, new: NewTerminal) -> Result<TerminalShape, ControlError> {
        let request = Request::Open {
            name: new.name,
            command: new.command,
            cwd: new.cwd.map(WirePath::from),
            env: new.env,
            cols: new.size.cols(),
            rows: new.size.rows(),
            persistent: new.persistent,
            agent: new.agent.map(|kind| kind.name().to_owned()),
        };
        self.ask(&request, Some(ANSWER_WITHIN))
    }

    /// Types one thing after the other.
    pub fn send(&mut self, id: &str, parts: Vec<Typed>) -> Result<(), ControlError> {
        let parts = parts.into_iter().map(|part| match part {
            Typed::Text(text) => InputPart::Text(text),
            Typed::Paste(text) => InputPart::Paste(text),
            Typed::Key(chord) => InputPart::Key(chord.to_string()),
        });
        let request = Request::Input {
            id: id.to_owned(),
            parts: parts.collect(),
        };
        self.ask(&request, Some(ANSWER_WITHIN))
    }

    pub fn capture(
        &mut self,
        id: &str,
        scrollback: bool,
        ansi: bool,
    ) -> Result<ScreenShape, ControlError> {
        let request = Request::Capture {
            id: id.to_owned(),
            scrollback,
            ansi,
        };
        self.ask(&request, Some(ANSWER_WITHIN))
    }

    pub fn resize(&mut self, id: &str, size: Size) -> Result<(), ControlError> {
        let request = Request::Resize {
            id: id.to_owned(),
            cols: size.cols(),
            rows: size.rows(),
        };
        self.ask(&request, Some(ANSWER_WITHIN))
    }

    pub fn rename(&mut self, id: &str, name: &str) -> Result<(), ControlError> {
        let request = Request::Rename {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        self.ask(&request, Some(ANSWER_WITHIN))
    }

    /// Ends a terminal and waits until it is dead and reaped, which takes up to the configured grace.
    pub fn kill(&mut self, id: &str) -> Result<(), ControlError> {
        self.ask(&Request::Kill { id: id.to_owned() }, None)
    }

    pub fn wait(
        &mut self,
        id: &str,
        until: Until,
        timeout: Duration,
    ) -> Result<Ended, ControlError> {
        let request = Request::Wait {
            id: id.to_owned(),
            until: match until {
                Until::Text(pattern) => WaitCondition::Text(pattern),
                Until::Exit => WaitCondition::Exit,
                Until::State(name) => WaitCondition::State(name),
            },
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        };
        let outcome = self.ask(&request, timeout.checked_add(ANSWER_WITHIN))?;
        Ok(match outcome {
            WaitOutcome::Holds => Ended::Holds,
            WaitOutcome::TimedOut => Ended::TimedOut,
            WaitOutcome::Ended => Ended::Never,
        })
    }

    pub fn status(&mut self) -> Result<StatusShape, ControlError> {
        self.ask(&Request::Status, Some(ANSWER_WITHIN))
    }

    /// The address for a browser, with a token that is good for one login.
    pub fn url(&mut self, id: Option<&str>) -> Result<String, ControlError> {
        let request = Request::Url {
            id: id.map(str::to_owned),
        };
        self.ask(&request, Some(ANSWER_WITHIN))
    }

    /// Every provider, in the order in which they are asked.
    pub fn providers(&mut self) -> Result<Vec<ProviderShape>, ControlError> {
        self.ask(&Request::Providers, Some(ANSWER_WITHIN))
    }

    /// Steers a provider; the restart of one whose server tundra runs waits until that takes requests.
    pub fn steer(&mut self, command: ProviderCommand) -> Result<DoneShape, ControlError> {
        let within = match command {
            ProviderCommand::Restart(_) => None,
            _ => Some(ANSWER_WITHIN),
        };
        self.ask(&Request::Provider { command }, within)
    }

    /// Sends a prompt; the answer is read piece by piece.
    pub fn prompt(
        mut self,
        prompt: String,
        model: Option<String>,
        profile: Option<String>,
    ) -> Result<AskAnswer, ControlError> {
        let request = Request::Ask {
            prompt,
            model,
            profile,
        };
        // An instance that refuses before it has read everything says why in its answer.
        let _ = self.send_request(&request, None)?;
        Ok(AskAnswer {
            client: self,
            over: false,
        })
    }

    fn ask<T: DeserializeOwned>(
        &mut self,
        request: &Request,
        within: Option<Duration>,
    ) -> Result<T, ControlError> {
        // An instance that refuses before it has read everything has said why.
        let written = self.send_request(request, within)?;
        self.receive(written)
    }

    /// Ready to receive; the inner result tells whether all of it was taken.
    fn send_request(
        &mut self,
        request: &Request,
        within: Option<Duration>,
    ) -> Result<io::Result<()>, ControlError> {
        let mut line = serde_json::to_vec(request).map_err(io::Error::other)?;
        line.push(b'\n');
        if line.len() > MAX_REQUEST {
            let message = format!("{} bytes are too many for one request", line.len());
            return Err(ControlError::Refused(ErrorShape::new(
                "bad_request",
                message,
            )));
        }
        let stream = self.stream.get_mut();
        stream.set_read_timeout(within)?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        Ok(stream.write_all(&line))
    }

    fn receive<T: DeserializeOwned>(&mut self, written: io::Result<()>) -> Result<T, ControlError> {
        let mut answer = Vec::new();
        self.stream.read_until(b'\n', &mut answer)?;
        if answer.is_empty() {
            written?;
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match serde_json::from_slice(&answer) {
            Ok(Reply::Ok(value)) => Ok(value),
            Ok(Reply::Error(error)) => Err(ControlError::Refused(error)),
            Err(error) => Err(ControlError::Ipc(format!(
                "the running tundra gave an answer that this one cannot read: {error}"
            ))),
        }
    }
}

/// The answer to a prompt, as it comes.
#[derive(Debug)]
pub struct AskAnswer {
    client: Client,
    over: bool,
}

impl Iterator for AskAnswer {
    type Item = Result<String, ControlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        match self.client.receive(Ok(())) {
            Ok(AskPart::Text(text)) => Some(Ok(text)),
            Ok(AskPart::End { .. }) => {
                self.over = true;
                None
            }
            Err(error) => {
                self.over = true;
                Some(Err(error))
            }
        }
    }
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory
    )
}
