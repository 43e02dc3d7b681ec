//! Reads an emulator's screen and history as queries ask for them.

use std::ops::Range;
use std::sync::Arc;

use regex::Regex;

use super::emulator::Emulator;
use super::query::{Capture, Direction, Match, PlacesNow, RowWindow, Search};
use super::text;
use crate::domain::screen::Row;

/// The rows that [`search`] reads at a time.
const SEARCH_ROWS: u64 = 256;

/// The screen now, with the whole history where asked for.
pub(super) fn capture(emulator: &Emulator, scrollback: bool) -> Capture {
    Capture {
        screen: emulator.snapshot(None),
        scrollback: if scrollback {
            history(emulator)
        } else {
            Vec::new()
        },
    }
}

/// Whether the text of history and screen matches.
pub(super) fn contains(emulator: &Emulator, pattern: &Regex) -> bool {
    let (start, _, end) = emulator.extent();
    text::matches(pattern, &emulator.rows(start..end))
}

/// The whole history of an emulator, oldest row first.
pub(super) fn history(emulator: &Emulator) -> Vec<Arc<Row>> {
    let (start, top, _) = emulator.extent();
    emulator.rows(start..top)
}

/// The rows of `range` that exist.
pub(super) fn rows(emulator: &Emulator, range: Range<u64>) -> RowWindow {
    let (history_start, top, end) = emulator.extent();
    let start = range.start.clamp(history_start, end);
    let rows = emulator.rows(start..range.end.clamp(start, end));
    RowWindow {
        start,
        rows,
        history_start,
        top,
        end,
        rewraps: emulator.rewraps(),
    }
}

/// Where places are now that were told when lines had been wrapped anew `since` times.
pub(super) fn places_now(emulator: &Emulator, since: u64, places: &[(u64, u16)]) -> PlacesNow {
    PlacesNow {
        places: emulator.places_now(since, places),
        rewraps: emulator.rewraps(),
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
