//! A grid with its margins and the history above it: what scrolls, what is kept, in which colour blanks come in, and how
//! lines are wrapped at another width.

use std::collections::VecDeque;

use super::grid::Grid;
use super::history::History;
use super::packed::Packer;
use super::row_map::RowMap;
use super::row_writer;
use super::sgr::RawCell;
use super::wrap::wrap_rows;
use crate::domain::screen::{Color, Row};
use crate::domain::size::Size;

/// The rows of history that are wrapped anew together with the screen, since they belong to its first line; of a longer line
/// the rest is wrapped by itself.
const MAX_JOINED_ROWS: usize = 4096;

/// The rows and columns (each inclusive) that scroll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Margins {
    pub top: u16,
    pub bottom: u16,
    pub left: u16,
    pub right: u16,
}

impl Margins {
    pub fn whole(size: Size) -> Self {
        Self {
            top: 0,
            bottom: size.rows() - 1,
            left: 0,
            right: size.cols() - 1,
        }
    }

    pub fn has_row(self, row: u16) -> bool {
        (self.top..=self.bottom).contains(&row)
    }

    pub fn has_col(self, col: u16) -> bool {
        (self.left..=self.right).contains(&col)
    }
}

pub(super) struct Page {
    pub grid: Grid,
    pub history: History,
    margins: Margins,
    alternate: bool,
    packer: Packer,
    row: Row,
    /// Blank rows below the text that lines have taken which became more rows on a smaller width; given back on a larger one.
    lent_rows: u16,
}

impl Page {
    pub fn new(size: Size, history: History) -> Self {
        Self {
            grid: Grid::new(size),
            history,
            margins: Margins::whole(size),
            alternate: false,
            packer: Packer::default(),
            row: Row::default(),
            lent_rows: 0,
        }
    }

    pub fn lent_rows(&self) -> u16 {
        self.lent_rows
    }

    pub fn set_lent_rows(&mut self, rows: u16) {
        self.lent_rows = rows;
    }

    pub fn margins(&self) -> Margins {
        self.margins
    }

    /// Sets the margins. Leaves the cursor anywhere.
    pub fn set_margins(&mut self, margins: Margins) {
        self.margins = margins;
        self.sync_region();
    }

    fn sync_region(&mut self) {
        if self.grid.region() != (self.margins.top, self.margins.bottom) {
            self.grid.set_region(self.margins.top, self.margins.bottom);
        }
    }

    pub fn full_width(&self) -> bool {
        self.margins.left == 0 && self.margins.right == self.grid.size().cols() - 1
    }

    pub fn is_alternate(&self) -> bool {
        self.alternate
    }

    /// Shows the other screen; returns where its cursor was left. Leaves the cursor anywhere.
    pub fn show_alternate(&mut self, alternate: bool) -> (u16, u16) {
        self.end_history();
        self.alternate = alternate;
        self.grid.show_alternate(alternate);
        let cursor = self.grid.cursor();
        self.grid.set_region(self.margins.top, self.margins.bottom);
        cursor
    }

    /// Everything as in a new page; history is dropped.
    pub fn reset(&mut self) {
        self.grid.reset();
        self.history.clear();
        self.margins = Margins::whole(self.grid.size());
        self.alternate = false;
        self.lent_rows = 0;
    }

    /// Copies the top rows into history where they are about to leave over the screen's upper edge.
    pub fn keep_rows(&mut self, rows: u16) {
        if self.alternate || self.margins.top != 0 || !self.full_width() {
            return;
        }
        for row in 0..rows.min(self.margins.bottom + 1) {
            self.keep_row(row);
        }
    }

    /// Copies a row to the end of history.
    pub fn keep_row(&mut self, row: u16) {
        self.lent_rows = 0;
        if row == 0 {
            self.end_history();
        }
        self.grid.read_row(row, &mut self.row);
        self.packer.set_row(&self.row);
        self.history.push(&self.packer, self.row.wrapped);
    }

    pub fn scroll_up(&mut self, rows: u16, fill: Color) {
        let Margins { top, bottom, .. } = self.margins;
        let rows = rows.min(bottom - top + 1);
        if !self.full_width() {
            return self.shift(top, rows, true, fill);
        }
        self.keep_rows(rows);
        self.grid.scroll_up(rows);
        self.fill_rows(bottom + 1 - rows, bottom, fill);
    }

    pub fn scroll_down(&mut self, rows: u16, fill: Color) {
        let Margins { top, bottom, .. } = self.margins;
        let rows = rows.min(bottom - top + 1);
        if !self.full_width() {
            return self.shift(top, rows, false, fill);
        }
        self.grid.scroll_down(rows);
        self.fill_rows(top, top + rows - 1, fill);
    }

    /// The cursor is on the region's last row, which a line feed is to scroll up.
    pub fn feed_line(&mut self, fill: Color) {
        if !self.full_width() || fill != Color::DEFAULT {
            return self.scroll_up(1, fill);
        }
        self.keep_rows(1);
        self.grid.line_feed();
    }

    pub fn insert_lines(&mut self, row: u16, rows: u16, fill: Color) {
        let rows = rows.min(self.margins.bottom - row + 1);
        if !self.full_width() {
            return self.shift(row, rows, false, fill);
        }
        self.grid.go_to(row, 0);
        self.grid.insert_lines(rows);
        self.fill_rows(row, row + rows - 1, fill);
    }

    pub fn delete_lines(&mut self, row: u16, rows: u16, fill: Color) {
        let bottom = self.margins.bottom;
        let rows = rows.min(bottom - row + 1);
        if !self.full_width() {
            return self.shift(row, rows, true, fill);
        }
        self.grid.go_to(row, 0);
        self.grid.delete_lines(rows);
        self.fill_rows(bottom + 1 - rows, bottom, fill);
    }

    pub fn insert_cells(&mut self, row: u16, col: u16, count: u16, fill: Color) {
        let end = self.end_of(col);
        let count = count.min(end - col);
        if end == self.grid.size().cols() {
            self.grid.insert_cells(row, col, count);
        } else {
            let cells = self.copy_cells(row, col, end - count);
            self.put_cells(row, col + count, end, &cells);
            self.grid.erase(row, col, col + count, Color::DEFAULT);
        }
        if fill != Color::DEFAULT {
            self.grid.erase(row, col, col + count, fill);
        }
    }

    pub fn delete_cells(&mut self, row: u16, col: u16, count: u16, fill: Color) {
        let end = self.end_of(col);
        let count = count.min(end - col);
        if end == self.grid.size().cols() {
            self.grid.delete_cells(row, col, count);
        } else {
            let cells = self.copy_cells(row, col + count, end);
            self.put_cells(row, col, end - count, &cells);
            self.grid.erase(row, end - count, end, Color::DEFAULT);
        }
        if fill != Color::DEFAULT {
            self.grid.erase(row, end - count, end, fill);
        }
    }

    /// Shifts every row of the region by columns at `col` (SL, SR, DECIC, DECDC).
    pub fn shift_columns(&mut self, col: u16, count: u16, insert: bool, fill: Color) {
        for row in self.margins.top..=self.margins.bottom {
            if insert {
                self.insert_cells(row, col, count, fill);
            } else {
                self.delete_cells(row, col, count, fill);
            }
        }
    }

    /// The column after the last that a change at `col` may reach.
    fn end_of(&self, col: u16) -> u16 {
        if col <= self.margins.right {
            self.margins.right + 1
        } else {
            self.grid.size().cols()
        }
    }

    /// Blanks what is not protected.
    pub fn erase_selectively(&mut self, row: u16, from: u16, to: u16) {
        let mut col = from;
        while col < to {
            let protected = self
                .grid
                .extra_style(row, col)
                .is_some_and(|extra| extra.protected);
            let wide = self.grid.raw(row, col).is_some_and(RawCell::is_wide);
            let next = col + if wide { 2 } else { 1 };
            if !protected {
                let bg = self.grid.background(row, col);
                self.grid.erase(row, col, next.min(to), bg);
            }
            col = next;
        }
    }

    /// Moves the rows between the margins from `first` on, where the region is not as wide as the screen.
    fn shift(&mut self, first: u16, rows: u16, up: bool, fill: Color) {
        let Margins {
            bottom,
            left,
            right,
            ..
        } = self.margins;
        let count = bottom - first + 1;
        for step in 0..count {
            let to = if up { first + step } else { bottom - step };
            let from = if up {
                to.checked_add(rows)
            } else {
                to.checked_sub(rows)
            };
            match from.filter(|from| (first..=bottom).contains(from)) {
                Some(from) => {
                    let cells = self.copy_cells(from, left, right + 1);
                    self.put_cells(to, left, right + 1, &cells);
                }
                None => self.grid.erase(to, left, right + 1, fill),
            }
        }
    }

    fn copy_cells(&self, row: u16, from: u16, to: u16) -> Vec<RawCell> {
        (from..to)
            .filter_map(|col| self.grid.raw(row, col).cloned())
            .collect()
    }

    /// Puts copied cells from `col` up to but not `end`.
    fn put_cells(&mut self, row: u16, col: u16, end: u16, cells: &[RawCell]) {
        for (col, cell) in (col..end).zip(cells) {
            if cell.is_wide() && col + 1 >= end {
                self.grid.erase(row, col, col + 1, Color::DEFAULT);
            } else {
                self.grid.put_raw(row, col, cell);
            }
        }
    }

    fn fill_rows(&mut self, first: u16, last: u16, fill: Color) {
        if fill == Color::DEFAULT {
            return;
        }
        for row in first..=last {
            self.grid.erase(row, 0, self.grid.size().cols(), fill);
        }
    }

    /// Whether the primary screen's first row goes on with the newest row of history, if that one is wrapped.
    pub fn joins_history(&self) -> bool {
        self.alternate || self.grid.joins_history()
    }

    /// The newest row of history ends its line where the screen's first row does not go on with it.
    fn end_history(&mut self) {
        if !self.joins_history() {
            self.history.end_line();
        }
    }

    /// Writes a row where the grid has a blank one. Leaves the cursor behind the row's last text, or where it was.
    pub fn write_row(&mut self, row: u16, cells: &Row) {
        row_writer::write(&mut self.grid, row, cells);
    }

    /// Writes rows from the top down.
    pub fn write_rows<'a>(&mut self, rows: impl Iterator<Item = &'a Row>) {
        for (row, cells) in (0..self.grid.size().rows()).zip(rows) {
            self.write_row(row, cells);
        }
    }

    /// Resizes both screens; the primary one must be shown. Rows keep their absolute numbers but where lines are wrapped
    /// anew, which the map tells then. Leaves the cursor anywhere.
    ///
    /// With less height blank rows below the cursor go first, then top rows go into history, the cursor's own too where
    /// text stands below it; they come back with more.
    pub fn resize(&mut self, size: Size, cursor_row: u16) -> Option<RowMap> {
        let old = self.grid.size();
        self.set_margins(Margins::whole(old));
        let mut cursor_row = cursor_row;
        let map = (size.cols() != old.cols()).then(|| {
            let top = self.history.end();
            let map = self.rewrap(size.cols(), cursor_row);
            let (row, _) = map.place(top + u64::from(cursor_row), 0);
            cursor_row = self.row_on_screen(row);
            map
        });
        self.change_height(size, cursor_row);
        map
    }

    /// The row of the screen with an absolute number, or the nearest one.
    pub fn row_on_screen(&self, number: u64) -> u16 {
        let row = number.saturating_sub(self.history.end());
        let last = self.grid.size().rows() - 1;
        u16::try_from(row).unwrap_or(last).min(last)
    }

    fn change_height(&mut self, size: Size, cursor_row: u16) {
        let old = self.grid.size();
        if old.rows() != size.rows() {
            self.lent_rows = 0;
        }
        let lost = old.rows().saturating_sub(size.rows());
        let leaving = lost.saturating_sub(self.blank_rows_below(cursor_row));
        if leaving > 0 {
            self.scroll_up(leaving, Color::DEFAULT);
        }
        self.grid.go_to(cursor_row.saturating_sub(leaving), 0);
        self.grid.resize(size);
        self.margins = Margins::whole(size);
        let room = usize::from(size.rows().saturating_sub(old.rows()));
        let returning = u16::try_from(room.min(self.history.len())).unwrap_or(0);
        if returning > 0 {
            self.end_history();
            self.grid.scroll_down(returning);
            let rows: Vec<Row> = (0..returning).filter_map(|_| self.history.pop()).collect();
            self.write_rows(rows.iter().rev());
            self.grid.set_joins_history();
        }
    }

    /// How many rows at the screen's bottom, below the cursor's, are blank.
    fn blank_rows_below(&self, cursor_row: u16) -> u16 {
        let below = (cursor_row + 1..self.grid.size().rows()).rev();
        let blank = below.take_while(|row| self.grid.row_is_blank(*row)).count();
        u16::try_from(blank).unwrap_or(u16::MAX)
    }

    /// Gives both screens another width and wraps the lines of the primary one, and history, anew. Blank rows below the
    /// text go first where lines become more rows, then top rows go into history; both come back where they become fewer.
    fn rewrap(&mut self, cols: u16, cursor_row: u16) -> RowMap {
        let old = self.grid.size();
        let height = usize::from(old.rows());
        let blank = usize::from(self.blank_rows_below(cursor_row));
        let used = height - blank;
        self.end_history();
        // The line that goes on in the screen's first row is wrapped as a whole.
        let mut source = VecDeque::new();
        while self.history.ends_wrapped() && source.len() < MAX_JOINED_ROWS {
            let Some(row) = self.history.pop() else { break };
            source.push_front(row);
        }
        let above = source.len();
        let first = self.history.end();
        for row in (0..old.rows()).take(used) {
            let mut cells = Row::default();
            self.grid.read_row(row, &mut cells);
            source.push_back(cells);
        }
        let mut map = RowMap {
            old_cols: old.cols(),
            new_cols: cols,
            lines: self.history.set_cols(cols),
        };
        let mut rows = wrap_rows(
            source.make_contiguous(),
            first,
            self.history.end(),
            &mut map,
        );
        let (top, _) = map.place(first + above as u64, 0);
        let kept = usize::try_from(top.saturating_sub(self.history.end())).unwrap_or(0);
        let wanted = height - self.blanks_after(blank, used, rows.len().saturating_sub(kept));
        while rows.len() < wanted {
            let Some(row) = self.history.pop() else { break };
            rows.push_front(row);
        }
        for row in rows.drain(..rows.len().saturating_sub(wanted)) {
            self.packer.set_row(&row);
            self.history.push_untrimmed(&self.packer, row.wrapped);
        }
        self.grid.go_to(0, 0);
        self.grid.erase_screen(2, Color::DEFAULT);
        self.grid.resize(Size::clamped(cols, old.rows()));
        self.margins = Margins::whole(self.grid.size());
        self.write_rows(rows.iter());
        self.grid.set_joins_history();
        map
    }

    /// How many blank rows stay below the text, of which there were `blank`, where `before` rows of it become `now`.
    fn blanks_after(&mut self, blank: usize, before: usize, now: usize) -> usize {
        let lent = usize::from(self.lent_rows);
        let (lent, blank) = if now >= before {
            let taken = (now - before).min(blank);
            (lent + taken, blank - taken)
        } else {
            let given = (before - now).min(lent);
            (lent - given, blank + given)
        };
        self.lent_rows = u16::try_from(lent).unwrap_or(u16::MAX);
        blank
    }
}
