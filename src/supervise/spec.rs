//! What is to run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::log;
use super::probe::Probe;

/// One child and how it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Names it among its siblings, and in what is told of it.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables that it gets besides tundra's own environment.
    pub env: Vec<(String, String)>,
    /// Variables that it must not see.
    pub without: Vec<String>,
    /// None for tundra's own folder.
    pub cwd: Option<PathBuf>,
    /// The file that its output is appended to.
    pub log: PathBuf,
    pub probe: Probe,
    pub stand_in: StandIn,
    /// How long it is waited for after it was asked to end (TERM).
    pub grace: Duration,
    pub overdue: Overdue,
    pub begin: Begin,
}

/// Whether another process that answers in a crashed child's place will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandIn {
    Accepted,
    Refused,
}

/// What becomes of a child that has not ended in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// It is killed.
    Kill,
    /// It is left to end by itself: to kill it might cost what it keeps.
    Leave,
}

/// Whether a child runs from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    Running,
    Stopped,
}

impl Spec {
    /// A child that runs from the first, cannot be asked, and is killed at once when it is to end.
    #[must_use]
    pub fn new(name: &str, command: Vec<String>, log: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            command,
            env: Vec::new(),
            without: Vec::new(),
            cwd: None,
            log,
            probe: Probe::Never,
            stand_in: StandIn::Refused,
            grace: Duration::ZERO,
            overdue: Overdue::Kill,
            begin: Begin::Running,
        }
    }

    /// The log of a child in a folder, in a file that any name makes.
    #[must_use]
    pub fn log_in(folder: &Path, name: &str) -> PathBuf {
        log::path(folder, name)
    }

    /// Whether what runs by this is what `other` wants.
    pub(super) fn is_same_child(&self, other: &Self) -> bool {
        (&self.command, &self.env, &self.cwd, &self.probe)
            == (&other.command, &other.env, &other.cwd, &other.probe)
    }
}
