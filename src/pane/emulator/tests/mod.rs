//! What the emulator does with what programs write (ECMA-48, xterm's control sequences, habits of real programs).

mod cursor;
mod edit;
mod history;
mod properties;
mod queries;
mod rewrap;
mod screens;
mod strings;
mod style;
mod text;

use std::sync::Arc;

use super::{Emulator, EmulatorEvent, Feedback};
use crate::domain::screen::{Cell, Row, ScreenSnapshot};
use crate::domain::size::Size;

/// An emulator with what it has answered and told.
struct Terminal {
    emulator: Emulator,
    feedback: Feedback,
}

impl Terminal {
    fn new(cols: u16, rows: u16) -> Self {
        Self {
            emulator: Emulator::new(Size::clamped(cols, rows), 1000),
            feedback: Feedback::default(),
        }
    }

    /// A terminal of 10 by 4 cells that has been fed.
    fn fed(bytes: impl AsRef<[u8]>) -> Self {
        let mut terminal = Self::new(10, 4);
        terminal.feed(bytes);
        terminal
    }

    fn feed(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.emulator.feed(bytes.as_ref(), &mut self.feedback);
        self
    }

    fn resize(&mut self, cols: u16, rows: u16) -> &mut Self {
        self.emulator.resize(Size::clamped(cols, rows));
        self
    }

    fn snapshot(&self) -> ScreenSnapshot {
        self.emulator.snapshot(None)
    }

    /// The screen's lines without trailing blank ones, joined by `|`.
    fn text(&self) -> String {
        let lines: Vec<String> = self.snapshot().rows.iter().map(|row| row.text()).collect();
        lines.join("|").trim_end_matches('|').to_owned()
    }

    /// The lines of history, joined by `|`.
    fn history(&self) -> String {
        let (start, top, _) = self.emulator.extent();
        let lines: Vec<String> = self
            .emulator
            .rows(start..top)
            .iter()
            .map(|row| row.text())
            .collect();
        lines.join("|")
    }

    fn row(&self, row: usize) -> Arc<Row> {
        Arc::clone(&self.snapshot().rows[row])
    }

    fn cell(&self, row: usize, col: usize) -> Cell {
        self.row(row).cells[col]
    }

    fn cursor(&self) -> (u16, u16) {
        let cursor = self.snapshot().cursor;
        (cursor.row, cursor.col)
    }

    /// The answers since this was last asked.
    fn replies(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.feedback.replies))
            .unwrap()
            .replace('\x1b', "^[")
    }

    fn events(&mut self) -> Vec<EmulatorEvent> {
        std::mem::take(&mut self.feedback.events)
    }
}

/// What a terminal of 10 by 4 cells shows.
fn shows(bytes: impl AsRef<[u8]>) -> String {
    Terminal::fed(bytes).text()
}
