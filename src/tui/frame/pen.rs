//! Writing cells: cursor movements and SGR, only what differs from where the pen is.

use std::io::Write;
use std::sync::Arc;

use crossterm::cursor::{MoveRight, MoveTo};
use crossterm::queue;
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{Clear, ClearType};
use ratatui::style::Color as OuterColor;

use super::doubt::doubt;
use crate::domain::screen::{Attrs, Cell, Color, Row, Underline};
use crate::tui::theme::Theme;

/// Those that some bit takes back need a reset.
const RENDITION_BITS: u16 = {
    let mut bits = 0;
    let mut index = 0;
    while index < Attrs::RENDITION.len() {
        bits |= Attrs::RENDITION[index].0.bits();
        index += 1;
    }
    bits
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rendition {
    fg: Color,
    bg: Color,
    attrs: Attrs,
    underline: Underline,
    underline_color: Color,
    link: Option<Arc<str>>,
}

/// Where the outer terminal's cursor is and what the next character would look like.
#[derive(Debug)]
pub(super) struct Pen<'a> {
    theme: &'a Theme,
    /// Row and column; None where it is not known.
    at: Option<(u16, usize)>,
    rendition: Rendition,
}

impl<'a> Pen<'a> {
    /// Frames begin and end with the plain rendition.
    pub(super) fn new(theme: &'a Theme) -> Self {
        Self {
            theme,
            at: None,
            rendition: Rendition::default(),
        }
    }

    pub(super) fn clear(&mut self, out: &mut Vec<u8>) {
        let _ = queue!(out, SetAttribute(Attribute::Reset), Clear(ClearType::All));
        self.rendition = Rendition::default();
        self.at = None;
    }

    /// Writes the cell of a row; nothing for the second half of a wide character. Tells up to which column the terminal may
    /// have drawn over what follows, which is then to be written again.
    pub(super) fn write(&mut self, y: u16, x: usize, row: &Row, out: &mut Vec<u8>) -> usize {
        let Some(cell) = row.cells.get(x) else {
            return 0;
        };
        if cell.attrs.contains(Attrs::WIDE_TAIL) {
            return 0;
        }
        self.go(y, x, out);
        self.set_rendition(rendition_of(row, cell), out);
        let wide = cell.attrs.contains(Attrs::WIDE);
        let next = x + if wide { 2 } else { 1 };
        let cluster = row.extra(cell).and_then(|extra| extra.cluster.as_deref());
        let doubt = doubt(row, cell).filter(|_| self.theme.shows_utf8());
        if doubt.is_some() {
            // Whoever draws less than the cell leaves the rest of it blank.
            out.extend_from_slice(if wide { b"  " } else { b" " });
            self.at = None;
            self.go(y, x, out);
        }
        match (cluster, cell.ch) {
            (Some(cluster), _) if self.theme.shows_utf8() => {
                let shown = cluster.chars().filter(|ch| !ch.is_control());
                out.extend(shown.collect::<String>().bytes());
            }
            (Some(_), _) => out.extend_from_slice(if wide { b"??" } else { b"?" }),
            (None, '\0') => out.push(b' '),
            // Terminals disagree about the soft hyphen's width; it looks like this one.
            (None, '\u{ad}') => out.push(b'-'),
            (None, ch) if ch.is_ascii() || self.theme.shows_utf8() => {
                out.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes());
            }
            (None, ch) => out.extend_from_slice(plain(ch, wide)),
        }
        // In the last column the cursor stays, with a wrap pending.
        let is_known = doubt.is_none() && next < row.cells.len();
        self.at = is_known.then_some((y, next));
        doubt.map_or(0, |columns| next + columns)
    }

    /// Blanks the rest of a row with the default background.
    pub(super) fn erase_to_end(&mut self, y: u16, x: usize, out: &mut Vec<u8>) {
        self.go(y, x, out);
        self.set_rendition(Rendition::default(), out);
        let _ = queue!(out, Clear(ClearType::UntilNewLine));
    }

    /// Ends with the plain rendition.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.set_rendition(Rendition::default(), out);
    }

    fn go(&mut self, y: u16, x: usize, out: &mut Vec<u8>) {
        match self.at {
            Some((row, col)) if row == y && col == x => return,
            Some((row, col)) if row == y && col < x => {
                let _ = queue!(out, MoveRight(columns(x - col)));
            }
            _ => {
                let _ = queue!(out, MoveTo(columns(x), y));
            }
        }
        self.at = Some((y, x));
    }

    fn set_rendition(&mut self, rendition: Rendition, out: &mut Vec<u8>) {
        if rendition == self.rendition {
            return;
        }
        if rendition.link != self.rendition.link {
            out.extend_from_slice(b"\x1b]8;;");
            if let Some(link) = &rendition.link {
                out.extend(link.bytes().filter(|byte| !byte.is_ascii_control()));
            }
            out.extend_from_slice(b"\x1b\\");
        }
        let mut sgr = Sgr::new(out);
        let mut before = std::mem::take(&mut self.rendition);
        let takes_back = before.attrs.without(rendition.attrs) != Attrs::NONE
            || (before.underline != Underline::None && rendition.underline == Underline::None);
        if takes_back {
            sgr.push(format_args!("0"));
            before = Rendition::default();
        }
        for (attr, number) in Attrs::RENDITION {
            if rendition.attrs.contains(attr) && !before.attrs.contains(attr) {
                sgr.push(format_args!("{number}"));
            }
        }
        if rendition.underline != before.underline {
            match rendition.underline {
                Underline::None | Underline::Single => sgr.push(format_args!("4")),
                style => sgr.push(format_args!("4:{}", style as u16)),
            }
        }
        if rendition.fg != before.fg {
            sgr.color(self.theme.cell_color(rendition.fg), 30);
        }
        if rendition.bg != before.bg {
            sgr.color(self.theme.cell_color(rendition.bg), 40);
        }
        if rendition.underline_color != before.underline_color {
            sgr.underline_color(self.theme.cell_color(rendition.underline_color));
        }
        sgr.finish();
        self.rendition = rendition;
    }
}

/// A screen is never wider than a `u16` tells.
fn columns(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn rendition_of(row: &Row, cell: &Cell) -> Rendition {
    let extra = row.extra(cell);
    Rendition {
        fg: cell.fg,
        bg: cell.bg,
        attrs: Attrs::from_bits(cell.attrs.bits() & RENDITION_BITS),
        underline: cell.attrs.underline(),
        underline_color: extra.map_or(Color::DEFAULT, |extra| extra.underline_color),
        link: extra.and_then(|extra| extra.link.clone()),
    }
}

/// What an outer terminal that does not read UTF-8 is shown for a character: lines stay lines.
fn plain(ch: char, wide: bool) -> &'static [u8] {
    match ch {
        _ if wide => b"??",
        '\u{a0}' => b" ",
        '\u{2013}' | '\u{2014}' | '\u{2500}' | '\u{2501}' | '\u{2504}' | '\u{2505}'
        | '\u{2508}' | '\u{2509}' | '\u{2550}' => b"-",
        '\u{2502}' | '\u{2503}' | '\u{2506}' | '\u{2507}' | '\u{250a}' | '\u{250b}'
        | '\u{2551}' => b"|",
        '\u{250c}'..='\u{254b}' | '\u{2552}'..='\u{2570}' => b"+",
        '\u{2580}'..='\u{259f}' => b"#",
        '\u{2018}' | '\u{2019}' => b"'",
        '\u{201c}' | '\u{201d}' => b"\"",
        '\u{2022}' | '\u{25cf}' => b"*",
        _ => b"?",
    }
}

/// One SGR sequence, opened with its first parameter.
struct Sgr<'a> {
    out: &'a mut Vec<u8>,
    open: bool,
}

impl<'a> Sgr<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, open: false }
    }

    fn push(&mut self, parameter: std::fmt::Arguments<'_>) {
        let start: &[u8] = if self.open { b";" } else { b"\x1b[" };
        self.out.extend_from_slice(start);
        self.open = true;
        // Writing into memory cannot fail.
        let _ = self.out.write_fmt(parameter);
    }

    /// `base` is 30 for the foreground, 40 for the background.
    fn color(&mut self, color: OuterColor, base: u8) {
        match color {
            OuterColor::Rgb(red, green, blue) => {
                self.push(format_args!("{};2;{red};{green};{blue}", base + 8));
            }
            OuterColor::Reset => self.push(format_args!("{}", base + 9)),
            other => match index_of(other) {
                index @ 0..=7 => self.push(format_args!("{}", base + index)),
                index @ 8..=15 => self.push(format_args!("{}", base + 52 + index)),
                index => self.push(format_args!("{};5;{index}", base + 8)),
            },
        }
    }

    fn underline_color(&mut self, color: OuterColor) {
        match color {
            OuterColor::Rgb(red, green, blue) => {
                self.push(format_args!("58:2::{red}:{green}:{blue}"));
            }
            OuterColor::Reset => self.push(format_args!("59")),
            other => self.push(format_args!("58:5:{}", index_of(other))),
        }
    }

    fn finish(self) {
        if self.open {
            self.out.push(b'm');
        }
    }
}

fn index_of(color: OuterColor) -> u8 {
    match color {
        OuterColor::Black | OuterColor::Reset | OuterColor::Rgb(..) => 0,
        OuterColor::Red => 1,
        OuterColor::Green => 2,
        OuterColor::Yellow => 3,
        OuterColor::Blue => 4,
        OuterColor::Magenta => 5,
        OuterColor::Cyan => 6,
        OuterColor::Gray => 7,
        OuterColor::DarkGray => 8,
        OuterColor::LightRed => 9,
        OuterColor::LightGreen => 10,
        OuterColor::LightYellow => 11,
        OuterColor::LightBlue => 12,
        OuterColor::LightMagenta => 13,
        OuterColor::LightCyan => 14,
        OuterColor::White => 15,
        OuterColor::Indexed(index) => index,
    }
}
