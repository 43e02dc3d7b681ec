//! The doctor, called from a command.

use std::sync::Arc;
use std::time::Duration;

use super::AppError;
use crate::doctor::{self, OuterTerminal, Subject};
use crate::domain::check::Check;
use crate::runtime::limits;
use crate::tui;

/// A terminal that has not answered by then answers nothing.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// Looks at everything; `progress` is told the name that was done last, and how many checks of how many are.
///
/// # Errors
/// [`AppError::Runtime`] where no runtime can be had.
pub fn examine(
    subject: Arc<Subject>,
    progress: impl FnMut(&str, usize, usize),
) -> Result<Vec<Check>, AppError> {
    // A low soft limit is what may be wrong: it keeps nobody from looking.
    let _ = limits::raise_open_files();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AppError::Runtime)?;
    let checks = runtime.block_on(doctor::examine(subject, progress));
    // A name that is still looked up, or a disk that hangs, holds nobody up.
    runtime.shutdown_background();
    Ok(checks)
}

/// The terminal behind standard input and output, asked what it can do; `None` where there is none.
#[must_use]
pub fn outer_terminal() -> Option<OuterTerminal> {
    let told = tui::ask_terminal(ANSWER_WITHIN)?;
    Some(OuterTerminal {
        cols: told.cols,
        rows: told.rows,
        keyboard: told.speaks_kitty,
    })
}
