//! What the outer terminal shows, and the least bytes that bring it to what it should show.
//!
//! Chrome (everything of tundra's own) comes as a ratatui buffer and only when it may have changed; its rows that are as
//! they were cost a comparison. Pane cells are put into its holes row by row, and a row is looked at again only if the
//! snapshot's row is another one than last time (rows are shared between snapshots), so that a pressed key costs one row. This room writes bytes into a buffer and does no
//! input or output; it must not know of panes' programs or of modes of the front end.

mod compose;
mod doubt;
mod keyboard;
mod outer;
mod pen;

use std::sync::Arc;

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::buffer::Buffer;

pub use compose::cut_hole;
pub use keyboard::{KeysFor, kitty_flags};
pub use outer::{CursorAt, Mouse, OuterModes};

use self::compose::{apply_span, blank_row, chrome_row, place_row, settle};
use self::doubt::doubt;
use self::outer::OuterState;
use self::pen::Pen;
use super::theme::{Role, Theme};
use crate::domain::layout::Rect;
use crate::domain::screen::{Cell, Color, Row};

/// Rows of a pane to put into a hole of the chrome.
#[derive(Clone, Debug)]
pub struct Content<'a> {
    pub rect: Rect,
    pub rows: Rows<'a>,
    /// DECSCNM: all in reverse.
    pub reverse: bool,
    /// Highlighted cells: row and half-open columns within the pane.
    pub spans: Vec<(u16, (u16, u16), Role)>,
}

#[derive(Clone, Debug)]
pub enum Rows<'a> {
    Live(&'a [Arc<Row>]),
    /// Rows of history; None while one is on its way.
    Held(Vec<Option<Arc<Row>>>),
}

impl Rows<'_> {
    fn get(&self, index: usize) -> Option<&Arc<Row>> {
        match self {
            Self::Live(rows) => rows.get(index),
            Self::Held(rows) => rows.get(index)?.as_ref(),
        }
    }
}

/// The outer terminal's screen.
#[derive(Debug)]
pub struct Frame {
    cols: u16,
    rows: u16,
    /// The chrome as it was drawn last, and each of its rows as it is composed with panes.
    drawn: Buffer,
    chrome: Vec<Row>,
    shown: Vec<Row>,
    holes: Vec<Hole>,
    /// Rows to compose again whatever the panes say.
    stale: Vec<bool>,
    /// Nothing is known of what the terminal shows.
    blank: bool,
    outer: OuterState,
    scratch: Row,
}

/// What was put into a hole last.
#[derive(Debug)]
struct Hole {
    rect: Rect,
    reverse: bool,
    highlighted: bool,
    rows: Vec<Option<Arc<Row>>>,
}

impl Frame {
    #[must_use]
    pub fn new() -> Self {
        Self {
            cols: 0,
            rows: 0,
            drawn: Buffer::default(),
            chrome: Vec::new(),
            shown: Vec::new(),
            holes: Vec::new(),
            stale: Vec::new(),
            blank: true,
            outer: OuterState::default(),
            scratch: Row::default(),
        }
    }

    /// Takes new chrome, and with it perhaps a new size. The former chrome is left in its place, for its memory.
    pub fn set_chrome(&mut self, buffer: &mut Buffer) {
        let (cols, rows) = (buffer.area.width, buffer.area.height);
        if (cols, rows) != (self.cols, self.rows) {
            self.cols = cols;
            self.rows = rows;
            self.shown = vec![blank_row(cols); usize::from(rows)];
            self.chrome = vec![blank_row(cols); usize::from(rows)];
            self.stale = vec![true; usize::from(rows)];
            self.holes.clear();
            self.drawn = Buffer::default();
            self.blank = true;
        }
        for (y, (chrome, stale)) in (0..rows).zip(self.chrome.iter_mut().zip(&mut self.stale)) {
            if !is_same_row(&self.drawn, buffer, y) {
                *chrome = chrome_row(buffer, y);
                *stale = true;
            }
        }
        std::mem::swap(&mut self.drawn, buffer);
    }

    /// Distrusts what the terminal shows: the next drawing paints everything.
    pub fn repaint(&mut self) {
        self.blank = true;
    }

    /// The terminal was left and entered again, so that all its modes are at their start.
    pub fn reentered(&mut self) {
        self.blank = true;
        self.outer = OuterState::default();
    }

    /// Appends what brings the terminal up to date; nothing if it is.
    pub fn draw(
        &mut self,
        theme: &Theme,
        contents: &[Content<'_>],
        modes: &OuterModes,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        // Writing to memory does not fail.
        let _ = queue!(out, BeginSynchronizedUpdate);
        let opened = out.len();
        let mut pen = Pen::new(theme);
        if self.blank {
            pen.clear(out);
            self.outer.cursor_gone();
            for row in &mut self.shown {
                *row = blank_row(self.cols);
            }
            self.stale.fill(true);
            self.blank = false;
        }
        self.mark_changed(contents);
        for y in 0..self.rows {
            if let Some(stale) = self.stale.get_mut(usize::from(y))
                && std::mem::take(stale)
            {
                self.draw_row(y, theme, contents, &mut pen, out);
            }
        }
        pen.finish(out);
        if out.len() > opened {
            self.outer.cursor_moved();
        }
        self.outer.settle(modes, out);
        if out.len() == opened {
            out.truncate(start);
        } else {
            let _ = queue!(out, EndSynchronizedUpdate);
        }
    }

    /// Marks the rows in which some pane's row is not the one drawn last.
    fn mark_changed(&mut self, contents: &[Content<'_>]) {
        for gone in self.holes.drain(contents.len().min(self.holes.len())..) {
            mark(&mut self.stale, gone.rect);
        }
        self.holes.resize_with(contents.len(), || Hole {
            rect: Rect::default(),
            reverse: false,
            highlighted: false,
            rows: Vec::new(),
        });
        for (hole, content) in self.holes.iter_mut().zip(contents) {
            let highlighted = !content.spans.is_empty();
            let all = hole.rect != content.rect
                || hole.reverse != content.reverse
                || hole.highlighted
                || highlighted;
            if hole.rect != content.rect {
                mark(&mut self.stale, hole.rect);
            }
            hole.rect = content.rect;
            hole.reverse = content.reverse;
            hole.highlighted = highlighted;
            hole.rows.resize(usize::from(content.rect.height), None);
            for (index, drawn) in hole.rows.iter_mut().enumerate() {
                let row = content.rows.get(index);
                let same = match (&*drawn, row) {
                    (Some(drawn), Some(row)) => Arc::ptr_eq(drawn, row),
                    (None, None) => true,
                    _ => false,
                };
                if same && !all {
                    continue;
                }
                *drawn = row.cloned();
                if let Some(stale) = self
                    .stale
                    .get_mut(usize::from(content.rect.y).saturating_add(index))
                {
                    *stale = true;
                }
            }
        }
    }

    fn draw_row(
        &mut self,
        y: u16,
        theme: &Theme,
        contents: &[Content<'_>],
        pen: &mut Pen<'_>,
        out: &mut Vec<u8>,
    ) {
        let index = usize::from(y);
        let (Some(chrome), Some(shown)) = (self.chrome.get(index), self.shown.get_mut(index))
        else {
            return;
        };
        let next = &mut self.scratch;
        next.clone_from(chrome);
        for content in contents {
            let rect = content.rect;
            if !(rect.y..rect.bottom()).contains(&y) {
                continue;
            }
            let within = y - rect.y;
            place_row(
                next,
                content.rows.get(usize::from(within)).map(Arc::as_ref),
                rect,
                content.reverse,
            );
            for (_, cols, role) in content.spans.iter().filter(|(row, ..)| *row == within) {
                apply_span(next, rect, *cols, theme.style(*role));
            }
        }
        settle(next);
        emit_changes(y, shown, next, pen, out);
        std::mem::swap(shown, next);
    }

    /// What the terminal shows, as far as it was drawn.
    #[cfg(test)]
    pub fn rows(&self) -> &[Row] {
        &self.shown
    }

    /// The text that the terminal shows, row by row, as far as it was drawn.
    #[cfg(test)]
    pub fn text(&self) -> Vec<String> {
        self.shown.iter().map(Row::text).collect()
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a row of two buffers is the same; not where one of them does not have it.
fn is_same_row(one: &Buffer, other: &Buffer, y: u16) -> bool {
    let row = cells_of(one, y);
    one.area == other.area && row.is_some() && row == cells_of(other, y)
}

fn cells_of(buffer: &Buffer, y: u16) -> Option<&[ratatui::buffer::Cell]> {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y) * width;
    buffer.content.get(start..start + width)
}

/// Marks the rows of an area.
fn mark(stale: &mut [bool], area: Rect) {
    let rows = usize::from(area.y)..usize::from(area.bottom());
    let rows = stale.iter_mut().take(rows.end).skip(rows.start);
    rows.for_each(|row| *row = true);
}

/// An unchanged stretch of so few cells is written again rather than skipped: a cursor movement costs as much.
const GAP_CELLS: usize = 4;

fn emit_changes(y: u16, shown: &Row, next: &Row, pen: &mut Pen<'_>, out: &mut Vec<u8>) {
    // Up to here the terminal may have drawn over what stood there.
    let overdrawn = std::cell::Cell::new(0);
    let changed = |x: usize| x < overdrawn.get() || !same_cell(shown, next, x);
    let width = next.cells.len();
    let text_end = width - next.cells.iter().rev().take_while(|c| is_blank(c)).count();
    let mut x = 0;
    while let Some(first) = (x..width).find(|x| changed(*x)) {
        if first >= text_end && width - first > GAP_CELLS {
            pen.erase_to_end(y, first, out);
            return;
        }
        // A wide character is written from its first half.
        x = first;
        while x > 0 && is_tail(&next.cells[x]) {
            x -= 1;
        }
        let mut last = first;
        for at in first..width {
            if at - last > GAP_CELLS || (at >= text_end && width - text_end > GAP_CELLS) {
                break;
            }
            if changed(at) {
                last = at;
            }
        }
        while x <= last {
            let end = pen.write(y, x, next, out);
            overdrawn.set(overdrawn.get().max(end));
            // At the edge a terminal may have put it further to the left.
            for before in x.saturating_sub(end.saturating_sub(width))..x {
                let stays = next.cells.get(before).and_then(|cell| doubt(next, cell));
                if stays.is_none() {
                    pen.write(y, before, next, out);
                }
            }
            x += 1;
        }
    }
}

fn is_tail(cell: &Cell) -> bool {
    cell.attrs.contains(crate::domain::screen::Attrs::WIDE_TAIL)
}

fn is_blank(cell: &Cell) -> bool {
    matches!(cell.ch, '\0' | ' ')
        && cell.bg == Color::DEFAULT
        && cell.attrs.bits() == 0
        && cell.extra == 0
}

fn same_cell(a: &Row, b: &Row, x: usize) -> bool {
    match (a.cells.get(x), b.cells.get(x)) {
        (Some(one), Some(other)) if one.extra == 0 && other.extra == 0 => one == other,
        (Some(one), Some(other)) => {
            Cell { extra: 0, ..*one } == Cell { extra: 0, ..*other }
                && a.extra(one) == b.extra(other)
        }
        _ => false,
    }
}
