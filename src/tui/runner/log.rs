//! The end of the log for the view that is open. It is the disk that is read: not for the loop.

use std::io;
use std::path::Path;

use crate::domain::printable::printable;
use crate::telemetry::{self, LineFilter, json_line, text_line};
use crate::tui::client::LogEntry;

/// As much as can be scrolled back to; some thousand lines.
const BYTES: u64 = 512 << 10;

/// Reads the last lines of the log, whatever form each was written in.
///
/// # Errors
/// [`io::Error`] where the file cannot be read.
pub(super) fn read(log_file: &Path) -> io::Result<Vec<LogEntry>> {
    let lines = telemetry::read_end(log_file, &LineFilter::default(), BYTES)?;
    Ok(lines.iter().map(|line| entry(line)).collect())
}

fn entry(line: &str) -> LogEntry {
    if let Some(read) = text_line(line) {
        return LogEntry {
            at: read.at.parse().ok(),
            level: Some(read.level),
            target: read.target.to_owned(),
            text: printable(read.text).into_owned(),
        };
    }
    match json_line(line) {
        Some(read) => LogEntry {
            at: read.at.parse().ok(),
            level: Some(read.level),
            text: printable(&read.text).into_owned(),
            target: read.target,
        },
        None => LogEntry {
            at: None,
            level: None,
            target: String::new(),
            text: printable(line).into_owned(),
        },
    }
}
