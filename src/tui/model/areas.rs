//! How the outer screen is shared out.

use crate::domain::layout::Rect;

/// From this width on there is room for the list of panes beside them.
const SIDEBAR_FROM: u16 = 140;
const SIDEBAR_WIDTH: u16 = 26;

/// The parts of the outer screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    pub tabs: Rect,
    pub sidebar: Option<Rect>,
    /// Where the panes of the active tab are.
    pub panes: Rect,
    /// One row for each provider, as far as there is room.
    pub providers: Option<Rect>,
    pub hints: Rect,
}

impl Areas {
    /// Shares out a screen of so many columns and rows among so many panes and providers.
    #[must_use]
    pub fn of((cols, rows): (u16, u16), panes: usize, providers: usize) -> Self {
        let strip = strip_rows(rows, providers);
        let body = rows.saturating_sub(2 + strip);
        let sidebar = cols >= SIDEBAR_FROM && panes > 1;
        let side = if sidebar { SIDEBAR_WIDTH } else { 0 };
        Self {
            tabs: Rect::new(0, 0, cols, rows.min(1)),
            sidebar: sidebar.then(|| Rect::new(0, 1, side, body)),
            panes: Rect::new(side, 1, cols.saturating_sub(side), body),
            providers: (strip > 0).then(|| Rect::new(0, 1 + body, cols, strip)),
            hints: Rect::new(
                0,
                rows.saturating_sub(1),
                cols,
                rows.saturating_sub(1).min(1),
            ),
        }
    }

    /// The area of several panes: without the first row, which holds the titles of the upper ones.
    #[must_use]
    pub fn below_titles(&self) -> Rect {
        Rect {
            y: self.panes.y.saturating_add(1),
            height: self.panes.height.saturating_sub(1),
            ..self.panes
        }
    }
}

/// Rows for so many providers. The panes keep most of a low screen.
fn strip_rows(rows: u16, providers: usize) -> u16 {
    let most = match rows {
        0..10 => 0,
        10..20 => 1,
        20..30 => 4,
        _ => 6,
    };
    u16::try_from(providers).unwrap_or(u16::MAX).min(most)
}
