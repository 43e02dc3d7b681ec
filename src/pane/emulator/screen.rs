//! The screen as programs see it: a canvas with the lines still outside of it, character sets, tabs, saved cursors and
//! the other screen behind.
//!
//! Always holds: whatever reads or changes cells or the cursor has put the outstanding lines into the grid before.

use std::ops::Range;
use std::sync::Arc;

use super::canvas::{Canvas, Placing};
use super::charset::Charsets;
use super::edit::Editor;
use super::history::History;
use super::motion::Motion;
use super::page::{Margins, Page};
use super::params::Params;
use super::pen::Pen;
use super::pending_lines::PendingLines;
use super::rewraps::Rewraps;
use super::row_cache::RowCache;
use super::tabs::Tabs;
use crate::domain::screen::Row;
use crate::domain::size::Size;

/// What DECSC saves.
#[derive(Clone, Debug, Default)]
pub(super) struct Saved {
    pub row: u16,
    pub col: u16,
    pub pending: bool,
    pub pen: Pen,
    pub charsets: Charsets,
    pub origin: bool,
}

impl Saved {
    /// Whether restoring it does what it does where nothing was saved.
    pub fn is_default(&self) -> bool {
        (self.row, self.col, self.pending, self.origin) == (0, 0, false, false)
            && self.charsets == Charsets::default()
            && self.pen.style().is_default()
            && !self.pen.is_protected()
    }
}

pub(super) struct Screen {
    canvas: Canvas,
    pending: PendingLines,
    /// The cursor stands at the start of the last row, which has just come in blank.
    fresh: bool,
    pub charsets: Charsets,
    pub tabs: Tabs,
    /// Of the primary and of the alternate screen.
    saved: [Saved; 2],
    row_cache: RowCache,
    rewraps: Rewraps,
    /// Where the cursor belongs that a resize has left no room for.
    lost_cursor: Option<LostCursor>,
}

/// A cursor whose text a resize has moved into history. Holds until the program does something.
#[derive(Clone, Copy)]
struct LostCursor {
    /// Absolute row and column of its text.
    row: u64,
    col: u16,
}

impl Screen {
    pub fn new(size: Size, history: History) -> Self {
        Self {
            canvas: Canvas::new(size, history),
            rewraps: Rewraps::default(),
            lost_cursor: None,
            pending: PendingLines::new(),
            fresh: false,
            charsets: Charsets::default(),
            tabs: Tabs::new(size.cols()),
            saved: Default::default(),
            row_cache: RowCache::default(),
        }
    }

    pub fn size(&self) -> Size {
        self.canvas.size()
    }

    pub fn pen(&self) -> &Pen {
        &self.canvas.pen
    }

    pub fn apply_sgr(&mut self, params: &Params) {
        self.canvas.pen.change(|style| style.apply(params));
    }

    pub fn set_protected(&mut self, protected: bool) {
        self.canvas.pen.set_protected(protected);
    }

    pub fn set_link(&mut self, link: Option<Arc<str>>) {
        self.canvas.pen.change(|style| style.link = link);
    }

    pub fn placing(&self) -> Placing {
        self.canvas.placing
    }

    pub fn margins(&self) -> Margins {
        self.canvas.margins()
    }

    pub fn is_alternate(&self) -> bool {
        self.canvas.is_alternate()
    }

    /// Gives the history away; for a screen that is given up.
    pub fn take_history(&mut self) -> History {
        let cols = self.size().cols();
        std::mem::replace(&mut self.canvas.page.history, History::new(0, cols))
    }

    pub fn set_history_limit(&mut self, limit: usize) {
        self.settle();
        self.canvas.page.history.set_limit(limit);
    }

    /// What DECSC saved: 0 on the primary screen, 1 on the alternate one.
    pub fn saved(&self, index: usize) -> &Saved {
        &self.saved[index.min(1)]
    }

    /// The rows of the screen that is not shown.
    pub fn other_rows(&mut self) -> Vec<Arc<Row>> {
        self.settle();
        let rows = self.canvas.page.grid.read_other_rows();
        rows.into_iter().map(Arc::new).collect()
    }

    /// Whether the next character wraps first. Lines outside the grid must have been put there.
    pub fn pending(&self) -> bool {
        self.canvas.pending()
    }

    /// Row and column of the cursor; a pending wrap counts as the last column.
    pub fn position(&self) -> (u16, u16) {
        if !self.pending.is_open() {
            return self.canvas.position();
        }
        let size = self.size();
        (size.rows() - 1, self.pending.col().min(size.cols() - 1))
    }

    /// The cursor as DSR 6 reports it, counted from 1 and, in origin mode, from the margins.
    pub fn reported_position(&self) -> (u16, u16) {
        let (row, col) = self.position();
        let (top, left) = self.canvas.origin();
        (row.saturating_sub(top) + 1, col.saturating_sub(left) + 1)
    }

    /// Puts lines that are still outside into the grid.
    fn settle(&mut self) {
        if self.pending.is_open() {
            self.fresh = self.pending.settle(&mut self.canvas.page);
        }
    }

    /// The canvas, about to be changed.
    fn change(&mut self) -> &mut Canvas {
        self.settle();
        self.fresh = false;
        self.lost_cursor = None;
        &mut self.canvas
    }

    /// Moves the cursor.
    pub fn motion(&mut self) -> Motion<'_> {
        Motion::new(self.change())
    }

    /// Changes what stands on the screen.
    pub fn edit(&mut self) -> Editor<'_> {
        Editor::new(self.change())
    }

    pub fn text(&mut self, run: &str) {
        let plain = self.charsets.is_plain() && self.canvas.is_plain();
        if self.fresh && plain && !self.pending.is_open() {
            self.pending.open();
        }
        let mut rest = run;
        if self.pending.is_open() && plain {
            let taken = self
                .pending
                .text(run, self.canvas.pen.style(), &mut self.canvas.page);
            let (now, later) = run.split_at(taken);
            self.canvas.remember(now);
            rest = later;
        }
        if rest.is_empty() {
            return;
        }
        if self.charsets.is_plain() {
            self.change().print(rest);
        } else {
            let translated = self.charsets.translate(rest);
            self.change().print(&translated);
        }
    }

    /// REP repeats only what was printed right before it.
    pub fn end_repetition(&mut self) {
        self.canvas.forget();
    }

    /// REP: the last character again.
    pub fn repeat(&mut self, count: u16) {
        self.change().repeat(count);
    }

    pub fn carriage_return(&mut self) {
        if self.pending.is_open() {
            self.pending.carriage_return();
        } else {
            // A row that has just come in stays fresh.
            self.canvas.carriage_return();
        }
    }

    pub fn line_feed(&mut self) {
        let newline = self.canvas.placing.newline;
        let style = self.canvas.pen.style();
        if self.pending.is_open()
            && self
                .pending
                .line_feed(newline, style, &mut self.canvas.page)
        {
            return;
        }
        let canvas = self.change();
        if newline {
            canvas.carriage_return();
        }
        self.fresh = canvas.index();
    }

    /// IND.
    pub fn index(&mut self) {
        self.fresh = self.change().index();
    }

    /// NEL.
    pub fn next_line(&mut self) {
        let canvas = self.change();
        canvas.carriage_return();
        self.fresh = canvas.index();
    }

    pub fn tab(&mut self, count: u16) {
        let (row, mut col) = self.position();
        let (right, cols) = (self.margins().right, self.size().cols());
        let limit = if col <= right { right } else { cols - 1 };
        for _ in 0..count.min(cols) {
            col = self.tabs.next(col).min(limit);
        }
        if self.pending.is_open() && self.pending.tab(col) {
            return;
        }
        let canvas = self.change();
        if !canvas.pending() {
            canvas.place(row, col);
        }
    }

    /// CBT.
    pub fn back_tab(&mut self, count: u16) {
        let (row, mut col) = self.position();
        for _ in 0..count.min(self.size().cols()) {
            col = self.tabs.previous(col);
        }
        self.change().place(row, col);
    }

    /// HTS, or TBC at the cursor.
    pub fn set_tab(&mut self, stop: bool) {
        let (_, col) = self.position();
        self.tabs.set(col, stop);
    }

    /// EL; lines outside the grid need not be put there when nothing stands right of the cursor.
    pub fn erase_line(&mut self, part: u16) {
        let style = self.canvas.pen.style();
        if part == 0
            && self.pending.is_open()
            && self.pending.ends_at_cursor(style, &self.canvas.page)
        {
            return;
        }
        self.edit().erase_line(part, false);
    }

    /// ED 3.
    pub fn erase_history(&mut self) {
        self.settle();
        self.canvas.page.history.clear();
    }

    /// DECSC.
    pub fn save_cursor(&mut self) {
        self.settle();
        let (row, col) = self.position();
        self.saved[usize::from(self.is_alternate())] = Saved {
            row,
            col,
            pending: self.canvas.pending(),
            pen: self.canvas.pen.clone(),
            charsets: self.charsets.with_single_of(Charsets::default()),
            origin: self.canvas.placing.origin,
        };
    }

    /// DECRC; where nothing was saved, the cursor goes home in the default look.
    pub fn restore_cursor(&mut self) {
        let saved = self.saved[usize::from(self.is_alternate())].clone();
        self.charsets = saved.charsets.with_single_of(self.charsets);
        let size = self.size();
        let canvas = self.change();
        canvas.pen = saved.pen;
        canvas.placing.origin = saved.origin;
        let (row, col) = (
            saved.row.min(size.rows() - 1),
            saved.col.min(size.cols() - 1),
        );
        canvas.place(row, col);
        if saved.pending && col == size.cols() - 1 {
            canvas.pend(row);
        }
    }

    /// DECSTBM, rows counted from 0; impossible margins are ignored.
    pub fn set_row_margins(&mut self, top: u16, bottom: u16) {
        let margins = Margins {
            top,
            bottom: bottom.min(self.size().rows() - 1),
            ..self.margins()
        };
        if margins.top < margins.bottom {
            self.change().set_margins(margins);
            self.motion().go_to(0, 0);
        }
    }

    /// DECSLRM, columns counted from 0; impossible margins are ignored.
    pub fn set_col_margins(&mut self, left: u16, right: u16) {
        let margins = Margins {
            left,
            right: right.min(self.size().cols() - 1),
            ..self.margins()
        };
        if margins.left < margins.right {
            self.change().set_margins(margins);
            self.motion().go_to(0, 0);
        }
    }

    pub fn change_placing(&mut self, change: impl FnOnce(&mut Placing)) {
        let before = self.canvas.placing;
        let size = self.size();
        let canvas = self.change();
        change(&mut canvas.placing);
        let after = canvas.placing;
        if before.side_margins && !after.side_margins {
            let margins = Margins {
                left: 0,
                right: size.cols() - 1,
                ..canvas.margins()
            };
            canvas.set_margins(margins);
        }
        if before.origin != after.origin {
            self.motion().go_to(0, 0);
        }
    }

    /// Shows the other screen; the cursor stays where it is.
    pub fn show_alternate(&mut self, alternate: bool) {
        if alternate == self.is_alternate() {
            return;
        }
        let canvas = self.change();
        let (row, col) = canvas.position();
        let pending = canvas.wraps_at_edge();
        canvas.page.show_alternate(alternate);
        canvas.place(row, col);
        if pending {
            canvas.pend(row);
        }
    }

    /// DECSTR.
    pub fn soft_reset(&mut self) {
        let whole = Margins::whole(self.size());
        let canvas = self.change();
        let Placing {
            newline,
            reverse_wrap,
            ..
        } = canvas.placing;
        canvas.placing = Placing {
            newline,
            reverse_wrap,
            ..Placing::default()
        };
        canvas.set_margins(whole);
        canvas.pen = Pen::default();
        self.charsets = Charsets::default();
        self.saved[usize::from(self.is_alternate())] = Saved::default();
    }

    /// RIS.
    pub fn reset(&mut self) {
        self.change().reset();
        self.charsets = Charsets::default();
        self.tabs.reset();
        self.saved = Default::default();
    }

    /// DECCOLM: a clear screen, margins and cursor as at the start; the size is the pane's and stays.
    pub fn change_columns(&mut self) {
        let whole = Margins::whole(self.size());
        let canvas = self.change();
        canvas.placing.side_margins = false;
        canvas.set_margins(whole);
        self.edit().erase_screen(2, false);
        self.motion().go_to(0, 0);
    }

    /// Gives both screens another size. On another width the lines of the primary one, and history, are wrapped anew. The
    /// cursor stays on its text: also where that has gone into history meanwhile, once it comes back.
    pub fn resize(&mut self, size: Size) {
        if size == self.size() {
            return;
        }
        let alternate = self.is_alternate();
        let lost = self.lost_cursor;
        let saved = self.saved[0].clone();
        let canvas = self.change();
        let cursor = canvas.page.grid.cursor();
        let mut primary = cursor;
        if alternate {
            primary = canvas.page.show_alternate(false);
        }
        let page = &mut canvas.page;
        let top = page.history.end();
        let place = match lost {
            Some(lost) => (lost.row, lost.col),
            None => (top + u64::from(primary.0), primary.1),
        };
        let saved_col = saved.col + u16::from(saved.pending);
        let saved_place = (top + u64::from(saved.row), saved_col);
        let map = page.resize(size, primary.0);
        let now = |(row, col): (u64, u16)| match &map {
            Some(map) => map.place(row, col),
            None => (row, col),
        };
        let (place, saved_place) = (now(place), now(saved_place));
        let lost = (place.0 < page.history.end()).then_some(LostCursor {
            row: place.0,
            col: place.1,
        });
        let row = page.row_on_screen(place.0);
        let saved_row = page.row_on_screen(saved_place.0);
        canvas.put_cursor(row, place.1);
        if alternate {
            canvas.page.show_alternate(true);
            let lost = (cursor.0 + 1).saturating_sub(size.rows());
            canvas.place(cursor.0 - lost, cursor.1.min(size.cols() - 1));
        }
        self.lost_cursor = lost;
        let saved = &mut self.saved[0];
        saved.row = saved_row;
        saved.pending = saved_place.1 >= size.cols();
        saved.col = saved_place.1.min(size.cols() - 1);
        self.tabs.resize(size.cols());
        self.row_cache.clear();
        if let Some(map) = map {
            self.rewraps.add(map);
        }
    }

    /// The page with all outstanding lines in it, for whoever keeps it or takes it up again.
    pub fn page_mut(&mut self) -> &mut Page {
        self.settle();
        &mut self.canvas.page
    }

    /// The last character printed, for REP.
    pub fn last_printed(&self) -> &str {
        self.canvas.last()
    }

    pub fn set_last_printed(&mut self, last: &str) {
        self.canvas.set_last(last);
    }

    /// Absolute row and column of a cursor that a resize has left no room for.
    pub fn lost_cursor(&self) -> Option<(u64, u16)> {
        self.lost_cursor.map(|lost| (lost.row, lost.col))
    }

    pub fn set_lost_cursor(&mut self, lost: Option<(u64, u16)>) {
        self.lost_cursor = lost.map(|(row, col)| LostCursor { row, col });
    }

    /// Goes on counting from where another program left off. Where rows went before that is not known any more.
    pub fn resume_rewraps(&mut self, count: u64) {
        self.rewraps = Rewraps::from_count(count);
    }

    pub fn rewraps(&self) -> &Rewraps {
        &self.rewraps
    }

    pub fn forget_rewraps(&mut self) {
        self.rewraps.forget();
    }

    /// The rows of the screen, in the allocations of `previous` where those are equal.
    pub fn rows(&mut self, previous: &[Arc<Row>]) -> Vec<Arc<Row>> {
        self.settle();
        self.row_cache.share(&mut self.canvas.page.grid, previous)
    }

    /// Absolute numbers of the oldest row of history, of the screen's top row, and of the row after its last.
    pub fn extent(&mut self) -> (u64, u64, u64) {
        self.settle();
        let history = &self.canvas.page.history;
        (
            history.start(),
            history.end(),
            history.end() + u64::from(self.size().rows()),
        )
    }

    /// Rows of history and screen by absolute number, cut to what exists.
    pub fn numbered_rows(&mut self, range: Range<u64>) -> Vec<Arc<Row>> {
        let (_, top, _) = self.extent();
        let page = &mut self.canvas.page;
        let mut rows = page.history.rows(range.clone());
        if range.end >= top
            && !page.joins_history()
            && let Some(newest) = rows.last_mut()
        {
            newest.wrapped = false;
        }
        let mut rows: Vec<Arc<Row>> = rows.into_iter().map(Arc::new).collect();
        let index = |number: u64| usize::try_from(number.saturating_sub(top)).unwrap_or(usize::MAX);
        let shown = self.row_cache.refresh(&mut page.grid);
        rows.extend(
            shown
                .iter()
                .take(index(range.end))
                .skip(index(range.start))
                .cloned(),
        );
        rows
    }
}
