//! Rows as bytes, for history: UTF-8 text, and the runs of equal style where there are any.
//!
//! A packed row is one flag byte, then (if styled) the number of runs and each run's cells and style, then the text.
//! Each character of the text is a cell; NUL is a blank one; 0xFF, twice a length (plus one for a wide cell), and so many bytes of
//! text are a cell that its first character alone does not tell.

use std::sync::Arc;

use super::cells::{
    CLUSTER_LIMIT, Content, char_width, cluster_is_wide, content_of, push_cell, style_of,
};
use super::style::Style;
use crate::domain::screen::{Attrs, Cell, Color, ColorKind, Row};

/// Changes with the form of packed rows.
pub(super) const PACKING: u32 = 1;

const WRAPPED: u8 = 1;
const STYLED: u8 = 2;
const CLUSTER: u8 = 0xff;

/// A row being put together from its left end.
#[derive(Default)]
pub(super) struct Packer {
    text: Vec<u8>,
    /// Cells and style, left to right; a wide character counts as one cell here.
    runs: Vec<(u32, Style)>,
    cols: u16,
    /// Columns up to the last one that holds text.
    text_cols: u16,
    has_wide: bool,
    /// Where the text of the last cell begins.
    last: usize,
}

impl Packer {
    pub fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
        self.cols = 0;
        self.text_cols = 0;
        self.has_wide = false;
        self.last = 0;
    }

    /// Columns up to the last one that holds text: what lies beyond is blank, if coloured.
    pub fn text_cols(&self) -> u16 {
        self.text_cols
    }

    /// Whether a character of the row is two columns wide.
    pub fn has_wide(&self) -> bool {
        self.has_wide
    }

    /// Columns taken so far.
    pub fn cols(&self) -> u16 {
        self.cols
    }

    /// Adds characters that are ASCII and printable, or NUL for a blank cell.
    pub fn push_ascii(&mut self, bytes: &[u8], style: &Style) {
        let Ok(count) = u16::try_from(bytes.len()) else {
            return;
        };
        if count == 0 {
            return;
        }
        self.text.extend_from_slice(bytes);
        self.last = self.text.len() - 1;
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            self.text_cols = self.cols + u16::try_from(last + 1).unwrap_or(count);
        }
        self.cols += count;
        self.count(u32::from(count), style);
    }

    /// Adds a character whose width is not 0.
    pub fn push_char(&mut self, c: char, width: u16, style: &Style) {
        self.last = self.text.len();
        self.text
            .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        self.cols += width;
        self.text_cols = self.cols;
        self.has_wide |= width > 1;
        self.count(1, style);
    }

    fn push_cluster(&mut self, cluster: &str, wide: bool, style: &Style) {
        self.last = self.text.len();
        self.text.push(CLUSTER);
        let length = u32::try_from(cluster.len()).unwrap_or(0);
        put_number(&mut self.text, length << 1 | u32::from(wide));
        self.text.extend_from_slice(cluster.as_bytes());
        self.cols += if wide { 2 } else { 1 };
        self.text_cols = self.cols;
        self.has_wide |= wide;
        self.count(1, style);
    }

    fn count(&mut self, cells: u32, style: &Style) {
        match self.runs.last_mut() {
            Some((count, last)) if last == style => *count += cells,
            _ => self.runs.push((cells, style.clone())),
        }
    }

    /// Joins a character without width of its own to the last cell; false if the row must be told otherwise.
    pub fn join(&mut self, c: char, limit: u16) -> bool {
        let Some(cell) = self.text.get(self.last..) else {
            return false;
        };
        let old = if cell.first() == Some(&CLUSTER) {
            let mut reader = Reader {
                rest: cell.get(1..).unwrap_or_default(),
            };
            reader.number();
            Some(reader.rest)
        } else {
            Some(cell)
        };
        let Some(old) = old
            .and_then(|old| std::str::from_utf8(old).ok())
            .filter(|old| !old.is_empty())
        else {
            return false;
        };
        if old.starts_with('\0') {
            return false;
        }
        if old.len() >= CLUSTER_LIMIT {
            return true;
        }
        let was_wide = cluster_is_wide(old);
        let mut cluster = old.to_owned();
        cluster.push(c);
        let wide = cluster_is_wide(&cluster);
        if wide && !was_wide && self.cols >= limit {
            return false;
        }
        let Some(style) = self.runs.last_mut().map(|(count, style)| {
            *count -= 1;
            style.clone()
        }) else {
            return false;
        };
        self.text.truncate(self.last);
        self.cols -= if was_wide { 2 } else { 1 };
        self.push_cluster(&cluster, wide, &style);
        true
    }

    /// Takes over a whole row, without its trailing blank cells.
    pub fn set_row(&mut self, row: &Row) {
        self.clear();
        let used = row
            .cells
            .iter()
            .rposition(|cell| *cell != Cell::default())
            .map_or(0, |last| last + 1);
        let mut style = Style::default();
        let mut styled: Option<&Cell> = None;
        for cell in row
            .cells
            .iter()
            .take(used)
            .filter(|cell| !cell.attrs.contains(Attrs::WIDE_TAIL))
        {
            if !styled.is_some_and(|last| same_style(last, cell)) {
                style = style_of(row, cell);
            }
            styled = Some(cell);
            let wide = cell.attrs.contains(Attrs::WIDE);
            match content_of(row, cell) {
                Content::Blank => self.push_ascii(&[0], &style),
                Content::Char(c) if c.is_ascii() && !wide => {
                    let mut byte = [0; 1];
                    c.encode_utf8(&mut byte);
                    self.push_ascii(&byte, &style);
                }
                Content::Char(c) if char_width(c) == Some(if wide { 2 } else { 1 }) => {
                    self.push_char(c, if wide { 2 } else { 1 }, &style);
                }
                Content::Char(c) => self.push_cluster(c.encode_utf8(&mut [0; 4]), wide, &style),
                Content::Cluster(text) => self.push_cluster(text, wide, &style),
            }
        }
    }

    /// Appends the packed row to `out`; the targets of its links go into `links`.
    pub fn pack(&self, wrapped: bool, out: &mut Vec<u8>, links: &mut Vec<Arc<str>>) {
        let styled = self.runs.iter().any(|(_, style)| !style.is_default());
        out.push(if wrapped { WRAPPED } else { 0 } | if styled { STYLED } else { 0 });
        if styled {
            put_number(out, u32::try_from(self.runs.len()).unwrap_or(u32::MAX));
            for (cells, style) in &self.runs {
                put_number(out, *cells);
                put_style(out, style, links);
            }
        }
        out.extend_from_slice(&self.text);
    }
}

fn same_style(left: &Cell, right: &Cell) -> bool {
    let halves = Attrs::WIDE.with(Attrs::WIDE_TAIL);
    left.extra == 0
        && right.extra == 0
        && left.fg == right.fg
        && left.bg == right.bg
        && left.attrs.without(halves) == right.attrs.without(halves)
}

/// Makes the row again that [`Packer::pack`] wrote.
pub(super) fn unpack(bytes: &[u8], links: &[Arc<str>]) -> Row {
    let mut reader = Reader { rest: bytes };
    let flags = reader.byte();
    let mut row = Row {
        wrapped: flags & WRAPPED != 0,
        ..Row::default()
    };
    let mut runs = Vec::new();
    if flags & STYLED != 0 {
        for _ in 0..reader.number() {
            runs.push((reader.number(), reader.style(links)));
        }
    }
    row.cells.reserve_exact(reader.rest.len());
    let plain = Style::default();
    let mut runs = runs.iter();
    let mut run = runs.next();
    let mut left = run.map_or(u32::MAX, |run| run.0);
    while !reader.rest.is_empty() {
        while left == 0 {
            run = runs.next();
            left = run.map_or(u32::MAX, |run| run.0);
        }
        left -= 1;
        reader.cell(&mut row, run.map_or(&plain, |run| &run.1));
    }
    row
}

fn put_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

const HAS_FG: u8 = 1;
const HAS_BG: u8 = 2;
const HAS_ATTRS: u8 = 4;
const HAS_UNDERLINE: u8 = 8;
const HAS_LINK: u8 = 16;

fn put_style(out: &mut Vec<u8>, style: &Style, links: &mut Vec<Arc<str>>) {
    let at = out.len();
    out.push(0);
    let mut has = 0;
    for (color, flag) in [
        (style.fg, HAS_FG),
        (style.bg, HAS_BG),
        (style.underline_color, HAS_UNDERLINE),
    ] {
        match color.kind() {
            ColorKind::Default => continue,
            ColorKind::Indexed(index) => out.extend_from_slice(&[1, index]),
            ColorKind::Rgb(red, green, blue) => out.extend_from_slice(&[2, red, green, blue]),
        }
        has |= flag;
    }
    if style.attrs != Attrs::NONE {
        out.extend_from_slice(&style.attrs.bits().to_le_bytes());
        has |= HAS_ATTRS;
    }
    if let Some(link) = &style.link {
        if links.last() != Some(link) {
            links.push(Arc::clone(link));
        }
        put_number(out, u32::try_from(links.len() - 1).unwrap_or(u32::MAX));
        has |= HAS_LINK;
    }
    out[at] = has;
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.rest.split_first() else {
            return 0;
        };
        self.rest = rest;
        *byte
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn number(&mut self) -> u32 {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte();
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    fn color(&mut self) -> Color {
        match self.byte() {
            1 => Color::indexed(self.byte()),
            _ => Color::rgb(self.byte(), self.byte(), self.byte()),
        }
    }

    fn style(&mut self, links: &[Arc<str>]) -> Style {
        let has = self.byte();
        let mut style = Style::default();
        if has & HAS_FG != 0 {
            style.fg = self.color();
        }
        if has & HAS_BG != 0 {
            style.bg = self.color();
        }
        if has & HAS_UNDERLINE != 0 {
            style.underline_color = self.color();
        }
        if has & HAS_ATTRS != 0 {
            style.attrs = Attrs::from_bits(u16::from_le_bytes([self.byte(), self.byte()]));
        }
        if has & HAS_LINK != 0 {
            style.link = links.get(self.number() as usize).cloned();
        }
        style
    }

    /// Reads one cell of the text.
    fn cell(&mut self, row: &mut Row, style: &Style) {
        let first = self.byte();
        match first {
            0 => push_cell(row, Content::Blank, false, style),
            0x01..=0x7f => push_cell(row, Content::Char(char::from(first)), false, style),
            CLUSTER => {
                let head = self.number();
                let text = std::str::from_utf8(self.take((head >> 1) as usize)).unwrap_or_default();
                let mut chars = text.chars();
                let content = match (chars.next(), chars.next()) {
                    (Some(c), None) => Content::Char(c),
                    _ => Content::Cluster(text),
                };
                push_cell(row, content, head & 1 != 0, style);
            }
            _ => {
                let mut bytes = [first, 0, 0, 0];
                let length = match first {
                    0xf0.. => 4,
                    0xe0.. => 3,
                    _ => 2,
                };
                let rest = self.take(length - 1);
                bytes[1..=rest.len()].copy_from_slice(rest);
                let text = std::str::from_utf8(&bytes[..length]).unwrap_or("\u{fffd}");
                let c = text.chars().next().unwrap_or('\u{fffd}');
                push_cell(row, Content::Char(c), char_width(c) == Some(2), style);
            }
        }
    }
}
