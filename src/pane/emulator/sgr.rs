//! The rendition of a cell: what the grid's own cells hold of it, what has to be carried, and the sequences between.

use super::style::Style;
use super::style_table::ExtraStyle;
use crate::domain::screen::{Attrs, Color, ColorKind, Underline};

/// A cell as the crate has it, to be put elsewhere.
pub(super) type RawCell = vt100::Cell;

/// The part of a style that the crate's cells hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Sgr {
    pub fg: Color,
    pub bg: Color,
    /// Bold, dim, italic, inverse and single underline alone.
    pub attrs: Attrs,
}

/// A style split into what the crate's cells hold and what must be carried.
pub(super) fn split(style: &Style, protected: bool) -> (Sgr, Option<ExtraStyle>) {
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
    let mut extra = ExtraStyle {
        attrs: Attrs::from_bits(style.attrs.bits() & carried.bits()),
        protected,
        underline_color: if underlined {
            style.underline_color
        } else {
            Color::DEFAULT
        },
        link: style.link.clone(),
        cluster: None,
    };
    if underlined {
        attrs = attrs.with_underline(Underline::Single);
        if style.attrs.underline() != Underline::Single {
            extra.attrs = extra.attrs.with_underline(style.attrs.underline());
        }
    }
    // The crate knows one of the two only.
    if attrs.contains(Attrs::BOLD.with(Attrs::DIM)) {
        attrs = attrs.without(Attrs::DIM);
        extra.attrs = extra.attrs.with(Attrs::DIM);
    }
    (
        Sgr {
            fg: style.fg,
            bg: style.bg,
            attrs,
        },
        (extra != ExtraStyle::default()).then_some(extra),
    )
}

pub(super) fn apply_extra(style: &mut Style, extra: &ExtraStyle) {
    let underline = extra.attrs.underline();
    style.attrs = style
        .attrs
        .with(extra.attrs.with_underline(Underline::None));
    if underline != Underline::None {
        style.attrs = style.attrs.with_underline(underline);
    }
    style.underline_color = extra.underline_color;
    style.link.clone_from(&extra.link);
}

pub(super) fn sgr_of(cell: &RawCell) -> Sgr {
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
    Sgr {
        fg: color(cell.fgcolor()),
        bg: color(cell.bgcolor()),
        attrs,
    }
}

pub(super) fn color(color: vt100::Color) -> Color {
    match color {
        vt100::Color::Default => Color::DEFAULT,
        vt100::Color::Idx(index) => Color::indexed(index),
        vt100::Color::Rgb(red, green, blue) => Color::rgb(red, green, blue),
    }
}

/// Writes the SGR sequence that leads from one rendition to another.
pub(super) fn write_sgr(out: &mut Vec<u8>, from: Sgr, to: Sgr) {
    out.extend_from_slice(b"\x1b[");
    let mut from = from;
    if to == Sgr::default() || from.attrs.without(to.attrs) != Attrs::NONE {
        from = Sgr::default();
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
pub(super) fn put_number(out: &mut Vec<u8>, number: u16) {
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
