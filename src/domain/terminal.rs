//! A terminal as seen from outside: what to start, and what has become of it.

use std::path::PathBuf;

use jiff::Timestamp;

use super::adapter::AgentName;
use super::agent::Agent;
use super::budget::Budget;
use super::id::TerminalId;
use super::size::Size;

/// Who decides a terminal's size and life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The front end shows it.
    Front,
    /// Opened from the command line.
    Local,
    /// Opened over the network.
    Remote,
}

impl Owner {
    /// Its name in JSON (`owner`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

/// What to start in a new terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalSpec {
    /// The program's own where none is given.
    pub name: Option<String>,
    /// Program and arguments; empty for the configured shell (or the agent's own command, where `agent` is set).
    pub command: Vec<String>,
    /// None for tundra's own working directory.
    pub cwd: Option<PathBuf>,
    /// Variables added to (or replacing those of) the inherited environment.
    pub env: Vec<(String, String)>,
    /// What it begins with; its writer decides later.
    pub size: Size,
    /// Whether it goes on when the last viewer of one opened over the network has gone for good.
    pub persistent: bool,
    /// The agent that it runs; told from the command where none is named.
    pub agent: Option<AgentName>,
    /// Whether the agent is to go on with its last conversation.
    pub resume: bool,
    /// What its requests may use; a limit that it does not name is its agent's.
    pub budget: Budget,
    /// Whether its programs are pointed at the gateway; without it their environment stays as it is.
    pub gateway: bool,
    /// Whether its programs are kept from the instance's sockets and files; None: as its agent says, else the configuration.
    pub confine: Option<bool>,
    pub owner: Owner,
}

/// How a child ended. Exactly one of the two is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It ended by itself.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
}

/// Where a terminal is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It lives.
    Active,
    /// It lives, was opened over the network, and nobody is attached.
    Disconnected,
    /// Its first process has been reaped; its last screen can still be read.
    Dead,
}

impl Status {
    /// Its name in JSON (`status`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disconnected => "disconnected",
            Self::Dead => "dead",
        }
    }
}

/// A terminal's facts at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalInfo {
    pub id: TerminalId,
    pub name: String,
    /// Somebody chose the name; else it is that of the program that was started.
    pub named: bool,
    /// Program and arguments, as started.
    pub command: Vec<String>,
    pub cwd: PathBuf,
    /// Its first process, which leads its session.
    pub pid: u32,
    pub size: Size,
    /// As the program set it (OSC 0 and 2), cleaned.
    pub title: String,
    pub status: Status,
    pub owner: Owner,
    pub persistent: bool,
    /// How many are attached.
    pub viewers: u32,
    /// One of them types into it and decides its size, even where a front end shows it.
    pub taken: bool,
    /// Its end was asked for, or a limit was reached; it may take a while to be over.
    pub ending: bool,
    pub created_at: Timestamp,
    /// Since when it is [`Status::Disconnected`].
    pub disconnected_since: Option<Timestamp>,
    pub exit: Option<Exit>,
    pub agent: Option<Agent>,
}

impl TerminalInfo {
    /// Brings status and its time in line with owner and viewers; `now` is when they changed.
    pub fn settle(&mut self, now: Timestamp) {
        if self.status == Status::Dead {
            return;
        }
        let abandoned = self.owner == Owner::Remote && self.viewers == 0;
        self.status = if abandoned {
            Status::Disconnected
        } else {
            Status::Active
        };
        self.disconnected_since = match self.disconnected_since {
            since @ Some(_) if abandoned => since,
            _ => abandoned.then_some(now),
        };
    }
}

/// The most characters of a terminal's name: names are typed, and stand in tables.
const MAX_NAME: usize = 200;

/// Why a text cannot be a terminal's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing of it would be seen, or something in it is a command.
    #[error("a name needs characters that can be seen, and no others")]
    Unseen,
    /// It has more characters than a table has room for.
    #[error("a name has at most {MAX_NAME} characters")]
    Long,
}

/// Checks a name that somebody gives to a terminal.
///
/// # Errors
/// [`NameError`] when it cannot be one.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(NameError::Unseen);
    }
    if name.chars().count() > MAX_NAME {
        return Err(NameError::Long);
    }
    Ok(())
}

/// How a terminal fits what somebody called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// It is called just so.
    pub is_named: bool,
    /// Its id begins so.
    pub is_prefixed: bool,
    /// It is not dead.
    pub lives: bool,
}

/// Those that fit best: the living before the dead, and a name before the beginning of an id.
pub fn best_fits<T>(all: impl IntoIterator<Item = T>, fit: impl Fn(&T) -> Fit) -> Vec<T> {
    let mut ranks: [Vec<T>; 4] = Default::default();
    let [named, prefixed, dead_named, dead_prefixed] = &mut ranks;
    for one in all {
        let fit = fit(&one);
        let rank = match (fit.is_named, fit.is_prefixed, fit.lives) {
            (true, _, true) => &mut *named,
            (false, true, true) => &mut *prefixed,
            (true, _, false) => &mut *dead_named,
            (false, true, false) => &mut *dead_prefixed,
            (false, false, _) => continue,
        };
        rank.push(one);
    }
    let best = ranks.into_iter().find(|rank| !rank.is_empty());
    best.unwrap_or_default()
}

#[cfg(test)]
mod tests;
