//! Runs a front end on a terminal.

use super::error::TuiError;
use super::outer::{Terminal, guarded};
use super::runner::Runner;
use super::services::{Ending, Services};

/// Runs a front end until it ends; the terminal is restored when this returns. Terminals are left as they are: to end
/// them is for whoever owns the pool. Cancelling it restores the terminal too.
///
/// # Errors
/// [`TuiError::Setup`] when the terminal cannot be read or written at all, [`TuiError::NotStarted`] when what was to be
/// shown could not be started, [`TuiError::Panicked`] after a bug.
pub async fn run(terminal: Terminal, services: Services) -> Result<Ending, TuiError> {
    let restore = terminal.restore();
    guarded(restore, async {
        let runner = Box::new(Runner::new(terminal, services)?);
        Box::pin(runner.run()).await
    })
    .await
}
