//! The grid of cells: the `vt100` crate, spoken to in the sequences it gets right.
//!
//! Always holds: the crate's origin mode is off, its history is empty, and whatever it is fed is complete, so that the
//! cursor can be read and set between any two calls. A cursor column equal to the number of columns is a pending wrap.

use std::num::NonZeroU16;

use super::carriage::{Carriage, Load, REPLACEMENT, is_mark};
use super::cells::{Content, push_cell};
use super::style::Style;
use crate::domain::screen::{Attrs, Cell, Color, ColorKind, Row, Underline};
use crate::domain::size::Size;

/// The part of a look that the crate's cells hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Look {
    pub fg: Color,
    pub bg: Color,
    /// Bold, dim, italic, inverse and single underline alone.
    pub attrs: Attrs,
}

/// A cell as the crate has it, to be put elsewhere.
pub(super) type RawCell = vt100::Cell;

pub(super) struct Grid {
    vt: vt100::Parser,
    size: Size,
    /// The look that the crate's pen has now.
    look: Look,
    /// The scrolling region that the present screen of the crate has.
    region: (u16, u16),
    carriage: Carriage,
    /// For each row, the column from which on it is surely blank in the default colour: reading cells is dear.
    used: Vec<u16>,
    /// The same of the screen that is not shown.
    other_used: Vec<u16>,
    /// Rows that may have changed since they were last read.
    touched: Vec<bool>,
    out: Vec<u8>,
}

impl Grid {
    pub fn new(size: Size) -> Self {
        Self {
            vt: vt100::Parser::new(side(size.rows()), side(size.cols()), 0),
            size,
            look: Look::default(),
            region: (0, size.rows() - 1),
            carriage: Carriage::default(),
            used: vec![0; usize::from(size.rows())],
            other_used: vec![0; usize::from(size.rows())],
            touched: vec![true; usize::from(size.rows())],
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

    pub fn set_look(&mut self, look: Look) {
        if look == self.look {
            return;
        }
        self.out.clear();
        write_look(&mut self.out, self.look, look);
        self.look = look;
        self.vt.process(&self.out);
    }

    /// Feeds text (no control characters) that stays within `row`; the look must be set.
    pub fn put(&mut self, text: &[u8], row: u16) {
        self.touch(row);
        self.vt.process(text);
        self.use_to(row, self.cursor().1);
    }

    /// Feeds text whose first character wraps; `scrolls` says that the cursor is on the region's last row.
    pub fn put_wrapping(&mut self, text: &[u8], scrolls: bool) {
        if scrolls {
            self.touch_region();
            self.shift_used(self.region.0, 1, true);
        }
        self.touch(self.cursor().0);
        self.vt.process(text);
        let (row, col) = self.cursor();
        self.touch(row);
        self.use_to(row, col);
    }

    /// Line feed on the region's last row.
    pub fn line_feed(&mut self) {
        self.touch_region();
        self.shift_used(self.region.0, 1, true);
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
        self.set_look(Look {
            bg: fill,
            ..Look::default()
        });
        self.go_to(row, from);
        self.touch(row);
        self.blank(row, from, to, fill);
        if from == 0 && to >= self.size.cols() {
            self.send("K", &[2]);
        } else {
            self.send("X", &[to - from]);
        }
    }

    /// Blanks from the cursor to the end of its row (0), from its start to the cursor (1), or all of it (2).
    pub fn erase_line(&mut self, part: u16, fill: Color) {
        self.set_look(Look {
            bg: fill,
            ..Look::default()
        });
        let (row, col) = self.cursor();
        self.touch(row);
        self.blank_line(part, row, col, fill);
        self.send("K", &[part]);
    }

    /// The same for the whole screen.
    pub fn erase_screen(&mut self, part: u16, fill: Color) {
        self.set_look(Look {
            bg: fill,
            ..Look::default()
        });
        self.touch_all();
        let (cursor, col) = self.cursor();
        let rows = match part {
            0 => cursor + 1..self.size.rows(),
            1 => 0..cursor,
            _ => 0..self.size.rows(),
        };
        for row in rows {
            self.blank(row, 0, self.size.cols(), fill);
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
        self.blank(row, from, to, fill);
    }

    /// Notes that cells have become blank.
    fn blank(&mut self, row: u16, from: u16, to: u16, fill: Color) {
        let Some(used) = self.used.get_mut(usize::from(row)) else {
            return;
        };
        if fill != Color::DEFAULT {
            *used = to.max(*used);
        } else if to >= *used {
            *used = from.min(*used);
        }
    }

    /// Notes that cells up to a column are in use.
    fn use_to(&mut self, row: u16, col: u16) {
        if let Some(used) = self.used.get_mut(usize::from(row)) {
            *used = col.max(*used);
        }
    }

    /// Notes that the region's rows from `first` on have moved, and blank ones come in.
    fn shift_used(&mut self, first: u16, rows: u16, up: bool) {
        let bottom = usize::from(self.region.1);
        let Some(moved) = self.used.get_mut(usize::from(first)..=bottom) else {
            return;
        };
        let rows = usize::from(rows).min(moved.len());
        if up {
            moved.rotate_left(rows);
            let kept = moved.len() - rows;
            moved[kept..].fill(0);
        } else {
            moved.rotate_right(rows);
            moved[..rows].fill(0);
        }
    }

    /// Scrolls the region up by rows; what comes in is blank in the default colour.
    pub fn scroll_up(&mut self, rows: u16) {
        self.touch_region();
        self.shift_used(self.region.0, rows, true);
        self.send("S", &[rows]);
    }

    pub fn scroll_down(&mut self, rows: u16) {
        self.touch_region();
        self.shift_used(self.region.0, rows, false);
        self.send("T", &[rows]);
    }

    pub fn insert_lines(&mut self, rows: u16) {
        self.touch_region();
        self.shift_used(self.cursor().0, rows, false);
        self.send("L", &[rows]);
    }

    pub fn delete_lines(&mut self, rows: u16) {
        self.touch_region();
        self.shift_used(self.cursor().0, rows, true);
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
        self.touch(row);
        let used = self.used.get(usize::from(row)).copied().unwrap_or(0);
        if used > col {
            self.use_to(row, used.saturating_add(count).min(self.size.cols()));
        }
        self.send("@", &[count]);
    }

    pub fn delete_cells(&mut self, row: u16, col: u16, count: u16) {
        self.go_to(row, col);
        self.touch(row);
        self.send("P", &[count]);
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
        std::mem::swap(&mut self.used, &mut self.other_used);
        self.touch_all();
    }

    /// Everything as in a new grid, the other screen's memory given back.
    pub fn reset(&mut self) {
        self.vt.process(b"\x1bc");
        self.look = Look::default();
        self.region = (0, self.size.rows() - 1);
        self.carriage.clear();
        self.used.fill(0);
        self.other_used.fill(0);
        self.touch_all();
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
        self.used.resize(usize::from(size.rows()), 0);
        for used in &mut self.used {
            *used = size.cols().min(*used);
        }
        self.other_used = vec![size.cols(); usize::from(size.rows())];
        self.touched.resize(usize::from(size.rows()), true);
        self.touch_all();
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
        self.set_look(raw_look(cell));
        self.go_to(row, col);
        self.put(cell.contents().as_bytes(), row);
    }

    /// The background colour of a cell.
    pub fn background(&self, row: u16, col: u16) -> Color {
        self.raw(row, col)
            .map_or(Color::DEFAULT, |cell| color(cell.bgcolor()))
    }

    pub fn row_wrapped(&self, row: u16) -> bool {
        self.vt.screen().row_wrapped(row)
    }

    /// The column from which on a row is blank.
    fn used(&self, row: u16) -> u16 {
        let used = self.used.get(usize::from(row)).copied().unwrap_or(0);
        debug_assert!(
            (used..self.size.cols())
                .filter_map(|col| self.raw(row, col))
                .all(|cell| !cell.has_contents() && cell.bgcolor() == vt100::Color::Default),
            "row {row} is not blank from column {used} on"
        );
        used.min(self.size.cols())
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
            let look = raw_look(cell);
            let mut style = Style {
                fg: look.fg,
                bg: look.bg,
                attrs: look.attrs,
                ..Style::default()
            };
            let wide = cell.is_wide() && usize::from(col) + 1 < cols;
            let content = if cell.has_contents() {
                self.content(cell.contents(), &mut style, &mut cluster)
            } else {
                style = Style::background(look.bg);
                Content::Blank
            };
            push_cell(out, content, wide, &style);
            col += if wide { 2 } else { 1 };
        }
        out.cells.resize(cols, Cell::default());
    }

    /// Takes a cell's text apart into what it shows and the load it carries.
    fn content<'a>(&self, text: &str, style: &mut Style, cluster: &'a mut String) -> Content<'a> {
        let mut chars = text.chars();
        let first = match chars.next() {
            Some(REPLACEMENT) => '\u{fffd}',
            Some(c) => c,
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
            } else if let Some(load) = self.carriage.load(c) {
                apply_load(style, load);
            }
        }
        if cluster.len() == first.len_utf8() {
            Content::Char(first)
        } else {
            Content::Cluster(cluster)
        }
    }

    /// The load that the cell at a place carries.
    pub fn load(&self, row: u16, col: u16) -> Option<&Load> {
        if self.carriage.is_empty() {
            return None;
        }
        let text = self.raw(row, col)?.contents();
        self.carriage.load(text.chars().find(|c| is_mark(*c))?)
    }

    /// The mark to append to each character of this look; `None` where the table is full of looks in use.
    pub fn mark(&mut self, load: &Load) -> Option<char> {
        if let Some(mark) = self.carriage.mark(load) {
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
        self.carriage.keep(|mark| used.contains(&mark));
        self.carriage.mark(load)
    }

    pub fn touch(&mut self, row: u16) {
        if let Some(touched) = self.touched.get_mut(usize::from(row)) {
            *touched = true;
        }
    }

    pub fn touch_region(&mut self) {
        let (top, bottom) = self.region;
        for touched in self
            .touched
            .iter_mut()
            .take(usize::from(bottom) + 1)
            .skip(usize::from(top))
        {
            *touched = true;
        }
    }

    pub fn touch_all(&mut self) {
        self.touched.fill(true);
    }

    /// Whether a row may have changed since this was last asked.
    pub fn take_touched(&mut self, row: u16) -> bool {
        self.touched
            .get_mut(usize::from(row))
            .is_none_or(std::mem::take)
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

/// A style split into what the crate's cells hold and what must be carried.
pub(super) fn split(style: &Style, protected: bool) -> (Look, Option<Load>) {
    let underlined = style.attrs.underline() != Underline::None;
    let known = Attrs::BOLD
        .with(Attrs::DIM)
        .with(Attrs::ITALIC)
        .with(Attrs::INVERSE);
    let carried = Attrs::STRIKE
        .with(Attrs::HIDDEN)
        .with(Attrs::BLINK)
        .with(Attrs::OVERLINE);
    let mut attrs = Attrs::from_bits(style.attrs.bits() & known.bits());
    let mut load = Load {
        attrs: Attrs::from_bits(style.attrs.bits() & carried.bits()),
        protected,
        underline_color: if underlined {
            style.underline_color
        } else {
            Color::DEFAULT
        },
        link: style.link.clone(),
    };
    if underlined {
        attrs = attrs.with_underline(Underline::Single);
        if style.attrs.underline() != Underline::Single {
            load.attrs = load.attrs.with_underline(style.attrs.underline());
        }
    }
    // The crate knows one of the two only.
    if attrs.contains(Attrs::BOLD.with(Attrs::DIM)) {
        attrs = attrs.without(Attrs::DIM);
        load.attrs = load.attrs.with(Attrs::DIM);
    }
    (
        Look {
            fg: style.fg,
            bg: style.bg,
            attrs,
        },
        (load != Load::default()).then_some(load),
    )
}

fn apply_load(style: &mut Style, load: &Load) {
    let underline = load.attrs.underline();
    style.attrs = style.attrs.with(load.attrs.with_underline(Underline::None));
    if underline != Underline::None {
        style.attrs = style.attrs.with_underline(underline);
    }
    style.underline_color = load.underline_color;
    style.link.clone_from(&load.link);
}

pub(super) fn raw_look(cell: &RawCell) -> Look {
    let mut attrs = Attrs::NONE;
    for (set, attr) in [
        (cell.bold(), Attrs::BOLD),
        (cell.dim(), Attrs::DIM),
        (cell.italic(), Attrs::ITALIC),
        (cell.inverse(), Attrs::INVERSE),
    ] {
        if set {
            attrs = attrs.with(attr);
        }
    }
    if cell.underline() {
        attrs = attrs.with_underline(Underline::Single);
    }
    Look {
        fg: color(cell.fgcolor()),
        bg: color(cell.bgcolor()),
        attrs,
    }
}

fn color(color: vt100::Color) -> Color {
    match color {
        vt100::Color::Default => Color::DEFAULT,
        vt100::Color::Idx(index) => Color::indexed(index),
        vt100::Color::Rgb(red, green, blue) => Color::rgb(red, green, blue),
    }
}

fn side(length: u16) -> NonZeroU16 {
    NonZeroU16::new(length).unwrap_or(NonZeroU16::MIN)
}

/// Writes the SGR sequence that leads from one look to another.
fn write_look(out: &mut Vec<u8>, from: Look, to: Look) {
    out.extend_from_slice(b"\x1b[");
    let mut from = from;
    if to == Look::default() || from.attrs.without(to.attrs) != Attrs::NONE {
        from = Look::default();
        out.extend_from_slice(b"0;");
    }
    for (attr, code) in [
        (Attrs::BOLD, 1),
        (Attrs::DIM, 2),
        (Attrs::ITALIC, 3),
        (Attrs::INVERSE, 7),
    ] {
        if to.attrs.contains(attr) && !from.attrs.contains(attr) {
            put_code(out, code);
        }
    }
    if to.attrs.underline() != from.attrs.underline() {
        put_code(out, 4);
    }
    if to.fg != from.fg {
        put_color(out, to.fg, 30);
    }
    if to.bg != from.bg {
        put_color(out, to.bg, 40);
    }
    out.pop();
    out.push(b'm');
}

fn put_color(out: &mut Vec<u8>, color: Color, base: u16) {
    match color.kind() {
        ColorKind::Default => put_code(out, base + 9),
        ColorKind::Indexed(index @ 0..=7) => put_code(out, base + u16::from(index)),
        ColorKind::Indexed(index) => {
            put_code(out, base + 8);
            put_code(out, 5);
            put_code(out, u16::from(index));
        }
        ColorKind::Rgb(red, green, blue) => {
            put_code(out, base + 8);
            put_code(out, 2);
            for part in [red, green, blue] {
                put_code(out, u16::from(part));
            }
        }
    }
}

fn put_code(out: &mut Vec<u8>, code: u16) {
    put_number(out, code);
    out.push(b';');
}

/// Writes a number in decimal.
fn put_number(out: &mut Vec<u8>, number: u16) {
    let mut digits = [0; 5];
    let mut rest = number;
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
