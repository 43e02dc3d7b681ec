//! How a child stands, and what is told of it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a child is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs and is not ready yet.
    Starting,
    Ready,
    /// It ended by itself and is started again after a pause.
    Backoff,
    Stopped,
}

impl ProcessState {
    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Backoff => "backoff",
            Self::Stopped => "stopped",
        }
    }
}

/// A child as of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// None while it does not run.
    pub pid: Option<u32>,
    pub state: ProcessState,
    /// How often it was started after the first time.
    pub restarts: u64,
}

/// What happened to a child, once each and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    Started {
        name: String,
        pid: u32,
    },
    Ready {
        name: String,
        after: Duration,
    },
    /// It ended by itself, or could not be started.
    Crashed {
        name: String,
        how: String,
        again_in: Duration,
    },
    Stopped {
        name: String,
    },
}

impl fmt::Display for ProcessEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { name, pid } => write!(f, "{name}: server started, pid {pid}"),
            Self::Ready { name, after } => {
                let after = Duration::from_millis(u64::try_from(after.as_millis()).unwrap_or(0));
                write!(f, "{name}: server ready after {after:?}")
            }
            Self::Crashed {
                name,
                how,
                again_in,
            } => write!(f, "{name}: server {how}, starting it again in {again_in:?}"),
            Self::Stopped { name } => write!(f, "{name}: server stopped"),
        }
    }
}

/// A restart that did not come to a child that is ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: its server {why}; its output is in {}", .log.display())]
pub struct RestartError {
    pub name: String,
    pub why: String,
    pub log: PathBuf,
}
