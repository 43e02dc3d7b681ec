//! The outer terminal's cursor and modes: what is wanted, and what it is in.

use std::io::Write;

use crossterm::cursor::{Hide, MoveTo, SetCursorStyle, Show};
use crossterm::event::{
    KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::queue;

use crate::domain::screen::CursorShape;

/// Which mouse events the outer terminal should tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mouse {
    #[default]
    Off,
    /// Buttons, wheel and drags.
    Buttons,
    /// Every movement too, since a program asked for it.
    Any,
}

/// The hardware cursor. A hidden one has its place too: an input method opens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorAt {
    pub x: u16,
    pub y: u16,
    pub visible: bool,
    pub shape: CursorShape,
    pub blinking: bool,
}

/// What the outer terminal should be in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OuterModes {
    /// None hides it, wherever it is.
    pub cursor: Option<CursorAt>,
    pub title: String,
    pub mouse: Mouse,
    /// Kitty keyboard flags, where the terminal speaks that protocol.
    pub keyboard: Option<u8>,
}

/// What it is in, as far as was told to it.
#[derive(Debug, Default)]
pub(super) struct OuterState {
    visible: bool,
    at: Option<(u16, u16)>,
    shape: Option<SetCursorStyle>,
    title: Option<String>,
    mouse: Mouse,
    keyboard: Option<u8>,
}

impl OuterState {
    /// Something was drawn, so that the cursor is somewhere else.
    pub(super) fn cursor_moved(&mut self) {
        self.at = None;
    }

    /// Nothing is known of the cursor.
    pub(super) fn cursor_gone(&mut self) {
        self.at = None;
        self.shape = None;
    }

    /// Appends what leads from what is to what is wanted.
    pub(super) fn settle(&mut self, wanted: &OuterModes, out: &mut Vec<u8>) {
        if self.title.as_ref() != Some(&wanted.title) {
            out.extend_from_slice(b"\x1b]2;");
            out.extend(
                wanted
                    .title
                    .chars()
                    .filter(|c| !c.is_control())
                    .flat_map(|c| {
                        let mut bytes = [0; 4];
                        let length = c.encode_utf8(&mut bytes).len();
                        bytes.into_iter().take(length)
                    }),
            );
            out.extend_from_slice(b"\x1b\\");
            self.title = Some(wanted.title.clone());
        }
        if self.mouse != wanted.mouse {
            out.extend_from_slice(match wanted.mouse {
                Mouse::Off => b"\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1006l".as_slice(),
                // The tracking modes exclude each other, and ending one ends them all.
                Mouse::Buttons => b"\x1b[?1003l\x1b[?1000h\x1b[?1002h\x1b[?1006h",
                Mouse::Any => b"\x1b[?1003h\x1b[?1006h",
            });
            self.mouse = wanted.mouse;
        }
        if self.keyboard != wanted.keyboard {
            let _ = match (self.keyboard, wanted.keyboard) {
                (None, Some(flags)) => {
                    let flags = KeyboardEnhancementFlags::from_bits_truncate(flags);
                    queue!(out, PushKeyboardEnhancementFlags(flags))
                }
                // There is no command for setting flags in place, which spares a push that would have to be counted.
                (Some(_), Some(flags)) => write!(out, "\x1b[={flags};1u"),
                (_, None) => queue!(out, PopKeyboardEnhancementFlags),
            };
            self.keyboard = wanted.keyboard;
        }
        self.settle_cursor(wanted.cursor, out);
    }

    fn settle_cursor(&mut self, wanted: Option<CursorAt>, out: &mut Vec<u8>) {
        let visible = wanted.is_some_and(|cursor| cursor.visible);
        if !visible && std::mem::take(&mut self.visible) {
            let _ = queue!(out, Hide);
        }
        let Some(cursor) = wanted else {
            return;
        };
        if self.at != Some((cursor.x, cursor.y)) {
            let _ = queue!(out, MoveTo(cursor.x, cursor.y));
            self.at = Some((cursor.x, cursor.y));
        }
        if !visible {
            return;
        }
        let shape = style_of(cursor);
        if self.shape != Some(shape) {
            // Nobody has set a shape at the start, and some terminals show a sequence they do not know.
            if self.shape.is_some() || shape != SetCursorStyle::DefaultUserShape {
                let _ = queue!(out, shape);
            }
            self.shape = Some(shape);
        }
        if !std::mem::replace(&mut self.visible, true) {
            let _ = queue!(out, Show);
        }
    }
}

fn style_of(cursor: CursorAt) -> SetCursorStyle {
    match (cursor.shape, cursor.blinking) {
        (CursorShape::Default, _) => SetCursorStyle::DefaultUserShape,
        (CursorShape::Block, true) => SetCursorStyle::BlinkingBlock,
        (CursorShape::Block, false) => SetCursorStyle::SteadyBlock,
        (CursorShape::Underline, true) => SetCursorStyle::BlinkingUnderScore,
        (CursorShape::Underline, false) => SetCursorStyle::SteadyUnderScore,
        (CursorShape::Bar, true) => SetCursorStyle::BlinkingBar,
        (CursorShape::Bar, false) => SetCursorStyle::SteadyBar,
    }
}
