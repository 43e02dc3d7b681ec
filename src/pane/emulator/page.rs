//! A grid with its margins and the history above it: what scrolls, what is kept, and in which colour blanks come in.

use super::cells::{Content, content_of, style_of};
use super::grid::Grid;
use super::history::History;
use super::packed::Packer;
use super::sgr::{RawCell, sgr_of, split};
use super::style_table::into_grid;
use crate::domain::screen::{Attrs, Cell, Color, Row};
use crate::domain::size::Size;

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
        }
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

    /// Writes a row where the grid has a blank one. `joined` says that the cursor has a wrap pending above it, so that
    /// the first character makes the row above wrapped.
    pub fn write_row(&mut self, row: u16, cells: &Row, joined: bool) {
        let mut text = Vec::new();
        let mut placed = joined;
        let mut last: Option<Cell> = None;
        let mut mark = None;
        let cols = self.grid.size().cols();
        for (col, cell) in (0..cols).zip(&cells.cells) {
            if cell.attrs.contains(Attrs::WIDE_TAIL) {
                continue;
            }
            if !last.as_ref().is_some_and(|last| looks_alike(last, cell)) {
                self.flush(row, &mut text);
                let (sgr, extra) = split(&style_of(cells, cell), false);
                mark = extra.and_then(|extra| self.grid.mark(&extra));
                self.grid.set_sgr(sgr);
            }
            let content = content_of(cells, cell);
            let cut = cell.attrs.contains(Attrs::WIDE) && col + 1 >= cols;
            if content == Content::Blank || cut {
                self.flush(row, &mut text);
                if cell.bg != Color::DEFAULT {
                    self.grid.erase(row, col, col + 1, cell.bg);
                }
                last = None;
                placed = false;
                continue;
            }
            last = Some(*cell);
            if !placed {
                self.grid.go_to(row, col);
                placed = true;
            }
            push_content(&mut text, content);
            if let Some(mark) = mark {
                push_char(&mut text, mark);
            }
        }
        self.flush(row, &mut text);
    }

    /// Puts what has been collected; where the cursor still has a wrap pending above, that happens first.
    fn flush(&mut self, row: u16, text: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let (above, col) = self.grid.cursor();
        if col >= self.grid.size().cols() {
            self.grid.put_wrapping(text, above == self.margins.bottom);
        } else {
            self.grid.put(text, row);
        }
        text.clear();
    }

    /// Resizes both screens; the primary one must be shown. Returns by how many rows its content has moved down.
    ///
    /// With less height blank rows below the cursor go first, then top rows go into history, the cursor's own too where
    /// text stands below it; they come back with more.
    pub fn resize(&mut self, size: Size, cursor_row: u16) -> i32 {
        let old = self.grid.size();
        self.set_margins(Margins::whole(old));
        let lost = old.rows().saturating_sub(size.rows());
        let below = (cursor_row + 1..old.rows())
            .rev()
            .take_while(|row| self.grid.row_is_blank(*row))
            .count();
        let below = u16::try_from(below).unwrap_or(u16::MAX);
        let leaving = lost.saturating_sub(below);
        if leaving > 0 {
            self.scroll_up(leaving, Color::DEFAULT);
        }
        self.grid.go_to(cursor_row.saturating_sub(leaving), 0);
        self.grid.resize(size);
        self.margins = Margins::whole(size);
        let room = usize::from(size.rows().saturating_sub(old.rows()));
        let returning = u16::try_from(room.min(self.history.len())).unwrap_or(0);
        if returning > 0 {
            self.grid.scroll_down(returning);
            let rows: Vec<Row> = (0..returning).filter_map(|_| self.history.pop()).collect();
            if self.write_rows(rows.iter().rev()) {
                self.join_row(returning);
            }
        }
        i32::from(returning) - i32::from(leaving)
    }

    /// Writes a row's first character again by way of the wrap that is pending above it.
    fn join_row(&mut self, row: u16) {
        if let Some(cell) = self
            .grid
            .raw(row, 0)
            .filter(|cell| cell.has_contents())
            .cloned()
        {
            self.grid.set_sgr(sgr_of(&cell));
            self.grid.put_wrapping(cell.contents().as_bytes(), false);
        }
    }

    /// Writes rows from the top down; returns whether the last one goes on in the row below it.
    pub fn write_rows<'a>(&mut self, rows: impl Iterator<Item = &'a Row>) -> bool {
        let cols = usize::from(self.grid.size().cols());
        let mut joined = false;
        for (row, cells) in (0..self.grid.size().rows()).zip(rows) {
            self.write_row(row, cells, joined && starts_with_text(cells));
            joined = cells.wrapped
                && self.grid.cursor() == (row, self.grid.size().cols())
                && cells.cells.len() == cols;
        }
        joined
    }
}

fn starts_with_text(row: &Row) -> bool {
    row.cells.first().is_some_and(|cell| cell.ch != '\0')
}

fn looks_alike(left: &Cell, right: &Cell) -> bool {
    left.extra == 0
        && right.extra == 0
        && left.fg == right.fg
        && left.bg == right.bg
        && left.attrs.without(Attrs::WIDE) == right.attrs.without(Attrs::WIDE)
}

fn push_content(text: &mut Vec<u8>, content: Content<'_>) {
    match content {
        Content::Blank => {}
        Content::Char(c) => push_char(text, into_grid(c)),
        Content::Cluster(cluster) => {
            let mut chars = cluster.chars();
            if let Some(first) = chars.next() {
                push_char(text, into_grid(first));
            }
            text.extend_from_slice(chars.as_str().as_bytes());
        }
    }
}

fn push_char(text: &mut Vec<u8>, c: char) {
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
