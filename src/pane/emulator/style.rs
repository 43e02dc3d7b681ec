//! The pen: what a written cell looks like, and the SGR sequences that change it (ECMA-48 8.3.117, xterm's ctlseqs).

use std::sync::Arc;

use super::params::Params;
use crate::domain::screen::{Attrs, Color, Underline};

/// The look of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Style {
    pub fg: Color,
    pub bg: Color,
    pub attrs: Attrs,
    pub underline_color: Color,
    /// The target of an OSC 8 hyperlink.
    pub link: Option<Arc<str>>,
}

impl Style {
    /// What erased cells take from the pen: its background alone.
    pub fn background(color: Color) -> Self {
        Self {
            bg: color,
            ..Self::default()
        }
    }

    pub fn is_default(&self) -> bool {
        self.fg == Color::DEFAULT
            && self.bg == Color::DEFAULT
            && self.attrs == Attrs::NONE
            && self.underline_color == Color::DEFAULT
            && self.link.is_none()
    }

    /// Applies SGR parameters; what is unknown is skipped. A hyperlink is no rendition and stays.
    pub fn apply(&mut self, params: &Params) {
        if params.is_empty() {
            self.reset();
        }
        let mut groups = params.groups();
        while let Some(group) = groups.next() {
            match *group {
                [38 | 48 | 58] => {
                    let color = legacy_color(&mut groups);
                    self.set_color(group[0], color);
                }
                [38 | 48 | 58, ..] => self.set_color(group[0], colon_color(&group[1..])),
                [4, style] => self.set_underline(style),
                [code] => self.apply_code(code),
                _ => {}
            }
        }
    }

    fn reset(&mut self) {
        *self = Self {
            link: self.link.take(),
            ..Self::default()
        };
    }

    fn apply_code(&mut self, code: u16) {
        match code {
            0 => self.reset(),
            1 => self.add(Attrs::BOLD),
            2 => self.add(Attrs::DIM),
            3 => self.add(Attrs::ITALIC),
            4 => self.set_underline(1),
            5 | 6 => self.add(Attrs::BLINK),
            7 => self.add(Attrs::INVERSE),
            8 => self.add(Attrs::HIDDEN),
            9 => self.add(Attrs::STRIKE),
            21 => self.set_underline(2),
            22 => self.remove(Attrs::BOLD.with(Attrs::DIM)),
            23 => self.remove(Attrs::ITALIC),
            24 => self.set_underline(0),
            25 => self.remove(Attrs::BLINK),
            27 => self.remove(Attrs::INVERSE),
            28 => self.remove(Attrs::HIDDEN),
            29 => self.remove(Attrs::STRIKE),
            39 => self.fg = Color::DEFAULT,
            49 => self.bg = Color::DEFAULT,
            53 => self.add(Attrs::OVERLINE),
            55 => self.remove(Attrs::OVERLINE),
            59 => self.underline_color = Color::DEFAULT,
            30..=37 => self.fg = indexed(code - 30),
            40..=47 => self.bg = indexed(code - 40),
            90..=97 => self.fg = indexed(code - 90 + 8),
            100..=107 => self.bg = indexed(code - 100 + 8),
            _ => {}
        }
    }

    fn add(&mut self, attrs: Attrs) {
        self.attrs = self.attrs.with(attrs);
    }

    fn remove(&mut self, attrs: Attrs) {
        self.attrs = self.attrs.without(attrs);
    }

    fn set_underline(&mut self, style: u16) {
        let underline = match style {
            0 => Underline::None,
            1 => Underline::Single,
            2 => Underline::Double,
            3 => Underline::Curly,
            4 => Underline::Dotted,
            5 => Underline::Dashed,
            _ => return,
        };
        self.attrs = self.attrs.with_underline(underline);
    }

    fn set_color(&mut self, code: u16, color: Option<Color>) {
        let Some(color) = color else { return };
        match code {
            38 => self.fg = color,
            48 => self.bg = color,
            _ => self.underline_color = color,
        }
    }
}

fn indexed(index: u16) -> Color {
    Color::indexed(u8::try_from(index).unwrap_or(0))
}

/// The colour after `38`, `48` or `58` where its parts are parameters of their own.
fn legacy_color<'a>(groups: &mut impl Iterator<Item = &'a [u16]>) -> Option<Color> {
    let mut next = || groups.next().and_then(|group| group.first().copied());
    match next()? {
        2 => rgb(next()?, next()?, next()?),
        5 => u8::try_from(next()?).ok().map(Color::indexed),
        _ => None,
    }
}

/// The colour in `38:…` after the first colon (ISO 8613-6), with or without its colour space.
fn colon_color(parts: &[u16]) -> Option<Color> {
    match *parts {
        [2, r, g, b] | [2, _, r, g, b, ..] => rgb(r, g, b),
        [5, index, ..] => u8::try_from(index).ok().map(Color::indexed),
        _ => None,
    }
}

fn rgb(red: u16, green: u16, blue: u16) -> Option<Color> {
    let part = |value| u8::try_from(value).ok();
    Some(Color::rgb(part(red)?, part(green)?, part(blue)?))
}
