//! What is selected: which columns of which rows, and their text.

use std::ops::{Range, RangeInclusive};

use super::motion::Place;
use super::text::{self, slice};
use crate::domain::screen::Row;

/// What of the rows between its ends a selection holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Characters,
    Lines,
    Block,
}

/// A selection from its anchor to the cursor, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) shape: Shape,
    pub(super) anchor: Place,
}

impl Selection {
    pub(super) fn rows(&self, cursor: Place) -> RangeInclusive<u64> {
        self.anchor.row.min(cursor.row)..=self.anchor.row.max(cursor.row)
    }

    /// The selected columns of a row, wide characters whole; None where nothing of it is selected.
    pub(super) fn columns(
        &self,
        cursor: Place,
        number: u64,
        row: &Row,
        width: u16,
    ) -> Option<Range<u16>> {
        if !self.rows(cursor).contains(&number) {
            return None;
        }
        let (start, end) = match self.shape {
            Shape::Lines => return Some(0..width),
            Shape::Block => {
                let (a, b) = (self.anchor.col, cursor.col);
                (a.min(b), a.max(b))
            }
            Shape::Characters => {
                let (first, last) = if self.anchor <= cursor {
                    (self.anchor, cursor)
                } else {
                    (cursor, self.anchor)
                };
                let start = if number == first.row { first.col } else { 0 };
                let end = if number == last.row {
                    last.col
                } else {
                    width.saturating_sub(1)
                };
                (start, end)
            }
        };
        let start = text::head(row, start);
        let end = text::tail_end(row, text::head(row, end)).min(width);
        (start < end).then_some(start..end)
    }

    /// The selected text: a line for each row, but rows that wrap are joined to the next one.
    pub(super) fn text<'a>(
        &self,
        cursor: Place,
        width: u16,
        row_of: impl Fn(u64) -> Option<&'a Row>,
    ) -> String {
        let mut text = String::new();
        let last = *self.rows(cursor).end();
        for number in self.rows(cursor) {
            let Some(row) = row_of(number) else {
                continue;
            };
            let columns = self.columns(cursor, number, row, width).unwrap_or(0..0);
            let joins = row.wrapped && self.shape != Shape::Block;
            let part = slice(row, columns);
            if self.shape == Shape::Block {
                text.push_str(part.trim_end_matches(' '));
            } else {
                text.push_str(&part);
            }
            if number != last && !joins {
                text.push('\n');
            }
        }
        text
    }
}
