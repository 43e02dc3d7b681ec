//! Changes of what stands on the screen: erasing, inserting, deleting, scrolling.
//!
//! What is erased or comes in has the pen's background and nothing else of its rendition.

use super::canvas::Canvas;
use super::page::{Margins, Page};
use super::sgr::Sgr;
use crate::domain::screen::Color;

/// Changes a canvas at its cursor.
pub(super) struct Editor<'a> {
    canvas: &'a mut Canvas,
}

impl<'a> Editor<'a> {
    pub fn new(canvas: &'a mut Canvas) -> Self {
        Self { canvas }
    }

    /// ED: 0 below, 1 above, 2 all.
    pub fn erase_screen(&mut self, part: u16, selective: bool) {
        if selective {
            let (row, col) = self.canvas.position();
            let cols = self.canvas.size().cols();
            let rows = match part {
                0 => row + 1..self.canvas.size().rows(),
                1 => 0..row,
                _ => 0..self.canvas.size().rows(),
            };
            for row in rows {
                self.canvas.page.erase_selectively(row, 0, cols);
            }
            self.canvas.place(row, col);
            if part < 2 {
                self.erase_line(part, true);
            }
        } else {
            self.canvas.page.grid.erase_screen(part, self.canvas.fill());
        }
    }

    /// EL: 0 to the right, 1 to the left, 2 all.
    ///
    /// While a wrap is pending the cursor stands behind the last column (as in VTE and Alacritty, other than in xterm):
    /// the character there stays, since programs end coloured lines this way.
    pub fn erase_line(&mut self, part: u16, selective: bool) {
        if selective {
            let (row, col) = self.canvas.position();
            let cols = self.canvas.size().cols();
            let (from, to) = match part {
                0 => (col, cols),
                1 => (0, col + 1),
                _ => (0, cols),
            };
            self.canvas.page.erase_selectively(row, from, to);
            self.canvas.place(row, col);
        } else {
            self.canvas.page.grid.erase_line(part, self.canvas.fill());
        }
    }

    pub fn erase_chars(&mut self, count: u16) {
        let (row, col) = self.canvas.position();
        let end = col.saturating_add(count).min(self.canvas.size().cols());
        self.canvas
            .page
            .grid
            .erase(row, col, end, self.canvas.fill());
        self.canvas.place(row, col);
    }

    pub fn insert_chars(&mut self, count: u16) {
        self.edit_cells(|page, row, col, fill| page.insert_cells(row, col, count, fill));
    }

    pub fn delete_chars(&mut self, count: u16) {
        self.edit_cells(|page, row, col, fill| page.delete_cells(row, col, count, fill));
    }

    fn edit_cells(&mut self, edit: impl FnOnce(&mut Page, u16, u16, Color)) {
        let (row, col) = self.canvas.position();
        if self.canvas.margins().has_col(col) {
            let fill = self.canvas.fill();
            edit(&mut self.canvas.page, row, col, fill);
        }
        self.canvas.place(row, col);
    }

    pub fn insert_lines(&mut self, count: u16) {
        self.edit_lines(|page, row, fill| page.insert_lines(row, count, fill));
    }

    pub fn delete_lines(&mut self, count: u16) {
        self.edit_lines(|page, row, fill| page.delete_lines(row, count, fill));
    }

    fn edit_lines(&mut self, edit: impl FnOnce(&mut Page, u16, Color)) {
        let (row, col) = self.canvas.position();
        let margins = self.canvas.margins();
        if margins.has_row(row) && margins.has_col(col) {
            let fill = self.canvas.fill();
            edit(&mut self.canvas.page, row, fill);
            self.canvas.place(row, margins.left);
        }
    }

    /// SU and SD; a pending wrap stays.
    pub fn scroll(&mut self, count: u16, up: bool) {
        let (row, col) = self.canvas.position();
        let pending = self.canvas.wraps_at_edge();
        let fill = self.canvas.fill();
        if up {
            self.canvas.page.scroll_up(count, fill);
        } else {
            self.canvas.page.scroll_down(count, fill);
        }
        self.canvas.place(row, col);
        if pending {
            self.canvas.pend(row);
        }
    }

    /// SL, SR, DECIC, DECDC: shifts the region's columns from the cursor, or from the left margin.
    pub fn shift_columns(&mut self, count: u16, insert: bool, at_cursor: bool) {
        let (row, col) = self.canvas.position();
        let margins = self.canvas.margins();
        if margins.has_row(row) && margins.has_col(col) {
            let from = if at_cursor { col } else { margins.left };
            self.canvas
                .page
                .shift_columns(from, count, insert, self.canvas.fill());
        }
        self.canvas.place(row, col);
    }

    /// DECALN: the screen full of E.
    pub fn align(&mut self) {
        let size = self.canvas.size();
        self.canvas.set_margins(Margins::whole(size));
        self.canvas.page.grid.set_sgr(Sgr::default());
        let line = "E".repeat(usize::from(size.cols()));
        for row in 0..size.rows() {
            self.canvas.place(row, 0);
            self.canvas.page.grid.put(line.as_bytes(), row);
        }
        self.canvas.place(0, 0);
    }

    /// RI: up one row, scrolling at the top margin.
    pub fn reverse_index(&mut self) {
        let margins = self.canvas.margins();
        let (row, col) = self.canvas.position();
        if row == margins.top && margins.has_col(col) {
            self.canvas.page.scroll_down(1, self.canvas.fill());
            self.canvas.place(row, col);
        } else if row != margins.top && row > 0 {
            self.canvas.place(row - 1, col);
        }
    }

    /// DECBI: left one column, shifting the region right at its left margin.
    pub fn back_index(&mut self) {
        let (row, col) = self.canvas.position();
        let margins = self.canvas.margins();
        if col == margins.left && margins.has_row(row) {
            self.shift_columns(1, true, false);
        } else {
            self.canvas.place(row, col.saturating_sub(1));
        }
    }

    /// DECFI: right one column, shifting the region left at its right margin.
    pub fn forward_index(&mut self) {
        let (row, col) = self.canvas.position();
        let margins = self.canvas.margins();
        if col == margins.right && margins.has_row(row) {
            self.shift_columns(1, false, false);
        } else {
            self.canvas
                .place(row, (col + 1).min(self.canvas.size().cols() - 1));
        }
    }
}
