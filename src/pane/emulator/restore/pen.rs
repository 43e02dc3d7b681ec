//! Writes looks: SGR, hyperlinks and protection.

use std::fmt::Arguments;
use std::io::Write;

use super::super::pen::Pen;
use super::super::style::Style;
use crate::domain::screen::{Attrs, Color, Underline};
use crate::pane::color_parameter::ColorParameter;

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
    for (attr, code) in Attrs::RENDITION {
        if style.attrs.contains(attr) {
            push(out, format_args!(";{code}"));
        }
    }
    match style.attrs.underline() {
        Underline::None => {}
        Underline::Single => out.extend_from_slice(b";4"),
        styled => push(out, format_args!(";4:{}", styled as u16)),
    }
    for (color, base) in [(style.fg, 30), (style.bg, 40), (style.underline_color, 50)] {
        if color != Color::DEFAULT {
            push(out, format_args!(";{}", ColorParameter(color, base)));
        }
    }
    out.push(b'm');
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
