//! The pool: who may open a terminal, and every terminal there is.

use std::time::Duration;

use tokio::sync::broadcast;

use super::error::PaneError;
use super::handle::PaneHandle;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::terminal::{TerminalInfo, TerminalSpec};

/// What the pool goes by; may be replaced while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    pub max_ptys: usize,
    pub scrollback_lines: usize,
    /// Zero for never.
    pub idle_timeout: Duration,
    /// Zero for never.
    pub max_lifetime: Duration,
    pub kill_grace: Duration,
    /// Program and arguments of a terminal that names none.
    pub shell: Vec<String>,
}

/// How full the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    pub active: usize,
    pub max: usize,
}

/// The pool of terminals; cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {}

#[allow(clippy::todo, clippy::unused_async, clippy::needless_pass_by_value)]
impl Pool {
    pub fn set_options(&self, _options: PoolOptions) {
        todo!()
    }

    /// Opens a terminal. The slot is taken before anything is started.
    pub async fn open(&self, _spec: TerminalSpec) -> Result<PaneHandle, PaneError> {
        todo!()
    }

    /// Finds by id, unique id prefix, or name; ended terminals too.
    pub fn find(&self, _given: &str) -> Result<PaneHandle, PaneError> {
        todo!()
    }

    pub fn get(&self, _id: TerminalId) -> Option<PaneHandle> {
        todo!()
    }

    /// Every terminal that lives or ended within the last minute, oldest first.
    pub fn list(&self) -> Vec<TerminalInfo> {
        todo!()
    }

    pub fn gauge(&self) -> Gauge {
        todo!()
    }

    pub fn events(&self) -> broadcast::Receiver<TerminalEvent> {
        todo!()
    }

    /// Refuses new terminals, ends all that live and waits for the last one to be reaped.
    pub async fn shutdown(&self) {
        todo!()
    }
}
