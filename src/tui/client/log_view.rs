//! The view of the log, while it is open.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::prompt::Prompt;
use crate::config::LogLevel;

/// Between two readings of the log while it is looked at.
pub const READ_LOG_AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogView {
    /// This level and those above it; None for all.
    pub level: Option<LogLevel>,
    /// What a target holds.
    pub target: Prompt,
    /// What a line holds.
    pub text: Prompt,
    /// Which of the two is being typed.
    pub typing: Option<LogField>,
    /// As it was read last; None until it was.
    pub lines: Option<Result<Vec<LogEntry>, String>>,
    /// Lines scrolled up from the newest.
    pub scroll: usize,
    /// When it is read again; None while it is being read.
    pub due: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogField {
    Target,
    Text,
}

/// A line of the log; what nobody can read has its text alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub at: Option<Timestamp>,
    pub level: Option<LogLevel>,
    pub target: String,
    pub text: String,
}

impl LogView {
    /// The lines that are wanted, the newest last.
    pub fn wanted(&self) -> impl DoubleEndedIterator<Item = &LogEntry> {
        let lines = self.lines.iter().flatten().flatten();
        let target = self.target.text();
        let text = self.text.text().to_lowercase();
        lines.filter(move |line| {
            let level = self
                .level
                .is_none_or(|most| line.level.is_some_and(|level| level <= most));
            level
                && line.target.contains(target)
                && (text.is_empty() || line.text.to_lowercase().contains(&text))
        })
    }

    /// The field that is being typed.
    pub const fn field(&mut self) -> Option<&mut Prompt> {
        match self.typing {
            Some(LogField::Target) => Some(&mut self.target),
            Some(LogField::Text) => Some(&mut self.text),
            None => None,
        }
    }
}
