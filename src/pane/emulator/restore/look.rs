//! Writes looks: SGR, hyperlinks and protection.

use std::fmt::Arguments;
use std::io::Write;

use super::super::pen::Pen;
use super::super::style::Style;
use crate::domain::screen::{Attrs, Color, ColorKind, Underline};

/// Sets the pen whole, whatever it was.
pub(super) fn set_pen(pen: &Pen, out: &mut Vec<u8>) {
    write_style(pen.style(), out);
    write_link(pen.style().link.as_deref(), out);
    if pen.is_protected() {
        out.extend_from_slice(b"\x1b[1\"q");
    } else {
        out.extend_from_slice(b"\x1b[0\"q");
    }
}

/// Sets the rendition whole, whatever it was; a hyperlink is none.
pub(super) fn write_style(style: &Style, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[0");
    for (attr, code) in [
        (Attrs::BOLD, 1),
        (Attrs::DIM, 2),
        (Attrs::ITALIC, 3),
        (Attrs::BLINK, 5),
        (Attrs::INVERSE, 7),
        (Attrs::HIDDEN, 8),
        (Attrs::STRIKE, 9),
        (Attrs::OVERLINE, 53),
    ] {
        if style.attrs.contains(attr) {
            push(out, format_args!(";{code}"));
        }
    }
    match style.attrs.underline() {
        Underline::None => {}
        Underline::Single => out.extend_from_slice(b";4"),
        styled => push(out, format_args!(";4:{}", styled as u16)),
    }
    write_color(style.fg, 30, out);
    write_color(style.bg, 40, out);
    match style.underline_color.kind() {
        ColorKind::Default => {}
        ColorKind::Indexed(index) => push(out, format_args!(";58:5:{index}")),
        ColorKind::Rgb(red, green, blue) => {
            push(out, format_args!(";58:2::{red}:{green}:{blue}"));
        }
    }
    out.push(b'm');
}

fn write_color(color: Color, base: u16, out: &mut Vec<u8>) {
    match color.kind() {
        ColorKind::Default => {}
        ColorKind::Indexed(index @ 0..8) => {
            push(out, format_args!(";{}", base + u16::from(index)));
        }
        ColorKind::Indexed(index @ 8..16) => {
            push(out, format_args!(";{}", base + 52 + u16::from(index)));
        }
        ColorKind::Indexed(index) => push(out, format_args!(";{};5;{index}", base + 8)),
        ColorKind::Rgb(red, green, blue) => {
            push(out, format_args!(";{};2;{red};{green};{blue}", base + 8));
        }
    }
}

/// Begins or ends a hyperlink. Its target holds no control characters.
pub(super) fn write_link(link: Option<&str>, out: &mut Vec<u8>) {
    let target = link.unwrap_or_default();
    out.extend_from_slice(b"\x1b]8;;");
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b"\x1b\\");
}

pub(super) fn push(out: &mut Vec<u8>, text: Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = out.write_fmt(text);
}
