//! Which part of a pane a viewer's terminal shows: the place around the cursor, or history.

use std::sync::Arc;

use crate::domain::chord::Chord;
use crate::domain::input::{KeyCode, Mods};
use crate::domain::layout::Rect;
use crate::domain::screen::{Attrs, Cell, Cursor, Row, ScreenSnapshot};
use crate::pane::Mirror;

/// Where a viewer looks.
#[derive(Debug, Default)]
pub(super) struct Viewport {
    /// The first row and column of the pane that are shown.
    top: u16,
    left: u16,
    /// The absolute number of the first row shown, while that is history; so it stands still under new output.
    first: Option<u64>,
    /// Keys scroll.
    is_steered: bool,
}

impl Viewport {
    /// Back to the present.
    pub fn live(&mut self) {
        self.first = None;
        self.is_steered = false;
    }

    pub fn is_steered(&self) -> bool {
        self.is_steered
    }

    /// Whether history is shown.
    pub fn is_back(&self) -> bool {
        self.first.is_some()
    }

    /// Rows between what is shown and the present.
    pub fn rows_back(&self, mirror: &Mirror) -> u64 {
        let (_, top) = mirror.history();
        self.first.map_or(0, |first| top.saturating_sub(first))
    }

    /// From here on keys scroll, until one of them returns.
    pub fn begin_steering(&mut self, mirror: &Mirror) {
        self.is_steered = true;
        let (_, top) = mirror.history();
        self.first.get_or_insert(top);
    }

    /// Scrolls by what a key says; `page` is the height that is seen.
    pub fn steer(&mut self, chord: Chord, page: u16, mirror: &Mirror) {
        let is = |code| chord == Chord::new(code, Mods::NONE);
        let control = |c| chord == Chord::new(KeyCode::Char(c), Mods::CTRL);
        let page = page.saturating_sub(1).max(1);
        if is(KeyCode::Up) || is(KeyCode::Char('k')) {
            self.scroll(true, 1, mirror);
        } else if is(KeyCode::Down) || is(KeyCode::Char('j')) {
            self.scroll(false, 1, mirror);
        } else if is(KeyCode::PageUp) || control('b') {
            self.scroll(true, page, mirror);
        } else if is(KeyCode::PageDown) || control('f') || is(KeyCode::Char(' ')) {
            self.scroll(false, page, mirror);
        } else if control('u') {
            self.scroll(true, page / 2, mirror);
        } else if control('d') {
            self.scroll(false, page / 2, mirror);
        } else if is(KeyCode::Home) || is(KeyCode::Char('g')) {
            self.first = Some(mirror.history().0);
        } else if is(KeyCode::End) || chord == Chord::new(KeyCode::Char('G'), Mods::NONE) {
            self.first = Some(mirror.history().1);
        } else if is(KeyCode::Escape) || is(KeyCode::Char('q')) {
            self.live();
        }
    }

    /// Scrolls into history or back; the present is reached by scrolling down to it, unless keys scroll.
    pub fn scroll(&mut self, up: bool, rows: u16, mirror: &Mirror) {
        let (oldest, top) = mirror.history();
        let first = self.first.unwrap_or(top);
        let first = if up {
            first.saturating_sub(u64::from(rows)).max(oldest)
        } else {
            first.saturating_add(u64::from(rows)).min(top)
        };
        self.first = (first < top || self.is_steered).then_some(first);
    }

    /// Brings the cursor into the part that is shown.
    pub fn follow(&mut self, screen: &ScreenSnapshot, hole: Rect) {
        let at = |from: u16, cursor: u16, seen: u16, whole: u16| {
            let least = cursor.saturating_sub(seen.saturating_sub(1));
            from.clamp(least, cursor).min(whole.saturating_sub(seen))
        };
        let (cursor, size) = (screen.cursor, screen.size);
        self.top = at(self.top, cursor.row, hole.height, size.rows());
        self.left = at(self.left, cursor.col, hole.width, size.cols());
    }

    /// The pane's row and column under one of the outer terminal's.
    pub fn place(&self, row: u16, col: u16) -> Option<(u16, u16)> {
        Some((row.checked_add(self.top)?, col.checked_add(self.left)?))
    }

    /// Where the cursor is, hidden or not, column first; None where that place is not shown.
    pub fn cursor(&self, cursor: Cursor, hole: Rect) -> Option<(u16, u16)> {
        let x = cursor.col.checked_sub(self.left)?;
        let y = cursor.row.checked_sub(self.top)?;
        let seen = !self.is_back() && x < hole.width && y < hole.height;
        seen.then_some((x, y))
    }

    /// The rows to show.
    pub fn rows(&self, screen: &ScreenSnapshot, hole: Rect, mirror: &Mirror) -> Vec<Arc<Row>> {
        let mut rows = match self.first {
            Some(first) => {
                // What scrolled out of history since is not shown any more.
                let first = first.max(mirror.history().0);
                mirror.rows(first..first + u64::from(hole.height))
            }
            None => screen
                .rows
                .iter()
                .skip(usize::from(self.top))
                .cloned()
                .collect(),
        };
        // History is read from its left edge.
        if self.left > 0 && !self.is_back() {
            for row in &mut rows {
                *row = Arc::new(shifted(row, self.left));
            }
        }
        rows
    }
}

/// A row without its first cells.
fn shifted(row: &Row, left: u16) -> Row {
    let mut cells = row
        .cells
        .get(usize::from(left)..)
        .unwrap_or_default()
        .to_vec();
    // Half of a wide character is a blank.
    if let Some(first) = cells.first_mut()
        && first.attrs.contains(Attrs::WIDE_TAIL)
    {
        *first = Cell {
            bg: first.bg,
            ..Cell::default()
        };
    }
    Row {
        cells,
        extras: row.extras.clone(),
        wrapped: row.wrapped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::size::Size;

    fn mirror() -> Mirror {
        let mut mirror = Mirror::new(Size::clamped(20, 4), 100);
        for number in 0..30 {
            mirror.feed(format!("line {number} 0123456789\r\n").as_bytes());
        }
        mirror
    }

    const HOLE: Rect = Rect {
        x: 0,
        y: 0,
        width: 6,
        height: 3,
    };

    fn shown(viewport: &mut Viewport, mirror: &mut Mirror) -> Vec<String> {
        let screen = mirror.screen().clone();
        viewport.follow(&screen, HOLE);
        let rows = viewport.rows(&screen, HOLE, mirror);
        rows.iter().take(3).map(|row| row.text()).collect()
    }

    #[test]
    fn the_part_around_the_cursor_is_shown() {
        let mut mirror = mirror();
        let mut viewport = Viewport::default();
        assert_eq!(shown(&mut viewport, &mut mirror)[0], "line 28 0123456789");
        mirror.feed("漢字 and more".as_bytes());
        let rows = shown(&mut viewport, &mut mirror);
        assert_eq!(rows[2], " more");
        assert_eq!(viewport.cursor(mirror.screen().cursor, HOLE), Some((5, 2)));
        assert_eq!(viewport.place(0, 0), Some((1, 8)));
        mirror.feed(b"\r");
        assert_eq!(shown(&mut viewport, &mut mirror)[2], "漢字 and more");
    }

    #[test]
    fn history_stands_still_under_new_output() {
        let mut mirror = mirror();
        let mut viewport = Viewport::default();
        viewport.scroll(true, 3, &mirror);
        let before = shown(&mut viewport, &mut mirror);
        assert_eq!(before[0], "line 24 0123456789");
        mirror.feed(b"new\r\nnew\r\n");
        assert_eq!(shown(&mut viewport, &mut mirror), before);
        assert_eq!(viewport.rows_back(&mirror), 5);
        viewport.scroll(false, 99, &mirror);
        assert!(!viewport.is_back());
    }

    #[test]
    fn keys_scroll_until_one_returns() {
        let mut mirror = mirror();
        let mut viewport = Viewport::default();
        viewport.begin_steering(&mirror);
        for (key, first) in [
            ("pageup", "line 25"),
            ("k", "line 24"),
            ("g", "line 0"),
            ("down", "line 1"),
            ("G", "line 27"),
        ] {
            viewport.steer(key.parse().unwrap(), 3, &mirror);
            let rows = shown(&mut viewport, &mut mirror);
            assert!(rows[0].starts_with(&format!("{first} ")), "{key}: {rows:?}");
        }
        assert!(viewport.is_steered());
        viewport.steer("q".parse().unwrap(), 3, &mirror);
        assert!(!viewport.is_steered() && !viewport.is_back());
    }
}
