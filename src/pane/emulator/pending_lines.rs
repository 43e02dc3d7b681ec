//! Lines that were printed below the grid and have not been put into it yet.
//!
//! While a program only prints lines on the screen's last row, what the grid would hold in between shows nowhere. The
//! lines are packed for history as they come; the grid gets the last screenful of them when somebody looks or when a
//! program does anything else. Always holds: putting all of it into the grid at once gives the screen and the history
//! that printing it there line by line would have given.

use super::cells::char_width;
use super::history::History;
use super::packed::{Packer, unpack};
use super::page::Page;
use super::style::Style;
use crate::domain::screen::{Color, Row};

pub(super) struct PendingLines {
    open: bool,
    /// The grid's rows are in history, and so are the lines; before that the lines are in `pending`.
    committed: bool,
    pending: History,
    /// The line being printed, on the screen's last row.
    current: Packer,
    /// Blank columns between the line's end and the cursor, from tabs.
    gap: u16,
    /// A carriage return came: the cursor stands at the line's start.
    returned: bool,
}

impl PendingLines {
    pub fn new() -> Self {
        Self {
            open: false,
            committed: false,
            pending: History::new(usize::MAX, 0),
            current: Packer::default(),
            gap: 0,
            returned: false,
        }
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The grid's last row is blank and the cursor stands at its start.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Forgets everything.
    pub fn discard(&mut self) {
        self.open = false;
        self.committed = false;
        self.pending.clear();
        self.current.clear();
        self.gap = 0;
        self.returned = false;
    }

    /// Where the next character goes; the number of columns for a pending wrap.
    pub fn col(&self) -> u16 {
        if self.returned {
            0
        } else {
            self.current.cols() + self.gap
        }
    }

    /// Prints text as far as it can be packed; returns how many bytes that was.
    pub fn text(&mut self, run: &str, style: &Style, page: &mut Page) -> usize {
        if self.returned {
            return 0;
        }
        let mut taken = 0;
        while let Some(rest) = run.get(taken..).filter(|rest| !rest.is_empty()) {
            let ascii = rest
                .bytes()
                .position(|byte| !byte.is_ascii())
                .unwrap_or(rest.len());
            let (now, here) = if ascii > 0 {
                (ascii, self.ascii(&rest.as_bytes()[..ascii], style, page))
            } else {
                let other = rest
                    .bytes()
                    .position(|byte| byte.is_ascii())
                    .unwrap_or(rest.len());
                (other, self.chars(&rest[..other], style, page))
            };
            taken += here;
            if here < now {
                break;
            }
        }
        taken
    }

    fn ascii(&mut self, run: &[u8], style: &Style, page: &mut Page) -> usize {
        let cols = page.grid.size().cols();
        let mut rest = run;
        while !rest.is_empty() {
            if self.col() >= cols && !self.finish_row(true, style, page) {
                break;
            }
            self.fill_gap();
            let room = usize::from(cols - self.current.cols());
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.current.push_ascii(now, style);
            rest = later;
        }
        run.len() - rest.len()
    }

    fn chars(&mut self, run: &str, style: &Style, page: &mut Page) -> usize {
        let cols = page.grid.size().cols();
        for (index, c) in run.char_indices() {
            let Some(width) = char_width(c) else {
                continue;
            };
            if width == 0 {
                if self.col() == 0 {
                    continue;
                }
                if self.gap > 0 || !self.current.join(c, cols) {
                    return index;
                }
                continue;
            }
            // Blanks before the edge are no text that could go on.
            if self.col() + width > cols && !self.finish_row(self.gap == 0, style, page) {
                return index;
            }
            self.fill_gap();
            self.current.push_char(c, width, style);
        }
        run.len()
    }

    fn fill_gap(&mut self) {
        for _ in 0..std::mem::take(&mut self.gap) {
            self.current.push_ascii(&[0], &Style::default());
        }
    }

    /// A line feed; false if it must be done on the grid.
    pub fn line_feed(&mut self, newline: bool, style: &Style, page: &mut Page) -> bool {
        (newline || self.col() == 0) && self.finish_row(false, style, page)
    }

    pub fn carriage_return(&mut self) {
        self.returned |= self.col() > 0;
    }

    /// A tab to that column; false if it must be done on the grid.
    pub fn tab(&mut self, to: u16) -> bool {
        if self.returned || to < self.col() {
            return false;
        }
        self.gap = to - self.current.cols();
        true
    }

    /// Whether erasing from the cursor to the row's end changes nothing.
    pub fn ends_at_cursor(&self, style: &Style, page: &Page) -> bool {
        !self.returned && self.col() < page.grid.size().cols() && style.bg == Color::DEFAULT
    }

    /// Ends the line; false where the new row would come in coloured.
    fn finish_row(&mut self, wrapped: bool, style: &Style, page: &mut Page) -> bool {
        if style.bg != Color::DEFAULT {
            return false;
        }
        if self.committed {
            page.history.push(&self.current, wrapped);
        } else {
            self.pending.push(&self.current, wrapped);
            if self.pending.len() >= usize::from(page.grid.size().rows()) {
                self.commit(page);
            }
        }
        self.current.clear();
        self.gap = 0;
        self.returned = false;
        true
    }

    /// All that the grid shows has left it: its rows go into history, then the lines.
    fn commit(&mut self, page: &mut Page) {
        let rows = page.grid.size().rows();
        page.history.hold(usize::from(rows) - 1);
        for row in 0..rows - 1 {
            page.keep_row(row);
        }
        let mut packer = Packer::default();
        for row in self.pending.rows(0..u64::MAX) {
            packer.set_row(&row);
            page.history.push(&packer, row.wrapped);
        }
        self.pending = History::new(usize::MAX, 0);
        self.committed = true;
    }

    /// Puts the lines into the grid. Returns whether the cursor stands at the start of a blank last row.
    pub fn settle(&mut self, page: &mut Page) -> bool {
        let last = page.grid.size().rows() - 1;
        if self.committed {
            Self::refill(page);
        } else {
            self.print(page);
        }
        let mut bytes = Vec::new();
        let mut links = Vec::new();
        self.current.pack(false, &mut bytes, &mut links);
        page.grid.go_to(last, 0);
        page.write_row(last, &unpack(&bytes, &links));
        let col = self.col();
        if page.grid.cursor() != (last, col) && col < page.grid.size().cols() {
            page.grid.go_to(last, col);
        }
        let fresh = self.current.cols() == 0 && self.gap == 0;
        self.discard();
        fresh
    }

    /// Fills the grid above its last row from the end of history.
    fn refill(page: &mut Page) {
        let above = page.grid.size().rows() - 1;
        page.grid.erase_screen(2, Color::DEFAULT);
        let rows: Vec<Row> = (0..above).filter_map(|_| page.history.pop()).collect();
        page.write_rows(rows.iter().rev());
        page.grid.set_joins_history();
        page.history.hold(0);
    }

    /// Prints the pending lines on the grid's last row, each scrolling it.
    fn print(&mut self, page: &mut Page) {
        let last = page.grid.size().rows() - 1;
        for row in self.pending.rows(0..u64::MAX) {
            page.write_row(last, &row);
            page.keep_rows(1);
            page.grid.carriage_return();
            page.grid.line_feed();
            page.grid.set_wrapped(last - 1, row.wrapped);
        }
    }
}
