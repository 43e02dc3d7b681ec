//! Which part of a pane's screen is seen.

use crate::domain::layout::Rect;
use crate::tui::session::Pane;

/// A pane of fewer rows has none to spare for a bar.
const BAR_FROM_ROWS: u16 = 3;

/// Where a pane's screen is shown within its area: all over it, but for the screen of a viewer that has another size.
pub(super) struct Window {
    pub rect: Rect,
    /// The row of the screen that is shown first.
    pub first_row: usize,
    /// The last row of the area tells that a viewer types.
    pub bar: bool,
}

impl Window {
    /// Of a screen that is too high the part with the cursor is shown, of one that is too wide the left part.
    pub fn of(pane: &Pane, rect: Rect) -> Self {
        let taken = pane.info.taken && pane.lives() && pane.copy.is_none();
        let Some(screen) = pane.screen.as_ref().filter(|_| taken) else {
            return Self {
                rect,
                first_row: 0,
                bar: false,
            };
        };
        let bar = rect.height >= BAR_FROM_ROWS;
        let room = rect.height - u16::from(bar);
        let cursor_end = screen.cursor.row.saturating_add(1);
        Self {
            rect: Rect {
                width: rect.width.min(screen.size.cols()),
                height: room.min(screen.size.rows()),
                ..rect
            },
            first_row: usize::from(cursor_end.saturating_sub(room)),
            bar,
        }
    }
}
