//! The screen as programs see it: cursor, pen, character sets, margins and the modes that decide how text is placed.
//!
//! Follows xterm where terminals differ. A pending wrap is kept until the cursor moves or something is erased.

use std::ops::Range;
use std::sync::Arc;

use super::carriage::REPLACEMENT;
use super::cells::{CLUSTER_LIMIT, char_width, cluster_is_wide};
use super::charset::Charsets;
use super::grid::{Look, RawCell, raw_look, split};
use super::history::History;
use super::page::{Margins, Page};
use super::params::Params;
use super::style::Style;
use super::tabs::Tabs;
use super::tail::Tail;
use crate::domain::screen::{Color, Row};
use crate::domain::size::Size;

/// What the next character written looks like.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Pen {
    pub style: Style,
    /// DECSCA.
    pub protected: bool,
}

/// The modes that decide where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placing {
    /// DECOM: positions count from the margins.
    pub origin: bool,
    /// DECAWM.
    pub autowrap: bool,
    /// IRM.
    pub insert: bool,
    /// LNM: a line feed returns the carriage too.
    pub newline: bool,
    /// Private mode 45: backspace at the left edge goes to the row above.
    pub reverse_wrap: bool,
    /// DECLRMM: left and right margins may be set.
    pub side_margins: bool,
}

impl Default for Placing {
    fn default() -> Self {
        Self {
            origin: false,
            autowrap: true,
            insert: false,
            newline: false,
            reverse_wrap: false,
            side_margins: false,
        }
    }
}

/// What DECSC saves.
#[derive(Clone, Debug, Default)]
struct Saved {
    row: u16,
    col: u16,
    pending: bool,
    pen: Pen,
    charsets: Charsets,
    origin: bool,
}

pub(super) struct Screen {
    page: Page,
    tail: Tail,
    pen: Pen,
    /// The pen as the grid wants it; made anew when the pen has changed.
    look: Look,
    mark: Option<char>,
    pen_changed: bool,
    pub charsets: Charsets,
    pub tabs: Tabs,
    placing: Placing,
    /// A wrap is pending at a right margin that is not the screen's edge.
    margin_wrap: bool,
    saved: [Saved; 2],
    /// The last character printed, with what was joined to it, for REP.
    last: String,
    /// The cursor stands at the start of the last row, which a line feed has just made.
    fresh: bool,
    shown: Vec<Arc<Row>>,
}

impl Screen {
    pub fn new(size: Size, history: History) -> Self {
        Self {
            page: Page::new(size, history),
            tail: Tail::new(),
            pen: Pen::default(),
            look: Look::default(),
            mark: None,
            pen_changed: false,
            charsets: Charsets::default(),
            tabs: Tabs::new(size.cols()),
            placing: Placing::default(),
            margin_wrap: false,
            saved: Default::default(),
            last: String::new(),
            fresh: false,
            shown: Vec::new(),
        }
    }

    pub fn size(&self) -> Size {
        self.page.grid.size()
    }

    pub fn pen(&self) -> &Pen {
        &self.pen
    }

    pub fn apply_sgr(&mut self, params: &Params) {
        self.pen.style.apply(params);
        self.pen_changed = true;
    }

    pub fn set_protected(&mut self, protected: bool) {
        self.pen.protected = protected;
        self.pen_changed = true;
    }

    pub fn set_link(&mut self, link: Option<Arc<str>>) {
        self.pen.style.link = link;
        self.pen_changed = true;
    }

    pub fn placing(&self) -> Placing {
        self.placing
    }

    pub fn margins(&self) -> Margins {
        self.page.margins()
    }

    pub fn is_alternate(&self) -> bool {
        self.page.is_alternate()
    }

    /// Gives the history away; for an emulator that begins anew.
    pub fn take_history(&mut self) -> History {
        std::mem::replace(&mut self.page.history, History::new(0))
    }

    pub fn set_history_limit(&mut self, limit: usize) {
        self.settle();
        self.page.history.set_limit(limit);
    }

    /// Row and column of the cursor; a pending wrap counts as the last column.
    pub fn position(&self) -> (u16, u16) {
        if self.tail.is_open() {
            return (
                self.size().rows() - 1,
                self.tail.col().min(self.size().cols() - 1),
            );
        }
        let (row, col) = self.page.grid.cursor();
        (row, col.min(self.size().cols() - 1))
    }

    /// The cursor as DSR 6 reports it, counted from 1 and, in origin mode, from the margins.
    pub fn reported_position(&self) -> (u16, u16) {
        let (row, col) = self.position();
        let margins = self.margins();
        if self.placing.origin {
            (
                row.saturating_sub(margins.top) + 1,
                col.saturating_sub(margins.left) + 1,
            )
        } else {
            (row + 1, col + 1)
        }
    }

    fn pending(&self) -> bool {
        self.margin_wrap || self.page.grid.cursor().1 >= self.size().cols()
    }

    /// Puts lines that are still outside into the grid.
    pub fn settle(&mut self) {
        if self.tail.is_open() {
            self.fresh = self.tail.settle(&mut self.page);
        }
    }

    /// Every operation on the grid begins with this.
    fn begin(&mut self) {
        self.settle();
        self.fresh = false;
    }

    fn place(&mut self, row: u16, col: u16) {
        self.margin_wrap = false;
        self.page.grid.go_to(row, col);
    }

    fn fill(&self) -> Color {
        self.pen.style.bg
    }

    fn ready_pen(&mut self) {
        if self.pen_changed {
            let (look, load) = split(&self.pen.style, self.pen.protected);
            self.look = look;
            self.mark = load.and_then(|load| self.page.grid.mark(&load));
            self.pen_changed = false;
        }
        self.page.grid.set_look(self.look);
    }

    // Text.

    pub fn text(&mut self, run: &str) {
        let plain = self.charsets.is_plain()
            && self.placing.autowrap
            && !self.placing.insert
            && self.page.full_width()
            && !self.pen.protected;
        if self.fresh && plain && !self.tail.is_open() {
            self.tail.open();
        }
        let mut rest = run;
        if self.tail.is_open() {
            let taken = if plain {
                self.tail.text(run, &self.pen.style, &mut self.page)
            } else {
                0
            };
            self.remember(&run[..taken]);
            rest = &run[taken..];
            if rest.is_empty() {
                return;
            }
        }
        self.begin();
        if self.charsets.is_plain() {
            self.print(rest);
        } else {
            let translated = self.charsets.translate(rest);
            self.print(&translated);
        }
    }

    /// Keeps the last character of printed text for REP.
    fn remember(&mut self, run: &str) {
        if let Some((&last, _)) = run.as_bytes().split_last()
            && last.is_ascii()
        {
            self.last.clear();
            self.last.push(char::from(last));
            return;
        }
        let base = run
            .char_indices()
            .rev()
            .find(|(_, c)| char_width(*c).is_some_and(|width| width > 0));
        let joined = base.map_or(run, |(at, _)| {
            self.last.clear();
            &run[at..]
        });
        for c in joined.chars().filter(|c| char_width(*c).is_some()) {
            if self.last.len() < CLUSTER_LIMIT {
                self.last.push(c);
            }
        }
    }

    /// REP: the last character again.
    pub fn repeat(&mut self, count: u16) {
        let screenful = usize::from(self.size().cols()) * usize::from(self.size().rows());
        let run = self.last.repeat(usize::from(count).min(screenful));
        self.begin();
        self.print(&run);
    }

    fn print(&mut self, run: &str) {
        self.remember(run);
        if !self.placing.autowrap || self.placing.insert || !self.page.full_width() {
            for c in run.chars().filter(|c| char_width(*c).is_some()) {
                self.print_char(c);
            }
            return;
        }
        self.ready_pen();
        if self.mark.is_none() && run.is_ascii() {
            self.print_ascii(run.as_bytes());
        } else {
            self.print_mixed(run);
        }
    }

    fn print_ascii(&mut self, run: &[u8]) {
        let cols = self.size().cols();
        let (row, col) = self.page.grid.cursor();
        let (now, mut rest) = run.split_at(usize::from(cols - col).min(run.len()));
        if !now.is_empty() {
            self.page.grid.put(now, row);
        }
        while !rest.is_empty() {
            let (now, later) = rest.split_at(usize::from(cols).min(rest.len()));
            self.put_wrapped(now);
            rest = later;
        }
    }

    /// Puts text that begins with a character which wraps and goes no further than the next row's end.
    fn put_wrapped(&mut self, text: &[u8]) {
        let row = self.page.grid.cursor().0;
        let scrolls = row == self.margins().bottom;
        if scrolls {
            self.page.keep_rows(1);
        }
        self.page.grid.put_wrapping(text, scrolls);
        let (row, col) = self.page.grid.cursor();
        let fill = self.fill();
        if scrolls && fill != Color::DEFAULT && col < self.size().cols() {
            self.page.grid.erase(row, col, self.size().cols(), fill);
            self.place(row, col);
            self.ready_pen();
        }
    }

    fn print_mixed(&mut self, run: &str) {
        let cols = self.size().cols();
        let mut col = self.page.grid.cursor().1;
        let mut piece = Vec::with_capacity(run.len());
        let mut wraps = false;
        for c in run.chars() {
            let Some(width) = char_width(c) else { continue };
            if width == 0 {
                self.put_piece(&mut piece, wraps);
                wraps = false;
                self.join(c);
                col = self.page.grid.cursor().1;
                continue;
            }
            if col + width > cols {
                self.put_piece(&mut piece, wraps);
                wraps = true;
                col = 0;
            }
            col += width;
            push_char(&mut piece, if c == '\u{fffd}' { REPLACEMENT } else { c });
            if let Some(mark) = self.mark {
                push_char(&mut piece, mark);
            }
        }
        self.put_piece(&mut piece, wraps);
    }

    fn put_piece(&mut self, piece: &mut Vec<u8>, wraps: bool) {
        if piece.is_empty() {
            return;
        }
        if wraps {
            self.put_wrapped(piece);
        } else {
            let row = self.page.grid.cursor().0;
            self.page.grid.put(piece, row);
        }
        piece.clear();
    }

    /// Joins a character without width to the one left of the cursor.
    fn join(&mut self, c: char) {
        let (row, col) = self.page.grid.cursor();
        let Some(mut left) = col.checked_sub(1) else {
            return;
        };
        let grid = &mut self.page.grid;
        if grid
            .raw(row, left)
            .is_some_and(RawCell::is_wide_continuation)
        {
            left = left.saturating_sub(1);
        }
        let Some(cell) = grid.raw(row, left).cloned() else {
            return;
        };
        let mark = cell
            .contents()
            .chars()
            .find(|c| super::carriage::is_mark(*c));
        let mut cluster: String = cell
            .contents()
            .chars()
            .filter(|c| Some(*c) != mark)
            .collect();
        if cluster.len() >= CLUSTER_LIMIT {
            return;
        }
        cluster.push(c);
        if cell.is_wide() || !cluster_is_wide(&cluster) {
            grid.put(c.encode_utf8(&mut [0; 4]).as_bytes(), row);
            return;
        }
        // The character becomes two columns wide: it is written again, in the next row where there is no room.
        cluster.extend(mark);
        let mut to = (row, left);
        if left + 2 > grid.size().cols() {
            grid.erase(row, left, left + 1, self.pen.style.bg);
            self.place(row, left);
            self.index();
            to = (self.position().0, 0);
        }
        let grid = &mut self.page.grid;
        grid.set_look(raw_look(&cell));
        grid.go_to(to.0, to.1);
        grid.put(cluster.as_bytes(), to.0);
        self.ready_pen();
    }

    /// Prints one character where it may be inserted, may not wrap, or has a right margin.
    fn print_char(&mut self, c: char) {
        let width = char_width(c).unwrap_or(0);
        if width == 0 {
            return self.join(c);
        }
        let margins = self.margins();
        let cols = self.size().cols();
        let (mut row, mut col) = self.position();
        let end = if col <= margins.right {
            margins.right + 1
        } else {
            cols
        };
        if self.pending() || col + width > end {
            if self.placing.autowrap {
                let left = if margins.has_col(col) {
                    margins.left
                } else {
                    0
                };
                self.place(row, col);
                self.index();
                row = self.position().0;
                col = left;
            } else {
                col = end.saturating_sub(width);
            }
        }
        if self.placing.insert {
            self.page.insert_cells(row, col, width, self.pen.style.bg);
        }
        self.ready_pen();
        self.place(row, col);
        let mut text = Vec::new();
        push_char(&mut text, if c == '\u{fffd}' { REPLACEMENT } else { c });
        if let Some(mark) = self.mark {
            push_char(&mut text, mark);
        }
        self.page.grid.put(&text, row);
        if col + width == end && (end < cols || !self.placing.autowrap) {
            self.place(row, end - 1);
            self.margin_wrap = self.placing.autowrap;
        }
    }

    // Controls.

    pub fn carriage_return(&mut self) {
        if self.tail.is_open() {
            return self.tail.carriage_return();
        }
        let (row, col) = self.position();
        let left = self.margins().left;
        if left == 0 {
            self.margin_wrap = false;
            self.page.grid.carriage_return();
        } else {
            self.place(row, if col >= left { left } else { 0 });
        }
    }

    pub fn line_feed(&mut self) {
        if self.tail.is_open()
            && self
                .tail
                .line_feed(self.placing.newline, &self.pen.style, &mut self.page)
        {
            return;
        }
        self.begin();
        if self.placing.newline {
            self.carriage_return();
        }
        self.index();
    }

    /// IND: down one row, scrolling at the bottom margin.
    pub fn index(&mut self) {
        self.begin();
        let margins = self.margins();
        let (row, col) = self.position();
        if self.pending() {
            self.place(row, col);
        }
        if row == margins.bottom && margins.has_col(col) {
            let fill = self.fill();
            self.page.feed_line(fill);
            if self.page.grid.cursor() != (row, col) {
                self.place(row, col);
            }
            self.fresh = col == 0
                && fill == Color::DEFAULT
                && !self.is_alternate()
                && margins == Margins::whole(self.size());
        } else if row != margins.bottom && row + 1 < self.size().rows() {
            self.place(row + 1, col);
        }
    }

    /// RI: up one row, scrolling at the top margin.
    pub fn reverse_index(&mut self) {
        self.begin();
        let margins = self.margins();
        let (row, col) = self.position();
        if row == margins.top && margins.has_col(col) {
            self.page.scroll_down(1, self.pen.style.bg);
            self.place(row, col);
        } else if row != margins.top && row > 0 {
            self.place(row - 1, col);
        }
    }

    /// DECBI: left one column, shifting the region right at its left margin.
    pub fn back_index(&mut self) {
        self.begin();
        let (row, col) = self.position();
        let margins = self.margins();
        if col == margins.left && margins.has_row(row) {
            self.shift_columns(1, true, false);
        } else {
            self.place(row, col.saturating_sub(1));
        }
    }

    /// DECFI: right one column, shifting the region left at its right margin.
    pub fn forward_index(&mut self) {
        self.begin();
        let (row, col) = self.position();
        let margins = self.margins();
        if col == margins.right && margins.has_row(row) {
            self.shift_columns(1, false, false);
        } else {
            self.place(row, (col + 1).min(self.size().cols() - 1));
        }
    }

    pub fn next_line(&mut self) {
        self.begin();
        self.carriage_return();
        self.index();
    }

    pub fn backspace(&mut self) {
        self.move_left(1);
    }

    pub fn tab(&mut self, count: u16) {
        let (row, mut col) = self.position();
        let right = self.margins().right;
        let limit = if col <= right {
            right
        } else {
            self.size().cols() - 1
        };
        for _ in 0..count.min(self.size().cols()) {
            col = self.tabs.next(col).min(limit);
        }
        if self.tail.is_open() && self.tail.tab(col) {
            return;
        }
        self.begin();
        if !self.pending() {
            self.place(row, col);
        }
    }

    pub fn back_tab(&mut self, count: u16) {
        self.begin();
        let (row, mut col) = self.position();
        for _ in 0..count.min(self.size().cols()) {
            col = self.tabs.previous(col);
        }
        self.place(row, col);
    }

    pub fn set_tab(&mut self) {
        let (_, col) = self.position();
        self.tabs.set(col, true);
    }

    pub fn clear_tab(&mut self) {
        let (_, col) = self.position();
        self.tabs.set(col, false);
    }

    // Cursor.

    pub fn move_up(&mut self, count: u16) {
        self.begin();
        let (row, col) = self.position();
        let top = self.margins().top;
        let limit = if row >= top { top } else { 0 };
        self.place(row.saturating_sub(count).max(limit), col);
    }

    pub fn move_down(&mut self, count: u16) {
        self.begin();
        let (row, col) = self.position();
        let bottom = self.margins().bottom;
        let limit = if row <= bottom {
            bottom
        } else {
            self.size().rows() - 1
        };
        self.place(row.saturating_add(count).min(limit), col);
    }

    pub fn move_right(&mut self, count: u16) {
        self.begin();
        let (row, col) = self.position();
        let right = self.margins().right;
        let limit = if col <= right {
            right
        } else {
            self.size().cols() - 1
        };
        self.place(row, col.saturating_add(count).min(limit));
    }

    pub fn move_left(&mut self, count: u16) {
        self.begin();
        let (mut row, mut col) = self.position();
        let margins = self.margins();
        let reverse = self.placing.reverse_wrap && self.placing.autowrap;
        let mut count = count;
        if reverse && self.pending() {
            count -= 1;
        }
        loop {
            let limit = if col >= margins.left { margins.left } else { 0 };
            let step = count.min(col - limit);
            col -= step;
            count -= step;
            if count == 0 || !reverse {
                break;
            }
            // From the left edge on to the right end of the row above; from the top one round to the bottom.
            count -= 1;
            col = margins.right;
            row = if row == margins.top {
                margins.bottom
            } else {
                row.saturating_sub(1)
            };
        }
        self.place(row, col);
    }

    /// CUP: counted from 0, from the margins in origin mode.
    pub fn go_to(&mut self, row: u16, col: u16) {
        self.begin();
        let size = self.size();
        let margins = self.margins();
        if self.placing.origin {
            self.place(
                row.saturating_add(margins.top).min(margins.bottom),
                col.saturating_add(margins.left).min(margins.right),
            );
        } else {
            self.place(row.min(size.rows() - 1), col.min(size.cols() - 1));
        }
    }

    pub fn go_to_col(&mut self, col: u16) {
        let row = self.reported_position().0 - 1;
        self.go_to(row, col);
    }

    pub fn go_to_row(&mut self, row: u16) {
        let col = self.reported_position().1 - 1;
        self.go_to(row, col);
    }

    pub fn save_cursor(&mut self) {
        self.settle();
        let (row, col) = self.position();
        self.saved[usize::from(self.is_alternate())] = Saved {
            row,
            col,
            pending: self.pending(),
            pen: self.pen.clone(),
            charsets: self.charsets,
            origin: self.placing.origin,
        };
    }

    pub fn restore_cursor(&mut self) {
        self.begin();
        let saved = self.saved[usize::from(self.is_alternate())].clone();
        self.pen = saved.pen;
        self.pen_changed = true;
        self.charsets = saved.charsets;
        self.placing.origin = saved.origin;
        let size = self.size();
        let (row, col) = (
            saved.row.min(size.rows() - 1),
            saved.col.min(size.cols() - 1),
        );
        self.place(row, col);
        if saved.pending && col == size.cols() - 1 {
            self.pend(row);
        }
    }

    /// Brings back a pending wrap: what stands in the row's last column is written again.
    fn pend(&mut self, row: u16) {
        let mut col = self.size().cols() - 1;
        if self
            .page
            .grid
            .raw(row, col)
            .is_some_and(RawCell::is_wide_continuation)
        {
            col -= 1;
        }
        let Some(cell) = self.page.grid.raw(row, col).cloned() else {
            return;
        };
        if cell.has_contents() {
            self.page.grid.put_raw(row, col, &cell);
        } else {
            self.page.grid.set_look(raw_look(&cell));
            self.page.grid.go_to(row, col);
            self.page.grid.put(b" ", row);
        }
    }

    // Editing.

    /// ED: 0 below, 1 above, 2 all.
    pub fn erase_display(&mut self, part: u16, selective: bool) {
        self.begin();
        if selective {
            let (row, col) = self.position();
            let cols = self.size().cols();
            let rows = match part {
                0 => row + 1..self.size().rows(),
                1 => 0..row,
                _ => 0..self.size().rows(),
            };
            for row in rows {
                self.page.erase_selectively(row, 0, cols);
            }
            self.place(row, col);
            if part < 2 {
                self.erase_line(part, true);
            }
        } else {
            self.page.grid.erase_screen(part, self.pen.style.bg);
        }
    }

    /// ED 3.
    pub fn erase_history(&mut self) {
        self.settle();
        self.page.history.clear();
    }

    /// EL: 0 to the right, 1 to the left, 2 all.
    ///
    /// While a wrap is pending the cursor stands behind the last column (as in VTE and Alacritty, other than in xterm):
    /// the character there stays, since programs end coloured lines this way.
    pub fn erase_line(&mut self, part: u16, selective: bool) {
        if self.tail.is_open() && part == 0 && self.tail.ends_at_cursor(&self.pen.style, &self.page)
        {
            return;
        }
        self.begin();
        if selective {
            let (row, col) = self.position();
            let cols = self.size().cols();
            let (from, to) = match part {
                0 => (col, cols),
                1 => (0, col + 1),
                _ => (0, cols),
            };
            self.page.erase_selectively(row, from, to);
            self.place(row, col);
        } else {
            self.page.grid.erase_line(part, self.pen.style.bg);
        }
    }

    pub fn erase_chars(&mut self, count: u16) {
        self.begin();
        let (row, col) = self.position();
        let end = col.saturating_add(count).min(self.size().cols());
        self.page.grid.erase(row, col, end, self.pen.style.bg);
        self.place(row, col);
    }

    pub fn insert_chars(&mut self, count: u16) {
        self.edit_cells(|page, row, col, fill| page.insert_cells(row, col, count, fill));
    }

    pub fn delete_chars(&mut self, count: u16) {
        self.edit_cells(|page, row, col, fill| page.delete_cells(row, col, count, fill));
    }

    fn edit_cells(&mut self, edit: impl FnOnce(&mut Page, u16, u16, Color)) {
        self.begin();
        let (row, col) = self.position();
        if self.margins().has_col(col) {
            edit(&mut self.page, row, col, self.pen.style.bg);
        }
        self.place(row, col);
    }

    pub fn insert_lines(&mut self, count: u16) {
        self.edit_lines(|page, row, fill| page.insert_lines(row, count, fill));
    }

    pub fn delete_lines(&mut self, count: u16) {
        self.edit_lines(|page, row, fill| page.delete_lines(row, count, fill));
    }

    fn edit_lines(&mut self, edit: impl FnOnce(&mut Page, u16, Color)) {
        self.begin();
        let (row, col) = self.position();
        let margins = self.margins();
        if margins.has_row(row) && margins.has_col(col) {
            edit(&mut self.page, row, self.pen.style.bg);
            self.place(row, margins.left);
        }
    }

    /// SU and SD.
    pub fn scroll(&mut self, count: u16, up: bool) {
        self.begin();
        let (row, col) = self.position();
        if up {
            self.page.scroll_up(count, self.pen.style.bg);
        } else {
            self.page.scroll_down(count, self.pen.style.bg);
        }
        self.place(row, col);
    }

    /// SL, SR, DECIC, DECDC: shifts the region's columns from the cursor, or from the left margin.
    pub fn shift_columns(&mut self, count: u16, insert: bool, at_cursor: bool) {
        self.begin();
        let (row, col) = self.position();
        let margins = self.margins();
        if margins.has_row(row) && margins.has_col(col) {
            let from = if at_cursor { col } else { margins.left };
            self.page
                .shift_columns(from, count, insert, self.pen.style.bg);
        }
        self.place(row, col);
    }

    /// DECALN: the screen full of E.
    pub fn align(&mut self) {
        self.begin();
        let size = self.size();
        self.set_margins(Margins::whole(size));
        self.page.grid.set_look(Look::default());
        let line = "E".repeat(usize::from(size.cols()));
        for row in 0..size.rows() {
            self.place(row, 0);
            self.page.grid.put(line.as_bytes(), row);
        }
        self.place(0, 0);
    }

    // Margins, modes, screens.

    /// DECSTBM, rows counted from 0; impossible margins are ignored.
    pub fn set_rows(&mut self, top: u16, bottom: u16) {
        let bottom = bottom.min(self.size().rows() - 1);
        if top < bottom {
            self.begin();
            self.set_margins(Margins {
                top,
                bottom,
                ..self.margins()
            });
            self.go_to(0, 0);
        }
    }

    /// DECSLRM, columns counted from 0.
    pub fn set_cols(&mut self, left: u16, right: u16) {
        let right = right.min(self.size().cols() - 1);
        if left < right {
            self.begin();
            self.set_margins(Margins {
                left,
                right,
                ..self.margins()
            });
            self.go_to(0, 0);
        }
    }

    fn set_margins(&mut self, margins: Margins) {
        let (row, col) = self.position();
        self.page.set_margins(margins);
        self.place(row, col);
    }

    pub fn change_placing(&mut self, change: impl FnOnce(&mut Placing)) {
        self.settle();
        let before = self.placing;
        change(&mut self.placing);
        if before.origin != self.placing.origin {
            self.go_to(0, 0);
        }
        if before.side_margins && !self.placing.side_margins {
            let size = self.size();
            self.set_margins(Margins {
                left: 0,
                right: size.cols() - 1,
                ..self.margins()
            });
        }
    }

    /// Shows the other screen; the cursor stays where it is.
    pub fn show_alternate(&mut self, alternate: bool) {
        if alternate == self.is_alternate() {
            return;
        }
        self.begin();
        let (row, col) = self.position();
        let pending = self.pending() && !self.margin_wrap;
        self.page.show_alternate(alternate);
        self.place(row, col);
        if pending {
            self.pend(row);
        }
    }

    /// DECSTR.
    pub fn soft_reset(&mut self) {
        self.begin();
        let reverse_wrap = self.placing.reverse_wrap;
        self.placing = Placing {
            reverse_wrap,
            newline: self.placing.newline,
            ..Placing::default()
        };
        self.set_margins(Margins::whole(self.size()));
        self.pen = Pen::default();
        self.pen_changed = true;
        self.charsets = Charsets::default();
        self.saved[usize::from(self.is_alternate())] = Saved::default();
    }

    /// RIS.
    pub fn reset(&mut self) {
        self.settle();
        self.page.reset();
        self.pen = Pen::default();
        self.pen_changed = true;
        self.charsets = Charsets::default();
        self.tabs.reset();
        self.placing = Placing::default();
        self.margin_wrap = false;
        self.saved = Default::default();
        self.last.clear();
        self.fresh = false;
    }

    /// DECCOLM: a clear screen, margins and cursor as at the start; the size is the pane's and stays.
    pub fn change_columns(&mut self) {
        self.begin();
        self.placing.side_margins = false;
        self.set_margins(Margins::whole(self.size()));
        self.page.grid.erase_screen(2, self.pen.style.bg);
        self.go_to(0, 0);
    }

    pub fn resize(&mut self, size: Size) {
        if size == self.size() {
            return;
        }
        self.begin();
        let alternate = self.is_alternate();
        // A pending wrap becomes the first of the new columns.
        let cursor = self.page.grid.cursor();
        let primary = if alternate {
            self.page.show_alternate(false);
            self.page.grid.cursor()
        } else {
            cursor
        };
        let moved = self.page.resize(size, primary.0);
        let shifted = |row: u16| {
            let row = i32::from(row) + moved;
            u16::try_from(row.clamp(0, i32::from(size.rows()) - 1)).unwrap_or(0)
        };
        self.place(shifted(primary.0), primary.1.min(size.cols() - 1));
        self.saved[0].row = shifted(self.saved[0].row);
        self.tabs.resize(size.cols());
        if alternate {
            self.page.show_alternate(true);
            let lost = (cursor.0 + 1).saturating_sub(size.rows());
            self.place(cursor.0 - lost, cursor.1.min(size.cols() - 1));
        }
        self.shown.clear();
    }

    // Reading.

    /// The rows of the screen, each the same allocation as before while it has not changed.
    fn rows(&mut self) -> &[Arc<Row>] {
        self.settle();
        let mut read = Row::default();
        for row in 0..self.size().rows() {
            let index = usize::from(row);
            if !self.page.grid.take_touched(row) && index < self.shown.len() {
                continue;
            }
            self.page.grid.read_row(row, &mut read);
            match self.shown.get(index) {
                Some(shown) if **shown == read => {}
                Some(_) => self.shown[index] = self.shared(&read, index),
                None => self.shown.push(self.shared(&read, index)),
            }
        }
        &self.shown
    }

    /// The row as an allocation of its own, or its neighbour's where they are equal, as blank rows often are.
    fn shared(&self, row: &Row, index: usize) -> Arc<Row> {
        match index.checked_sub(1).and_then(|above| self.shown.get(above)) {
            Some(above) if **above == *row => Arc::clone(above),
            _ => Arc::new(row.clone()),
        }
    }

    /// The rows of the screen, in the caller's allocations where those are equal.
    pub fn shared_rows(&mut self, previous: &[Arc<Row>]) -> Vec<Arc<Row>> {
        self.rows();
        for (row, older) in self.shown.iter_mut().zip(previous) {
            if !Arc::ptr_eq(row, older) && **row == **older {
                row.clone_from(older);
            }
        }
        self.shown.clone()
    }

    /// Absolute numbers of the oldest row of history, of the screen's top row, and of the row after its last.
    pub fn extent(&mut self) -> (u64, u64, u64) {
        self.settle();
        let (start, top) = (self.page.history.start(), self.page.history.end());
        (start, top, top + u64::from(self.size().rows()))
    }

    /// Rows of history and screen by absolute number, cut to what exists.
    pub fn numbered_rows(&mut self, range: Range<u64>) -> Vec<Arc<Row>> {
        let (_, top, _) = self.extent();
        let mut rows: Vec<Arc<Row>> = self
            .page
            .history
            .rows(range.clone())
            .map(Arc::new)
            .collect();
        let index = |number: u64| usize::try_from(number.saturating_sub(top)).unwrap_or(usize::MAX);
        rows.extend(
            self.rows()
                .iter()
                .take(index(range.end))
                .skip(index(range.start))
                .cloned(),
        );
        rows
    }
}

fn push_char(text: &mut Vec<u8>, c: char) {
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
