//! Coding agents: which one runs in a terminal and what it is doing.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// The agent command lines that tundra knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentKind {
    Claude,
    Codex,
    Aider,
    Opencode,
    Gemini,
}

impl AgentKind {
    pub const ALL: [Self; 5] = [
        Self::Claude,
        Self::Codex,
        Self::Aider,
        Self::Opencode,
        Self::Gemini,
    ];

    /// The name in commands and configuration, which is also the name of its binary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Aider => "aider",
            Self::Opencode => "opencode",
            Self::Gemini => "gemini",
        }
    }

    /// Recognises an agent by the file name of the program that is started.
    #[must_use]
    pub fn of_program(program: &str) -> Option<Self> {
        let file_name = program.rsplit('/').next().unwrap_or(program);
        Self::ALL.into_iter().find(|kind| kind.name() == file_name)
    }
}

impl fmt::Display for AgentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an agent: use claude, codex, aider, opencode or gemini")]
pub struct ParseAgentError(String);

impl FromStr for AgentKind {
    type Err = ParseAgentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| ParseAgentError(text.to_owned()))
    }
}

/// What an agent is doing, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AgentState {
    /// Nothing told yet.
    #[default]
    Unknown,
    Working,
    /// It asks the user for something.
    Waiting,
    /// It finished and nobody has looked since.
    Done,
    Idle,
}

impl AgentState {
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Working,
        Self::Waiting,
        Self::Done,
        Self::Idle,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Idle => "idle",
        }
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The evidence an agent's state rests on, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The pane has been quiet, or has not.
    Output,
    /// The title (OSC 0, 2) or progress (OSC 9;4).
    Title,
    /// A notification (BEL, OSC 9, 99, 777).
    Notification,
}

impl Evidence {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Title => "title",
            Self::Notification => "notification",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    pub kind: AgentKind,
    pub state: AgentState,
    pub since: Timestamp,
    pub by: Evidence,
}
