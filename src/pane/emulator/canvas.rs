//! A page with a cursor and a pen: where text goes, and how it wraps, scrolls, is inserted and joined.
//!
//! A pending wrap is kept until the cursor moves.

use super::cells::{CLUSTER_LIMIT, GRID_CLUSTER_LIMIT, char_width, cluster_is_wide, shortened};
use super::history::History;
use super::page::{Margins, Page};
use super::pen::Pen;
use super::sgr::{RawCell, sgr_of};
use super::style_table::{ExtraStyle, from_grid, into_grid, is_mark};
use crate::domain::screen::Color;
use crate::domain::size::Size;

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

pub(super) struct Canvas {
    pub page: Page,
    pub pen: Pen,
    pub placing: Placing,
    /// A wrap is pending at a right margin that is not the screen's edge.
    margin_wrap: bool,
    /// The last character printed, with what was joined to it, for REP.
    last: String,
}

impl Canvas {
    pub fn new(size: Size, history: History) -> Self {
        Self {
            page: Page::new(size, history),
            pen: Pen::default(),
            placing: Placing::default(),
            margin_wrap: false,
            last: String::new(),
        }
    }

    /// Everything as in a new canvas; history is dropped.
    pub fn reset(&mut self) {
        self.page.reset();
        self.pen = Pen::default();
        self.placing = Placing::default();
        self.margin_wrap = false;
        self.last.clear();
    }

    pub fn size(&self) -> Size {
        self.page.grid.size()
    }

    pub fn margins(&self) -> Margins {
        self.page.margins()
    }

    pub fn is_alternate(&self) -> bool {
        self.page.is_alternate()
    }

    /// Row and column of the cursor; a pending wrap counts as the last column.
    pub fn position(&self) -> (u16, u16) {
        let (row, col) = self.page.grid.cursor();
        (row, col.min(self.size().cols() - 1))
    }

    pub fn pending(&self) -> bool {
        self.margin_wrap || self.page.grid.cursor().1 >= self.size().cols()
    }

    pub fn place(&mut self, row: u16, col: u16) {
        self.margin_wrap = false;
        self.page.grid.go_to(row, col);
    }

    /// Places the cursor; a column that is the width is a pending wrap.
    pub fn put_cursor(&mut self, row: u16, col: u16) {
        let cols = self.size().cols();
        self.place(row, col.min(cols - 1));
        if col >= cols {
            self.pend(row);
        }
    }

    /// The colour that blanks come in.
    pub fn fill(&self) -> Color {
        self.pen.style().bg
    }

    /// Makes the grid write in the pen's style; returns the mark that each character is to carry.
    fn ready_pen(&mut self) -> Option<char> {
        self.pen.ready(&mut self.page.grid)
    }

    /// Keeps the last character of printed text for REP.
    pub fn remember(&mut self, run: &str) {
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

    /// The last character printed, with what was joined to it.
    pub fn last(&self) -> &str {
        &self.last
    }

    pub fn set_last(&mut self, last: &str) {
        last.clone_into(&mut self.last);
    }

    /// Nothing is there to be repeated any more.
    pub fn forget(&mut self) {
        self.last.clear();
    }

    /// REP: the last character again.
    pub fn repeat(&mut self, count: u16) {
        let screenful = usize::from(self.size().cols()) * usize::from(self.size().rows());
        let run = self.last.repeat(usize::from(count).min(screenful));
        self.print(&run);
    }

    pub fn print(&mut self, run: &str) {
        self.remember(run);
        if !self.wraps_freely() {
            for c in run.chars().filter(|c| char_width(*c).is_some()) {
                self.print_char(c);
            }
            return;
        }
        let mark = self.ready_pen();
        if mark.is_none() && run.is_ascii() {
            self.print_ascii(run.as_bytes());
        } else {
            self.print_mixed(run, mark);
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

    fn print_mixed(&mut self, run: &str, mark: Option<char>) {
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
            push_char(&mut piece, into_grid(c));
            if let Some(mark) = mark {
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
        let mark = cell.contents().chars().find(|c| is_mark(*c));
        let extra = grid.extra_style(row, left).cloned().unwrap_or_default();
        let mut cluster = match &extra.cluster {
            Some(long) => long.to_string(),
            None => cell
                .contents()
                .chars()
                .filter(|c| !is_mark(*c))
                .map(from_grid)
                .collect(),
        };
        if cluster.len() >= CLUSTER_LIMIT {
            return;
        }
        cluster.push(c);
        let widens = !cell.is_wide() && cluster_is_wide(&cluster);
        let fits = cluster.len() <= GRID_CLUSTER_LIMIT;
        if fits && !widens {
            if !cell.has_contents() && col < grid.size().cols() {
                // A blank cell has no colour for text, even where the grid still knows the one that was there.
                let bg = grid.background(row, left);
                grid.erase(row, left, left + 1, bg);
                grid.go_to(row, col);
                self.ready_pen();
            }
            let mut encoded = [0; 4];
            let text = c.encode_utf8(&mut encoded);
            self.page.grid.put(text.as_bytes(), row);
            return;
        }
        let mut text: String;
        if fits {
            text = cluster.chars().map(into_grid).chain(mark).collect();
        } else {
            // The grid gets what decides the width, the table the whole.
            text = shortened(&cluster);
            let extra = ExtraStyle {
                cluster: Some(cluster.into()),
                ..extra
            };
            match grid.mark(&extra) {
                Some(mark) => text.push(mark),
                None => return,
            }
        }
        // A character that becomes two columns wide is written in the next row where there is no room.
        let mut to = (row, left);
        if widens && left + 2 > grid.size().cols() {
            let fill = self.fill();
            self.page.grid.erase(row, left, left + 1, fill);
            self.place(row, left);
            self.index();
            to = (self.position().0, 0);
        }
        let grid = &mut self.page.grid;
        grid.set_sgr(sgr_of(&cell));
        grid.go_to(to.0, to.1);
        grid.put(text.as_bytes(), to.0);
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
            self.page.insert_cells(row, col, width, self.fill());
        }
        let mark = self.ready_pen();
        self.place(row, col);
        let mut text = Vec::new();
        push_char(&mut text, into_grid(c));
        if let Some(mark) = mark {
            push_char(&mut text, mark);
        }
        self.page.grid.put(&text, row);
        if col + width == end && (end < cols || !self.placing.autowrap) {
            self.place(row, end - 1);
            self.margin_wrap = self.placing.autowrap;
        }
    }

    pub fn carriage_return(&mut self) {
        let (row, col) = self.position();
        let left = self.margins().left;
        if left == 0 {
            self.margin_wrap = false;
            self.page.grid.carriage_return();
        } else {
            self.place(row, if col >= left { left } else { 0 });
        }
    }

    /// IND: down one row, scrolling at the bottom margin. Returns whether the cursor stands now at the start of a blank
    /// row that has come in below all others.
    pub fn index(&mut self) -> bool {
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
            return col == 0
                && fill == Color::DEFAULT
                && !self.is_alternate()
                && margins == Margins::whole(self.size());
        }
        if row != margins.bottom && row + 1 < self.size().rows() {
            self.place(row + 1, col);
        }
        false
    }

    /// Brings back a pending wrap: what stands in the row's last column is written again.
    pub fn pend(&mut self, row: u16) {
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
            self.page.grid.set_sgr(sgr_of(&cell));
            self.page.grid.go_to(row, col);
            self.page.grid.put(b" ", row);
        }
    }

    pub fn set_margins(&mut self, margins: Margins) {
        let (row, col) = self.position();
        self.page.set_margins(margins);
        self.place(row, col);
    }

    /// Where positions count from.
    pub fn origin(&self) -> (u16, u16) {
        let margins = self.margins();
        if self.placing.origin {
            (margins.top, margins.left)
        } else {
            (0, 0)
        }
    }

    /// Whether text may pass without a look at each character.
    pub fn is_plain(&self) -> bool {
        self.wraps_freely() && !self.pen.is_protected()
    }

    fn wraps_freely(&self) -> bool {
        self.placing.autowrap && !self.placing.insert && self.page.full_width()
    }

    /// Whether a wrap is pending at the screen's edge.
    pub fn wraps_at_edge(&self) -> bool {
        self.pending() && !self.margin_wrap
    }
}

fn push_char(text: &mut Vec<u8>, c: char) {
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
