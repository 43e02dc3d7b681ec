//! The rows that copy mode has been given, and where history and screen lie.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::screen::{Row, ScreenSnapshot};
use crate::pane::RowWindow;

/// Where history and screen lie, by absolute row number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) history_start: u64,
    /// The screen's top row.
    pub(super) top: u64,
    /// One more than the screen's last row.
    pub(super) end: u64,
}

impl Extent {
    fn of_screen(screen: &ScreenSnapshot) -> Self {
        Self {
            history_start: screen.history_start,
            top: screen.top,
            end: screen.top.saturating_add(screen.rows.len() as u64),
        }
    }

    pub(super) fn contains(self, row: u64) -> bool {
        (self.history_start..self.end).contains(&row)
    }

    pub(super) fn last_row(self) -> u64 {
        self.end.saturating_sub(1).max(self.history_start)
    }

    /// The nearest row that exists.
    pub(super) fn clamp(self, row: u64) -> u64 {
        row.clamp(self.history_start, self.last_row())
    }
}

/// Some rows around the view.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    extent: Extent,
    kept: BTreeMap<u64, Kept>,
    /// The range that was asked for last, and whether it has come since.
    asked: Option<(Range<u64>, bool)>,
    /// Rows once seen stay as they were, so that a selection is copied as it looked.
    frozen: bool,
}

#[derive(Clone, Debug)]
struct Kept {
    row: Arc<Row>,
    /// It may have changed since it was seen.
    stale: bool,
}

impl Rows {
    pub(super) fn new(screen: &ScreenSnapshot) -> Self {
        let mut rows = Self {
            extent: Extent::of_screen(screen),
            kept: BTreeMap::new(),
            asked: None,
            frozen: false,
        };
        rows.insert(screen.top, &screen.rows);
        rows
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    pub(super) fn get(&self, number: u64) -> Option<&Arc<Row>> {
        self.kept.get(&number).map(|kept| &kept.row)
    }

    /// Takes a newer screen. What scrolled off it since the last one may have changed unseen before it did.
    pub(super) fn take_screen(&mut self, screen: &ScreenSnapshot) {
        let before = self.extent;
        self.move_to(Extent::of_screen(screen));
        for (_, kept) in self.kept.range_mut(before.top.min(screen.top)..screen.top) {
            kept.stale = true;
        }
        self.insert(screen.top, &screen.rows);
    }

    pub(super) fn take_window(&mut self, window: &RowWindow) {
        self.move_to(Extent {
            history_start: window.history_start,
            top: window.top,
            end: window.end,
        });
        self.insert(window.start, &window.rows);
        if let Some((_, answered)) = &mut self.asked {
            *answered = true;
        }
    }

    /// Rows that were asked for and did not come may be asked for again.
    pub(super) fn forget_answered(&mut self) {
        self.asked = self.asked.take().filter(|(_, answered)| !answered);
    }

    /// Rows that were asked for will not come.
    pub(super) fn forget_asked(&mut self) {
        self.asked = None;
    }

    /// Begins again with a screen whose rows have other numbers.
    pub(super) fn renumbered(&mut self, screen: &ScreenSnapshot) {
        self.kept.clear();
        self.asked = None;
        self.extent = Extent::of_screen(screen);
        self.insert(screen.top, &screen.rows);
    }

    /// Keeps rows once seen as they are, or lets them change again.
    pub(super) fn set_frozen(&mut self, frozen: bool) {
        if self.frozen && !frozen {
            self.refresh();
        }
        self.frozen = frozen;
    }

    /// Reads everything again.
    pub(super) fn refresh(&mut self) {
        for kept in self.kept.values_mut() {
            kept.stale = true;
        }
    }

    /// What to ask for when a row in `near` is missing: all that are in `around`. None if it is on its way.
    pub(super) fn need(&mut self, near: Range<u64>, around: Range<u64>) -> Option<Range<u64>> {
        self.missing(near)?;
        let missing = self.missing(around)?;
        let is_asked = self
            .asked
            .as_ref()
            .is_some_and(|(asked, _)| asked.start <= missing.start && missing.end <= asked.end);
        if is_asked {
            return None;
        }
        self.asked = Some((missing.clone(), false));
        Some(missing)
    }

    /// Drops rows outside of a range, so that what is kept stays bounded.
    pub(super) fn keep_within(&mut self, range: &Range<u64>) {
        self.kept.retain(|number, _| range.contains(number));
    }

    fn missing(&self, range: Range<u64>) -> Option<Range<u64>> {
        let start = range.start.max(self.extent.history_start);
        let end = range.end.min(self.extent.end);
        let is_missing = |number: &u64| {
            self.kept
                .get(number)
                .is_none_or(|kept| kept.stale && !self.frozen)
        };
        let first = (start..end).find(is_missing)?;
        let last = (start..end).rev().find(is_missing)?;
        Some(first..last + 1)
    }

    fn insert(&mut self, start: u64, rows: &[Arc<Row>]) {
        for (number, row) in (start..).zip(rows) {
            let kept = Kept {
                row: Arc::clone(row),
                stale: false,
            };
            if self.frozen {
                self.kept.entry(number).or_insert(kept);
            } else {
                self.kept.insert(number, kept);
            }
        }
    }

    fn move_to(&mut self, extent: Extent) {
        self.extent = extent;
        self.kept.retain(|number, _| extent.contains(*number));
    }
}
