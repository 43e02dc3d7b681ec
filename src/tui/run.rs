//! Runs a front end, whether a terminal shows it or not.

use super::error::TuiError;
use super::runner::Runner;
use super::services::{Ending, Services};

/// Runs a front end until the instance is to end; whatever terminal showed it is restored when this returns. Programs are left
/// as they are: to end them is for whoever owns the pool. Cancelling it restores the terminal too.
///
/// # Errors
/// [`TuiError::NotStarted`] when what was to be shown first could not be started, [`TuiError`] otherwise where a first terminal
/// could not show anything, so that there is nothing to go on with.
pub async fn run(services: Services) -> Result<Ending, TuiError> {
    let runner = Box::new(Runner::new(services));
    Box::pin(runner.run()).await
}
