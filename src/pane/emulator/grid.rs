//! The grid of cells: the `vt100` crate, spoken to in the sequences it gets right.
//!
//! Always holds: the crate's origin mode is off, its history is empty, and whatever it is fed is complete, so that the
//! cursor can be read and set between any two calls. A cursor column equal to the number of columns is a pending wrap.

use std::num::NonZeroU16;

use super::cells::{Content, push_cell};
use super::kept::KeptJoins;
use super::row_usage::RowUsage;
use super::sgr::{RawCell, Sgr, apply_extra, color, put_number, sgr_of, write_sgr};
use super::style::Style;
use super::style_table::{ExtraStyle, StyleTable, from_grid, is_mark};
use crate::domain::screen::{Cell, Color, Row};
use crate::domain::size::Size;

pub(super) struct Grid {
    vt: vt100::Parser,
    size: Size,
    /// The rendition that the crate's pen has now.
    sgr: Sgr,
    /// The scrolling region that the present screen of the crate has.
    region: (u16, u16),
    style_table: StyleTable,
    usage: RowUsage,
    out: Vec<u8>,
}

impl Grid {
    pub fn new(size: Size) -> Self {
        Self {
            vt: vt100::Parser::new(side(size.rows()), side(size.cols()), 0),
            size,
            sgr: Sgr::default(),
            region: (0, size.rows() - 1),
            style_table: StyleTable::default(),
            usage: RowUsage::new(size),
            out: Vec::new(),
        }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// Row and column; the column is `cols` while a wrap is pending.
    pub fn cursor(&self) -> (u16, u16) {
        self.vt.screen().cursor_position()
    }

    pub fn go_to(&mut self, row: u16, col: u16) {
        self.send("H", &[row + 1, col + 1]);
    }

    pub fn set_sgr(&mut self, sgr: Sgr) {
        if sgr == self.sgr {
            return;
        }
        self.out.clear();
        write_sgr(&mut self.out, self.sgr, sgr);
        self.sgr = sgr;
        self.vt.process(&self.out);
    }

    /// Feeds text (no control characters) that stays within `row`; the rendition must be set.
    pub fn put(&mut self, text: &[u8], row: u16) {
        self.vt.process(text);
        self.usage.extend(row, self.cursor().1);
        self.settle_joins(row);
    }

    /// Feeds text whose first character wraps; `scrolls` says that the cursor is on the region's last row.
    pub fn put_wrapping(&mut self, text: &[u8], scrolls: bool) {
        if scrolls {
            self.usage.move_up(self.region.0, self.region.1, 1);
        }
        let from = self.cursor().0;
        self.usage.touch(from);
        self.vt.process(text);
        let (row, col) = self.cursor();
        // Below the region the cursor cannot go on: it stays in its row.
        if let Some(above) = row.checked_sub(1).filter(|_| scrolls || row > from) {
            self.usage.set_wrapped(above, true);
        }
        self.usage.extend(row, col);
        self.settle_joins(row);
    }

    /// Line feed on the region's last row.
    pub fn line_feed(&mut self) {
        self.usage.move_up(self.region.0, self.region.1, 1);
        self.vt.process(b"\n");
    }

    pub fn carriage_return(&mut self) {
        self.vt.process(b"\r");
    }

    /// Sets the scrolling region; the cursor goes to its first row.
    pub fn set_region(&mut self, top: u16, bottom: u16) {
        self.region = (top, bottom);
        self.send("r", &[top + 1, bottom + 1]);
    }

    pub fn region(&self) -> (u16, u16) {
        self.region
    }

    /// Blanks cells of a row from `from` up to but not `to`, in one colour. Moves the cursor to the first.
    pub fn erase(&mut self, row: u16, from: u16, to: u16, fill: Color) {
        if from >= to {
            return;
        }
        self.set_sgr(Sgr {
            bg: fill,
            ..Sgr::default()
        });
        self.go_to(row, from);
        self.usage.blank(row, from, to, fill);
        if from == 0 && to >= self.size.cols() {
            self.send("K", &[2]);
        } else {
            self.send("X", &[to - from]);
        }
    }

    /// Blanks from the cursor to the end of its row (0), from its start to the cursor (1), or all of it (2).
    pub fn erase_line(&mut self, part: u16, fill: Color) {
        self.set_sgr(Sgr {
            bg: fill,
            ..Sgr::default()
        });
        let (row, col) = self.cursor();
        self.blank_line(part, row, col, fill);
        self.send("K", &[part]);
    }

    /// The same for the whole screen.
    pub fn erase_screen(&mut self, part: u16, fill: Color) {
        self.set_sgr(Sgr {
            bg: fill,
            ..Sgr::default()
        });
        let (cursor, col) = self.cursor();
        let rows = match part {
            0 => cursor + 1..self.size.rows(),
            1 => 0..cursor,
            _ => 0..self.size.rows(),
        };
        for row in rows {
            self.usage.blank(row, 0, self.size.cols(), fill);
        }
        self.blank_line(part, cursor, col, fill);
        self.send("J", &[part]);
    }

    fn blank_line(&mut self, part: u16, row: u16, col: u16, fill: Color) {
        let cols = self.size.cols();
        let (from, to) = match part {
            0 => (col, cols),
            1 => (0, col.saturating_add(1).min(cols)),
            _ => (0, cols),
        };
        self.usage.blank(row, from, to, fill);
    }

    /// Scrolls the region up by rows; what comes in is blank in the default colour.
    pub fn scroll_up(&mut self, rows: u16) {
        self.usage.move_up(self.region.0, self.region.1, rows);
        self.send("S", &[rows]);
    }

    pub fn scroll_down(&mut self, rows: u16) {
        self.usage.move_down(self.region.0, self.region.1, rows);
        self.send("T", &[rows]);
    }

    /// Inserts rows at the cursor's row, which is in the region.
    pub fn insert_lines(&mut self, rows: u16) {
        self.usage.move_down(self.cursor().0, self.region.1, rows);
        self.send("L", &[rows]);
    }

    pub fn delete_lines(&mut self, rows: u16) {
        let row = self.cursor().0;
        self.usage.move_up(row, self.region.1, rows);
        self.usage.cut_above(row);
        self.send("M", &[rows]);
    }

    pub fn insert_cells(&mut self, row: u16, col: u16, count: u16) {
        if self
            .raw(row, col)
            .is_some_and(vt100::Cell::is_wide_continuation)
        {
            self.split_wide(row, col);
        }
        self.go_to(row, col);
        if col == 0 {
            self.usage.cut_above(row);
        }
        let used = self.usage.end(row);
        self.usage.extend(
            row,
            if used > col {
                used.saturating_add(count)
            } else {
                used
            },
        );
        self.send("@", &[count]);
        self.settle_joins(row);
    }

    pub fn delete_cells(&mut self, row: u16, col: u16, count: u16) {
        self.go_to(row, col);
        self.usage.set_wrapped(row, false);
        self.send("P", &[count]);
        self.settle_joins(row);
    }

    /// Cuts a row from its neighbours where the end of a join has become blank: text that comes there later begins anew.
    fn settle_joins(&mut self, row: u16) {
        if row == 0 && !self.joins_history() {
            self.usage.set_joins_history(false);
        }
        for row in [row.checked_sub(1), Some(row)].into_iter().flatten() {
            if self.usage.wrapped(row) && !self.row_wrapped(row) {
                self.usage.set_wrapped(row, false);
            }
        }
    }

    /// Blanks the wide character whose second half is at `col`.
    fn split_wide(&mut self, row: u16, col: u16) {
        let bg = self.background(row, col.saturating_sub(1));
        self.erase(row, col.saturating_sub(1), col, bg);
    }

    /// Switches to the other screen. Each has its cursor and region in the crate: the caller sets both.
    pub fn show_alternate(&mut self, alternate: bool) {
        self.vt.process(if alternate {
            b"\x1b[?47h"
        } else {
            b"\x1b[?47l"
        });
        self.usage.swap();
    }

    /// Everything as in a new grid, the other screen's memory given back.
    pub fn reset(&mut self) {
        self.vt.process(b"\x1bc");
        self.sgr = Sgr::default();
        self.region = (0, self.size.rows() - 1);
        self.style_table.clear();
        self.usage = RowUsage::new(self.size);
    }

    /// Cuts or extends both screens at the right and at the bottom; the caller shows the primary one and has scrolled
    /// what should stay. The other one is scrolled by the crate where its cursor would be cut off.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.vt.screen_mut().clear_scrollback();
        self.vt
            .screen_mut()
            .set_size(side(size.rows()), side(size.cols()));
        self.region = (0, size.rows() - 1);
        self.usage.resize(size);
    }

    pub fn raw(&self, row: u16, col: u16) -> Option<&RawCell> {
        self.vt.screen().cell(row, col)
    }

    /// Copies a cell to a place (with its second half, if it is wide).
    pub fn put_raw(&mut self, row: u16, col: u16, cell: &RawCell) {
        if !cell.has_contents() {
            if !cell.is_wide_continuation() {
                self.erase(row, col, col + 1, color(cell.bgcolor()));
            }
            return;
        }
        self.set_sgr(sgr_of(cell));
        self.go_to(row, col);
        self.put(cell.contents().as_bytes(), row);
    }

    /// The background colour of a cell.
    pub fn background(&self, row: u16, col: u16) -> Color {
        self.raw(row, col)
            .map_or(Color::DEFAULT, |cell| color(cell.bgcolor()))
    }

    /// Whether a row goes on in the next one. Both ends of the join must still be there: what has been overwritten since
    /// belongs together no more.
    pub fn row_wrapped(&self, row: u16) -> bool {
        if !self.usage.wrapped(row) {
            return false;
        }
        let is_text = |row: u16, col: u16| {
            self.raw(row, col)
                .is_some_and(|cell| cell.has_contents() || cell.is_wide_continuation())
        };
        let Some(next) = self.raw(row + 1, 0).filter(|cell| cell.has_contents()) else {
            return false;
        };
        let last = self.size.cols() - 1;
        // A wide character that had no room in the last column leaves it blank.
        is_text(row, last) || (next.is_wide() && is_text(row, last - 1))
    }

    pub fn set_wrapped(&mut self, row: u16, wrapped: bool) {
        self.usage.set_wrapped(row, wrapped);
    }

    /// Whether the first row goes on with the newest row of history, if that one is wrapped.
    pub fn joins_history(&self) -> bool {
        self.usage.joins_history() && self.raw(0, 0).is_some_and(RawCell::has_contents)
    }

    pub fn set_joins_history(&mut self) {
        self.usage.set_joins_history(true);
    }

    /// The column from which on a row is blank.
    fn used(&self, row: u16) -> u16 {
        let used = self.usage.end(row);
        debug_assert!(
            (used..self.size.cols())
                .filter_map(|col| self.raw(row, col))
                .all(|cell| !cell.has_contents() && cell.bgcolor() == vt100::Color::Default),
            "row {row} is not blank from column {used} on"
        );
        used
    }

    /// Whether a row has neither text nor colour.
    pub fn row_is_blank(&self, row: u16) -> bool {
        (0..self.used(row)).all(|col| {
            self.raw(row, col)
                .is_none_or(|cell| !cell.has_contents() && color(cell.bgcolor()) == Color::DEFAULT)
        })
    }

    /// Reads a row into `out`, with as many cells as the grid has columns.
    pub fn read_row(&self, row: u16, out: &mut Row) {
        out.cells.clear();
        out.extras.clear();
        out.wrapped = self.row_wrapped(row);
        let cols = usize::from(self.size.cols());
        let used = usize::from(self.used(row));
        let mut cluster = String::new();
        let mut col = 0;
        while out.cells.len() < used {
            let Some(cell) = self.raw(row, col) else {
                break;
            };
            let sgr = sgr_of(cell);
            let mut style = Style {
                fg: sgr.fg,
                bg: sgr.bg,
                attrs: sgr.attrs,
                ..Style::default()
            };
            let wide = cell.is_wide() && usize::from(col) + 1 < cols;
            let content = if cell.has_contents() {
                self.content(cell.contents(), &mut style, &mut cluster)
            } else {
                style = Style::background(sgr.bg);
                Content::Blank
            };
            push_cell(out, content, wide, &style);
            col += if wide { 2 } else { 1 };
        }
        out.cells.resize(cols, Cell::default());
    }

    /// The rows of the screen that is not shown.
    pub fn read_other_rows(&mut self) -> Vec<Row> {
        self.on_other_screen(|grid| {
            let mut rows = vec![Row::default(); usize::from(grid.size.rows())];
            for (index, row) in (0..).zip(&mut rows) {
                grid.read_row(index, row);
            }
            rows
        })
    }

    /// Does something with the screen that is not shown.
    pub fn on_other_screen<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let alternate = self.vt.screen().alternate_screen();
        self.show_alternate(!alternate);
        let done = work(self);
        // Cursor and region of the screen shown are as they were: the crate keeps them for each.
        self.show_alternate(alternate);
        done
    }

    /// Which rows of the screen shown go on in the next one.
    pub fn joins(&self) -> KeptJoins {
        let rows = 0..self.size.rows();
        KeptJoins {
            wrapped: rows.filter(|row| self.usage.wrapped(*row)).collect(),
            with_history: self.usage.joins_history(),
        }
    }

    pub fn set_joins(&mut self, joins: &KeptJoins) {
        for row in 0..self.size.rows() {
            self.usage.set_wrapped(row, joins.wrapped.contains(&row));
        }
        self.usage.set_joins_history(joins.with_history);
    }

    /// Takes a cell's text apart into what it shows and the extra style it carries.
    fn content<'a>(&self, text: &str, style: &mut Style, cluster: &'a mut String) -> Content<'a> {
        let mut chars = text.chars();
        let first = match chars.next() {
            Some(c) => from_grid(c),
            None => return Content::Blank,
        };
        if chars.as_str().is_empty() {
            return Content::Char(first);
        }
        cluster.clear();
        cluster.push(first);
        for c in chars {
            if !is_mark(c) {
                cluster.push(c);
            } else if let Some(extra) = self.style_table.extra_style(c) {
                apply_extra(style, extra);
                if let Some(long) = &extra.cluster {
                    cluster.clear();
                    cluster.push_str(long);
                    break;
                }
            }
        }
        if cluster.len() == first.len_utf8() {
            Content::Char(first)
        } else {
            Content::Cluster(cluster)
        }
    }

    /// The extra style that the cell at a place carries.
    pub fn extra_style(&self, row: u16, col: u16) -> Option<&ExtraStyle> {
        if self.style_table.is_empty() {
            return None;
        }
        let text = self.raw(row, col)?.contents();
        self.style_table
            .extra_style(text.chars().find(|c| is_mark(*c))?)
    }

    /// The mark to append to each character of this style; `None` where the table is full of styles in use.
    pub fn mark(&mut self, extra: &ExtraStyle) -> Option<char> {
        if let Some(mark) = self.style_table.mark(extra) {
            return Some(mark);
        }
        let mut used = std::collections::HashSet::new();
        let alternate = self.vt.screen().alternate_screen();
        for screen in [!alternate, alternate] {
            self.vt
                .process(if screen { b"\x1b[?47h" } else { b"\x1b[?47l" });
            for row in 0..self.size.rows() {
                let cells = (0..self.size.cols()).filter_map(|col| self.vt.screen().cell(row, col));
                used.extend(
                    cells
                        .flat_map(|cell| cell.contents().chars())
                        .filter(|c| is_mark(*c)),
                );
            }
        }
        self.style_table.keep(|mark| used.contains(&mark));
        self.style_table.mark(extra)
    }

    pub fn mark_generation(&self) -> u64 {
        self.style_table.generation()
    }

    /// Whether a row may have changed since this was last asked.
    pub fn take_touched(&mut self, row: u16) -> bool {
        self.usage.take_touched(row)
    }

    /// Sends a control sequence.
    fn send(&mut self, last: &str, params: &[u16]) {
        self.out.clear();
        self.out.extend_from_slice(b"\x1b[");
        for (index, param) in params.iter().enumerate() {
            if index > 0 {
                self.out.push(b';');
            }
            put_number(&mut self.out, *param);
        }
        self.out.extend_from_slice(last.as_bytes());
        self.vt.process(&self.out);
    }
}

fn side(length: u16) -> NonZeroU16 {
    NonZeroU16::new(length).unwrap_or(NonZeroU16::MIN)
}
