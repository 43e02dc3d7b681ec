//! Where a user is in copy mode, for another program to go on from.

use super::selection::Shape;
use crate::domain::screen::ScreenSnapshot;
use crate::pane::Direction;

/// Rows are given by their absolute numbers as of a count of rewraps; None where that is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyPosition {
    pub rewraps: Option<u64>,
    /// The first row in view.
    pub top: u64,
    /// Row and column.
    pub cursor: (u64, u16),
    /// How many lines there are between what is in view and the newest, for when rows have other numbers.
    pub lines_below: u64,
    /// What is selected, and from where.
    pub selection: Option<(Shape, (u64, u16))>,
    /// What was searched for last, and which way.
    pub search: Option<(String, Direction)>,
    /// Nothing but the wheel was used.
    pub by_wheel: bool,
}

impl CopyPosition {
    /// Whether the screen holds it; one that has nothing on it yet does not.
    pub fn is_on(&self, screen: &ScreenSnapshot) -> bool {
        let is_at_bottom = self.lines_below == 0 && self.cursor.0 < screen.rows.len() as u64;
        screen.top > 0 || is_at_bottom
    }

    /// So many lines above the newest.
    pub fn above(lines_below: u64) -> Self {
        Self {
            lines_below,
            by_wheel: true,
            ..Self::default()
        }
    }
}
