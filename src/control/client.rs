//! Asks the running instance, without a runtime: a command does one thing and is gone within milliseconds.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::PidfdFlags;
use serde::de::DeserializeOwned;

use super::error::ControlError;
use super::instance::Holder;
use super::protocol::{AskPart, MAX_REQUEST, Reply, Request};
use crate::api::shapes::{
    AdapterShape, BudgetShape, ChangeShape, CommitShape, DoneShape, ErrorShape, LogFilterShape,
    ProviderShape, RowStyle, ScreenShape, ShippedShape, StatusShape, StoreShape, TerminalShape,
    UpgradeShape,
};
use crate::api::{BudgetChange, Condition, Prompt, Typed, WaitOutcome};
use crate::config::Paths;
use crate::domain::code::Code;
use crate::domain::route::{RouterCommand, Verb};
use crate::domain::size::Size;
use crate::domain::terminal::TerminalSpec;
use crate::runtime::dial;
use crate::runtime::encoded_path::EncodedPath;

/// Longer than any answer takes that waits for nothing.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// How long a process that has closed its connections may take to be gone.
const GONE_WITHIN: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

/// A connection to the running instance.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    /// For an answer that waits for nothing.
    patience: Duration,
}

impl Client {
    /// Connects to the instance of a home.
    ///
    /// # Errors
    /// [`ControlError::NoInstance`] where nobody listens; [`ControlError::Ipc`] where the socket cannot be opened.
    pub fn connect(paths: &Paths) -> Result<Self, ControlError> {
        Ok(Self {
            stream: BufReader::new(connect(paths)?),
            patience: ANSWER_WITHIN,
        })
    }

    /// Waits no longer than this for an answer that waits for nothing.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Every terminal that lives or ended within the last minute, oldest first.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn list(&mut self) -> Result<Vec<TerminalShape>, ControlError> {
        self.ask(&Request::List, Some(self.patience))
    }

    /// Opens a terminal; whoever opens one from here owns it locally.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn open(&mut self, spec: TerminalSpec) -> Result<TerminalShape, ControlError> {
        let request = Request::Open {
            name: spec.name,
            command: spec.command,
            cwd: spec.cwd.map(EncodedPath::from),
            env: spec.env,
            cols: spec.size.cols(),
            rows: spec.size.rows(),
            persistent: spec.persistent,
            agent: spec.agent.map(|name| name.to_string()),
            budget_nanodollars: spec.budget.nanodollars,
            budget_tokens: spec.budget.tokens,
            gateway: spec.gateway,
            confine: spec.confine == Some(true),
        };
        self.ask(&request, Some(self.patience))
    }

    /// Every agent there is, as the instance would start it.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn agents(&mut self) -> Result<Vec<AdapterShape>, ControlError> {
        self.ask(&Request::Agents, Some(self.patience))
    }

    /// Changes a terminal's budget where a change is given, and tells it; null without one.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn budget(
        &mut self,
        id: &str,
        change: Option<BudgetChange>,
    ) -> Result<Option<BudgetShape>, ControlError> {
        let request = Request::Budget {
            id: id.to_owned(),
            change: change.map(Into::into),
        };
        self.ask(&request, Some(self.patience))
    }

    /// Types one thing after the other.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn send(&mut self, id: &str, parts: Vec<Typed>) -> Result<(), ControlError> {
        let request = Request::Input {
            id: id.to_owned(),
            parts: parts.into_iter().map(Into::into).collect(),
        };
        self.ask(&request, Some(self.patience))
    }

    /// A terminal's screen, and its history where `scrollback` is asked for, as of one point of its output.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn capture(
        &mut self,
        id: &str,
        scrollback: bool,
        style: RowStyle,
    ) -> Result<ScreenShape, ControlError> {
        let request = Request::Capture {
            id: id.to_owned(),
            scrollback,
            ansi: style == RowStyle::Ansi,
        };
        self.ask(&request, Some(self.patience))
    }

    /// Gives a terminal another size.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn resize(&mut self, id: &str, size: Size) -> Result<(), ControlError> {
        let request = Request::Resize {
            id: id.to_owned(),
            cols: size.cols(),
            rows: size.rows(),
        };
        self.ask(&request, Some(self.patience))
    }

    /// Gives a terminal another name.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn rename(&mut self, id: &str, name: &str) -> Result<(), ControlError> {
        let request = Request::Rename {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        self.ask(&request, Some(self.patience))
    }

    /// Ends a terminal and waits until it is dead and reaped, which takes up to the configured grace.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn kill(&mut self, id: &str) -> Result<(), ControlError> {
        self.ask(&Request::Kill { id: id.to_owned() }, None)
    }

    /// Waits until a condition holds, for `timeout` at most; zero looks once.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn wait(
        &mut self,
        id: &str,
        until: Condition,
        timeout: Duration,
    ) -> Result<WaitOutcome, ControlError> {
        let request = Request::Wait {
            id: id.to_owned(),
            until: until.into(),
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        };
        self.ask(&request, timeout.checked_add(self.patience))
    }

    /// The instance in one look.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn status(&mut self) -> Result<StatusShape, ControlError> {
        self.ask(&Request::Status, Some(self.patience))
    }

    /// The address for a browser, with a token that is good for one login.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn url(&mut self, id: Option<&str>) -> Result<String, ControlError> {
        let request = Request::Url {
            id: id.map(str::to_owned),
        };
        self.ask(&request, Some(self.patience))
    }

    /// Every provider, in the order in which they are asked.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn providers(&mut self) -> Result<Vec<ProviderShape>, ControlError> {
        self.ask(&Request::Providers, Some(self.patience))
    }

    /// Steers a provider; the restart of one whose server tundra runs waits until that takes requests.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn steer(&mut self, command: RouterCommand) -> Result<DoneShape, ControlError> {
        let within = match command.verb() {
            Verb::Restart => None,
            Verb::Failover
            | Verb::Pin
            | Verb::Unpin
            | Verb::Reset
            | Verb::Enable
            | Verb::Disable => Some(self.patience),
        };
        self.ask(&command.into(), within)
    }

    /// Makes whatever terminal shows the instance leave.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that refuses, or a connection that breaks off.
    pub fn detach(&mut self) -> Result<(), ControlError> {
        self.ask(&Request::Detach, Some(self.patience))
    }

    /// Lets another program, an absolute path, go on in the instance's place.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one that goes on as it is and says why, or a connection that breaks off.
    pub fn upgrade(&mut self, program: PathBuf) -> Result<UpgradeShape, ControlError> {
        let program = program.into();
        self.ask(&Request::Upgrade { program }, None)
    }

    /// Ends the instance and waits until its process is gone.
    ///
    /// # Errors
    /// What [`ControlError`] tells: no instance, one whose programs still run where `force` is not given, or a connection
    /// that breaks off.
    pub fn stop(mut self, force: bool) -> Result<(), ControlError> {
        let instance = process_of(self.stream.get_ref());
        self.ask::<()>(&Request::Stop { force }, Some(self.patience))?;
        self.stream.get_mut().set_read_timeout(None)?;
        // Nothing more is said; the end of the process ends the connection.
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        if let Some(instance) = instance {
            await_end(&instance);
        }
        Ok(())
    }

    /// How the journal and its copy stand.
    ///
    /// # Errors
    /// [`ControlError`] where the instance cannot be asked.
    pub fn store(&mut self) -> Result<StoreShape, ControlError> {
        self.ask(&Request::Store, Some(ANSWER_WITHIN))
    }

    /// What is logged, after another filter was set where one is given.
    ///
    /// # Errors
    /// [`ControlError`] where the instance cannot be asked, or the filter is none.
    pub fn log_filter(&mut self, filter: Option<&str>) -> Result<LogFilterShape, ControlError> {
        let filter = filter.map(str::to_owned);
        self.ask(&Request::LogFilter { filter }, Some(ANSWER_WITHIN))
    }

    /// Ships what waits for the copy and commits it, which may take its time.
    ///
    /// # Errors
    /// [`ControlError`] where the instance cannot be asked, or the copy not be written.
    pub fn store_ship(&mut self) -> Result<ShippedShape, ControlError> {
        self.ask(&Request::StoreShip, None)
    }

    /// The copy's latest commits, the newest first.
    ///
    /// # Errors
    /// [`ControlError`] where the instance or the copy cannot be asked.
    pub fn store_log(&mut self, most: usize) -> Result<Vec<CommitShape>, ControlError> {
        self.ask(&Request::StoreLog { most }, None)
    }

    /// The rows that differ between two revisions of the copy; without any, those of the last commit.
    ///
    /// # Errors
    /// [`ControlError`] where the instance or the copy cannot be asked, or there is no such revision.
    pub fn store_diff(
        &mut self,
        from: Option<String>,
        to: Option<String>,
    ) -> Result<Vec<ChangeShape>, ControlError> {
        self.ask(&Request::StoreDiff { from, to }, None)
    }

    /// Sends a prompt; the answer is read piece by piece.
    ///
    /// # Errors
    /// What [`ControlError`] tells where the prompt cannot be sent; a refusal comes with the answer.
    pub fn prompt(mut self, prompt: Prompt) -> Result<PromptAnswer, ControlError> {
        let request = Request::Ask {
            prompt: prompt.text,
            model: prompt.model,
            profile: prompt.profile,
        };
        // An instance that refuses before it has read everything says why in its answer.
        let _ = self.send_request(&request, None)?;
        Ok(PromptAnswer {
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
                Code::BadRequest,
                message,
            )));
        }
        let patience = self.patience;
        let stream = self.stream.get_mut();
        stream.set_read_timeout(within)?;
        stream.set_write_timeout(Some(patience))?;
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
pub struct PromptAnswer {
    client: Client,
    over: bool,
}

impl Iterator for PromptAnswer {
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

/// Connects to the instance of a home.
///
/// # Errors
/// [`ControlError::NoInstance`] where nobody listens; [`ControlError::Ipc`] where the socket cannot be opened.
pub(super) fn connect(paths: &Paths) -> Result<UnixStream, ControlError> {
    let path = paths.control_socket();
    let stream = dial::connect(&path).or_else(|error| {
        // The instance may have been started where XDG_RUNTIME_DIR names another folder.
        match Holder::read(&paths.lock_file()) {
            Some(holder) if absent(&error) && holder.socket != path => {
                dial::connect(&holder.socket)
            }
            _ => Err(error),
        }
    });
    match stream {
        Ok(stream) if !is_trusted(&stream) => Err(ControlError::Ipc(format!(
            "{} belongs to another user",
            path.display()
        ))),
        Ok(stream) => Ok(stream),
        Err(error) if absent(&error) => Err(ControlError::NoInstance),
        Err(error) => Err(ControlError::Ipc(format!("{}: {error}", path.display()))),
    }
}

/// Whether the instance is this user's own: what one types is not for whoever made a socket in one's place.
fn is_trusted(stream: &UnixStream) -> bool {
    let me = rustix::process::geteuid().as_raw();
    let peer = rustix::net::sockopt::socket_peercred(stream);
    me == 0 || peer.is_ok_and(|peer| peer.uid.as_raw() == me || peer.uid.is_root())
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory
    )
}

/// The process on the other side, as a descriptor that tells of its end (`pidfd_open(2)`); None where it cannot be seen.
fn process_of(stream: &UnixStream) -> Option<OwnedFd> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    rustix::process::pidfd_open(peer.pid, PidfdFlags::empty()).ok()
}

/// Waits for the end of a process that is about to be gone: the kernel closes what it had open a moment before.
fn await_end(process: &OwnedFd) {
    let mut wanted = [PollFd::new(process, PollFlags::IN)];
    let _ = rustix::event::poll(&mut wanted, Some(&GONE_WITHIN));
}
