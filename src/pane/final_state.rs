//! What is left of a terminal that has ended: its last screen, and for a while its history.

use std::ops::Range;
use std::sync::Arc;

use regex::Regex;

use super::emulator::Emulator;
use super::handle::{Capture, Direction, Match, RowWindow, Search};
use super::text;
use crate::domain::screen::{Cell, Row, ScreenSnapshot};

/// The rows that [`search`] reads at a time.
const SEARCH_ROWS: u64 = 256;

/// A dead terminal's screen and history, readable like a living one's.
pub(super) struct FinalState {
    /// Rows without their trailing blanks, since dead terminals are kept until tundra ends.
    screen: ScreenSnapshot,
    history: Option<Emulator>,
}

impl FinalState {
    pub fn new(emulator: Emulator, keep_history: bool) -> Self {
        let screen = emulator.snapshot(None);
        let history = keep_history.then_some(emulator);
        Self {
            history,
            ..Self::of_screen(screen)
        }
    }

    /// What is left where only a screen is known.
    pub fn of_screen(mut screen: ScreenSnapshot) -> Self {
        for row in &mut screen.rows {
            *row = Arc::new(trimmed(row));
        }
        Self {
            screen,
            history: None,
        }
    }

    /// Gives up the history; the last screen stays.
    pub fn forget_history(&mut self) {
        self.history = None;
    }

    pub fn capture(&self, scrollback: bool) -> Capture {
        let mut screen = self.screen.clone();
        for row in &mut screen.rows {
            let mut whole = Row::clone(row);
            whole
                .cells
                .resize(usize::from(screen.size.cols()), Cell::default());
            *row = Arc::new(whole);
        }
        let scrollback = match &self.history {
            Some(emulator) if scrollback => history(emulator),
            _ => Vec::new(),
        };
        Capture { screen, scrollback }
    }

    pub fn rows(&self, range: Range<u64>) -> RowWindow {
        match &self.history {
            Some(emulator) => window(emulator, range),
            None => RowWindow::default(),
        }
    }

    pub fn search(&self, what: &Search) -> Option<Match> {
        search(self.history.as_ref()?, what)
    }

    pub fn contains(&self, pattern: &Regex) -> bool {
        match &self.history {
            Some(emulator) => {
                let (start, _, end) = emulator.extent();
                text::matches(pattern, &emulator.rows(start..end))
            }
            None => text::matches(pattern, &self.screen.rows),
        }
    }
}

/// The whole history of an emulator, oldest row first.
pub(super) fn history(emulator: &Emulator) -> Vec<Arc<Row>> {
    let (start, top, _) = emulator.extent();
    emulator.rows(start..top)
}

/// The rows of `range` that exist.
pub(super) fn window(emulator: &Emulator, range: Range<u64>) -> RowWindow {
    let (history_start, top, end) = emulator.extent();
    let start = range.start.clamp(history_start, end);
    let rows = emulator.rows(start..range.end.clamp(start, end));
    RowWindow {
        start,
        rows,
        history_start,
        top,
        end,
    }
}

/// The nearest hit of a search, read in portions so that a near one is cheap.
pub(super) fn search(emulator: &Emulator, what: &Search) -> Option<Match> {
    let (first, _, end) = emulator.extent();
    match what.direction {
        Direction::Down => {
            let mut from = what.from.0.max(first);
            while from < end {
                let until = (from + SEARCH_ROWS).min(end);
                let rows = emulator.rows(from..until);
                let hit = (from..)
                    .zip(&rows)
                    .find_map(|(n, row)| text::search_row(what, n, row));
                if hit.is_some() {
                    return hit;
                }
                from = until;
            }
        }
        Direction::Up => {
            let mut until = what.from.0.saturating_add(1).min(end);
            while until > first {
                let from = until.saturating_sub(SEARCH_ROWS).max(first);
                let rows = emulator.rows(from..until);
                let numbered = (from..).zip(&rows).collect::<Vec<_>>();
                let hit = numbered
                    .iter()
                    .rev()
                    .find_map(|(n, row)| text::search_row(what, *n, row));
                if hit.is_some() {
                    return hit;
                }
                until = from;
            }
        }
    }
    None
}

fn trimmed(row: &Row) -> Row {
    let blank = Cell::default();
    let used = row
        .cells
        .iter()
        .rposition(|cell| *cell != blank)
        .map_or(0, |last| last + 1);
    Row {
        cells: row.cells.iter().take(used).copied().collect(),
        extras: row.extras.clone(),
        wrapped: row.wrapped,
    }
}
