//! The part of history and screen that is in view, and the cursor in it.

use std::ops::Range;
use std::sync::Arc;

use super::held::Held;
use super::motion::{self, Place, Word};
use super::rows::Rows;
use super::text;
use crate::domain::screen::{Row, ScreenSnapshot};
use crate::domain::size::Size;
use crate::pane::RowWindow;

/// A view of some rows with a cursor that is always within it and within what exists.
#[derive(Clone, Debug)]
pub(super) struct Viewport {
    rows: Rows,
    size: Size,
    /// Absolute number of the first row in view.
    top: u64,
    cursor: Place,
    /// The column that moving up and down goes back to where a row is long enough.
    wanted_col: u16,
    /// The cursor may go beyond the end of a row's text.
    free: bool,
}

impl Viewport {
    /// All the way down, with the cursor where the program has it.
    pub(super) fn new(screen: &ScreenSnapshot, size: Size) -> Self {
        let cursor = Place {
            row: screen.top.saturating_add(u64::from(screen.cursor.row)),
            col: screen.cursor.col,
        };
        let mut viewport = Self {
            rows: Rows::new(screen),
            size,
            top: 0,
            cursor,
            wanted_col: cursor.col,
            free: false,
        };
        viewport.top = viewport.bottom();
        viewport.settle();
        viewport
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(super) fn row(&self, number: u64) -> Option<&Arc<Row>> {
        self.rows.get(number)
    }

    pub(super) fn cursor(&self) -> Place {
        self.cursor
    }

    pub(super) fn top(&self) -> u64 {
        self.top
    }

    /// One more than the last row in view.
    pub(super) fn end(&self) -> u64 {
        self.top.saturating_add(self.height())
    }

    pub(super) fn is_at_bottom(&self) -> bool {
        self.top >= self.bottom()
    }

    pub(super) fn row_in_view(&self, row: u64) -> u16 {
        let last = self.size.rows().saturating_sub(1);
        u16::try_from(row.saturating_sub(self.top)).map_or(last, |row| row.min(last))
    }

    /// The place at a cell of the view; cells beyond its edges mean those at the edge.
    pub(super) fn place(&self, row: i32, col: u16) -> Place {
        let row = row.clamp(0, i32::from(self.size.rows()) - 1).unsigned_abs();
        Place {
            row: self
                .rows
                .extent()
                .clamp(self.top.saturating_add(u64::from(row))),
            col: col.min(self.edge()),
        }
    }

    pub(super) fn set_free(&mut self, free: bool) {
        self.free = free;
    }

    pub(super) fn set_frozen(&mut self, frozen: bool) {
        self.rows.set_frozen(frozen);
    }

    pub(super) fn go_to(&mut self, place: Place) {
        let row = self.rows.extent().clamp(place.row);
        let col = place.col.min(self.edge());
        let col = self.row(row).map_or(col, |row| text::head(row, col));
        self.cursor = Place { row, col };
        self.wanted_col = col;
        self.show_cursor();
    }

    /// Goes to a place and, if it is out of view, moves it to the middle.
    pub(super) fn jump_to(&mut self, place: Place) {
        if !(self.top..self.end()).contains(&place.row) {
            let top = place.row.saturating_sub(self.height() / 2);
            self.set_top(top);
        }
        self.go_to(place);
    }

    /// Goes back to a place in a view that began with a certain row.
    pub(super) fn restore(&mut self, place: Place, top: u64) {
        self.set_top(top);
        self.go_to(place);
    }

    pub(super) fn go_to_row(&mut self, row: u64) {
        let wanted = self.wanted_col;
        let row = self.rows.extent().clamp(row);
        let col = wanted.min(self.last_col(row));
        self.go_to(Place { row, col });
        self.wanted_col = wanted;
    }

    pub(super) fn go_to_col(&mut self, col: u16) {
        self.go_to(Place { col, ..self.cursor });
    }

    /// Goes to the end of the line, and from there up and down along the ends.
    pub(super) fn go_to_line_end(&mut self) {
        self.go_to_col(self.last_col(self.cursor.row));
        self.wanted_col = u16::MAX;
    }

    /// Goes to the first character of the line that is no blank.
    pub(super) fn go_to_line_text(&mut self) {
        let Some(row) = self.row(self.cursor.row) else {
            return;
        };
        let end = text::text_end(row);
        let first = (0..end).find(|col| text::kind_at(row, *col) != text::Kind::Blank);
        self.go_to_col(first.unwrap_or(0));
    }

    pub(super) fn go_lines(&mut self, lines: i64) {
        self.go_to_row(self.cursor.row.saturating_add_signed(lines));
    }

    pub(super) fn go_left(&mut self, times: u32) {
        let row = self.row(self.cursor.row);
        let mut col = self.cursor.col;
        for _ in 0..times.min(u32::from(self.size.cols())) {
            col = col.saturating_sub(1);
            col = row.map_or(col, |row| text::head(row, col));
        }
        self.go_to_col(col);
    }

    pub(super) fn go_right(&mut self, times: u32) {
        let row = self.row(self.cursor.row);
        let last = self.last_col(self.cursor.row);
        let mut col = self.cursor.col;
        for _ in 0..times.min(u32::from(self.size.cols())) {
            let next = row.map_or(col.saturating_add(1), |row| text::tail_end(row, col));
            if next > last {
                break;
            }
            col = next;
        }
        self.go_to_col(col);
    }

    pub(super) fn go_words(&mut self, times: u32, motion: Word) {
        let mut place = self.cursor;
        for _ in 0..times {
            let next = motion::word(&self.rows, place, motion);
            if next == place {
                break;
            }
            place = next;
        }
        self.go_to(place);
    }

    /// Moves view and cursor together; at an end the cursor goes on alone.
    pub(super) fn page(&mut self, lines: i64) {
        let row = self.cursor.row.saturating_add_signed(lines);
        self.set_top(self.top.saturating_add_signed(lines));
        self.go_to_row(row);
    }

    /// Moves the view; the cursor stays where it is as long as it is in view.
    pub(super) fn scroll(&mut self, lines: i64) {
        self.set_top(self.top.saturating_add_signed(lines));
        let last = self.end().saturating_sub(1);
        self.go_to_row(self.cursor.row.clamp(self.top, last));
    }

    /// Moves the view; the cursor keeps its place in it.
    pub(super) fn carry(&mut self, lines: i64) {
        let in_view = u64::from(self.row_in_view(self.cursor.row));
        self.set_top(self.top.saturating_add_signed(lines));
        self.go_to_row(self.top.saturating_add(in_view));
    }

    pub(super) fn resize(&mut self, size: Size) {
        let at_bottom = self.is_at_bottom();
        self.size = size;
        if at_bottom {
            self.top = self.bottom();
        }
        self.rows.refresh();
        self.settle();
    }

    pub(super) fn take_screen(&mut self, screen: &ScreenSnapshot) {
        self.rows.take_screen(screen);
        self.settle();
    }

    /// Lines were wrapped at another width, so that all rows have other numbers; the text stays in view.
    pub(super) fn rewrapped(&mut self, screen: &ScreenSnapshot, held: &Held) {
        self.rows.renumbered(screen);
        self.cursor = held.cursor;
        self.wanted_col = held.cursor.col;
        let top = if held.at_bottom { u64::MAX } else { held.top };
        self.set_top(top);
        self.settle();
    }

    /// The rows that were asked for will not come.
    pub(super) fn forget_asked(&mut self) {
        self.rows.forget_asked();
    }

    pub(super) fn take_window(&mut self, window: &RowWindow) {
        self.rows.take_window(window);
        self.settle();
    }

    pub(super) fn forget_answered(&mut self) {
        self.rows.forget_answered();
    }

    /// The rows to ask for, some pages around the view; those far away are let go of.
    pub(super) fn need(&mut self) -> Option<Range<u64>> {
        let (top, height) = (self.top, self.height());
        let around = |margin: u64| {
            let end = top.saturating_add(height).saturating_add(margin);
            top.saturating_sub(margin)..end
        };
        self.rows.keep_within(&around(height.saturating_mul(4)));
        self.rows
            .need(around(height / 2), around(height.saturating_mul(2)))
    }

    fn height(&self) -> u64 {
        u64::from(self.size.rows())
    }

    /// The last column.
    fn edge(&self) -> u16 {
        self.size.cols().saturating_sub(1)
    }

    /// The first row in view when all the way down.
    fn bottom(&self) -> u64 {
        let extent = self.rows.extent();
        let bottom = extent.end.saturating_sub(self.height());
        bottom.max(extent.history_start)
    }

    fn set_top(&mut self, top: u64) {
        self.top = top.clamp(self.rows.extent().history_start, self.bottom());
    }

    /// The last column the cursor goes to in a row.
    fn last_col(&self, row: u64) -> u16 {
        match self.row(row) {
            Some(row) if !self.free => text::text_end(row).saturating_sub(1).min(self.edge()),
            _ => self.edge(),
        }
    }

    /// Moves the view as little as it takes to show the cursor.
    fn show_cursor(&mut self) {
        let row = self.cursor.row;
        if row < self.top {
            self.top = row;
        } else if row >= self.end() {
            self.top = row.saturating_add(1).saturating_sub(self.height());
        }
    }

    /// Moves view and cursor into what exists.
    fn settle(&mut self) {
        self.set_top(self.top);
        self.cursor.row = self.rows.extent().clamp(self.cursor.row);
        self.cursor.col = self.cursor.col.min(self.edge());
        self.show_cursor();
    }
}
