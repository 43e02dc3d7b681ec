//! What is left of a terminal that has ended: its last screen, and for a while its history.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use regex::Regex;

use super::emulator::{Emulator, KeptScreen};
use super::kept::KeptEnd;
use super::query::{Capture, Match, RowWindow, Search};
use super::{reader, text};
use crate::domain::screen::{Cell, Row, ScreenSnapshot};
use crate::runtime::handover::{Incoming, Outgoing, millis_since};

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

    /// Keeps it for another program.
    pub fn keep(&self, ended_at: Instant, out: &mut Outgoing) -> KeptEnd {
        let emulator = self.history.as_ref().map(|emulator| emulator.keep(out));
        KeptEnd {
            ended_ms: millis_since(ended_at),
            screen: emulator
                .is_none()
                .then(|| KeptScreen::of(&self.screen, out)),
            emulator,
        }
    }

    /// What was kept.
    pub fn resume(kept: &KeptEnd, incoming: &Incoming) -> Option<Self> {
        let emulator = kept.emulator.as_ref();
        if let Some(emulator) = emulator.and_then(|kept| Emulator::resume(kept, incoming)) {
            return Some(Self::new(emulator, true));
        }
        let screen = kept.screen.as_ref()?;
        Some(Self::of_screen(screen.resume(incoming)))
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
            Some(emulator) if scrollback => reader::history(emulator),
            _ => Vec::new(),
        };
        Capture { screen, scrollback }
    }

    pub fn rows(&self, range: Range<u64>) -> RowWindow {
        match &self.history {
            Some(emulator) => reader::rows(emulator, range),
            None => RowWindow::default(),
        }
    }

    pub fn search(&self, what: &Search) -> Option<Match> {
        reader::search(self.history.as_ref()?, what)
    }

    pub fn contains(&self, pattern: &Regex) -> bool {
        match &self.history {
            Some(emulator) => reader::contains(emulator, pattern),
            None => text::matches(pattern, &self.screen.rows),
        }
    }
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
