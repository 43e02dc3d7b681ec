//! What is seen of a pane from afar, by somebody who looks at many of them.

use super::branch;
use super::error::PaneError;
use super::handle::PaneHandle;
use super::query::Capture;

/// Rows that tell what a program asks: Claude Code's questions with their answers take six.
const LAST_LINES: usize = 8;

/// The end of a pane's screen, and where its program is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glimpse {
    /// The last lines that are not blank, eight at most, the oldest first.
    pub lines: Vec<String>,
    /// The branch of the repository that it is in, or the beginning of a commit's hash; None outside of one.
    pub branch: Option<String>,
}

impl PaneHandle {
    /// Looks at it as it is now. A terminal that has ended shows its last screen. Cancel-safe.
    ///
    /// # Errors
    /// [`PaneError::Dead`] where nothing is left of the terminal.
    pub async fn glimpse(&self) -> Result<Glimpse, PaneError> {
        let capture = self.capture(false).await?;
        Ok(Glimpse {
            lines: last_lines(&capture),
            branch: branch::of(&self.working_directory()),
        })
    }
}

fn last_lines(capture: &Capture) -> Vec<String> {
    let lines = capture.screen.rows.iter().map(|row| row.text());
    let seen: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
    let first = seen.len().saturating_sub(LAST_LINES);
    seen.into_iter().skip(first).collect()
}
