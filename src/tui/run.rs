//! The face of the front end: what it is given, and how it comes out.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::address::Addresses;
use super::error::TuiError;
use super::guard::guarded;
use super::model::Severity;
use super::runner::Runner;
use super::terminal::Terminal;
use crate::config::Settings;
use crate::domain::terminal::TerminalSpec;
use crate::pane::Pool;
use crate::providers::Providers;
use crate::runtime::signals::{Termination, Terminations};

/// What a front end works with.
#[derive(Debug)]
pub struct Services {
    pub pool: Pool,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub providers: Providers,
    /// What the user should know from elsewhere. When full, the sender drops.
    pub notices: mpsc::Receiver<Notice>,
    pub terminations: Terminations,
    pub addresses: Arc<dyn Addresses>,
    /// Sizes and owner are set here.
    pub first: First,
}

/// What to open at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// The one thing the user asked for: where it cannot be started, the front end ends and says so.
    Only(Box<TerminalSpec>),
    /// Panes in a tab each, any of which may fail.
    Panes(Vec<TerminalSpec>),
}

/// A message from another room, for the message log and where its prominence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub severity: Severity,
    pub prominence: Prominence,
    pub text: String,
}

/// Where a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prominence {
    /// Over the panes for a few seconds, and as the last event.
    Toast,
    /// As the last event alone, so that it lies over nothing.
    LastEvent,
}

/// How a front end ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The user left, or the last program ended.
    Quit,
    Signal(Termination),
}

/// Runs a front end until it ends; the terminal is restored when this returns. Terminals are left as they are: to end
/// them is for whoever owns the pool.
///
/// # Errors
/// [`TuiError::Setup`] when the terminal cannot be read or written at all, [`TuiError::Panicked`] after a bug.
pub async fn run(terminal: Terminal, services: Services) -> Result<Ending, TuiError> {
    let outer = terminal.outer();
    let result = guarded(outer, async {
        let runner = Box::new(Runner::new(&terminal, services)?);
        Box::pin(runner.run()).await
    })
    .await;
    drop(terminal);
    result
}
