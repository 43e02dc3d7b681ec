//! Modes that change neither cells nor the place of text: cursor look, input modes, keyboard protocols.

use crate::domain::screen::{CursorShape, InputModes, MouseEncoding, MouseMode};

/// How many keyboard flags a program may stack up; the oldest are dropped beyond it, as kitty does.
const KEYBOARD_STACK: usize = 16;
/// The keyboard flags that exist.
const KEYBOARD_FLAGS: u16 = 0b1_1111;

/// The state of a mode as DECRQM reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModeState {
    Unknown,
    Set,
    Reset,
}

impl ModeState {
    pub fn of(set: bool) -> Self {
        if set { Self::Set } else { Self::Reset }
    }

    pub fn code(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Set => 1,
            Self::Reset => 2,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Modes {
    input: InputModes,
    pub cursor_visible: bool,
    pub cursor_shape: CursorShape,
    pub cursor_blinking: bool,
    /// DECSCNM.
    pub reverse: bool,
    /// Private mode 40: DECCOLM is obeyed whatever its state is.
    pub columns_allowed: bool,
    /// DECCOLM, by name: the pane's width is never changed.
    pub columns_changed: bool,
    /// Mode 2026.
    pub update_open: bool,
    /// Kitty keyboard flags, one stack for each screen; the last is in force.
    keyboard: [Vec<u8>; 2],
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            input: InputModes {
                alternate_scroll: true,
                ..InputModes::default()
            },
            cursor_visible: true,
            cursor_shape: CursorShape::Default,
            cursor_blinking: false,
            reverse: false,
            columns_allowed: false,
            columns_changed: false,
            update_open: false,
            keyboard: [Vec::new(), Vec::new()],
        }
    }
}

impl Modes {
    /// What DECSTR resets of these.
    pub fn soft_reset(&mut self) {
        self.cursor_visible = true;
        self.input.application_cursor = false;
        self.input.application_keypad = false;
    }

    /// The input modes as they are on one of the screens.
    pub fn input(&self, alternate: bool, newline: bool) -> InputModes {
        InputModes {
            kitty_flags: self.keyboard_flags(alternate),
            newline,
            ..self.input
        }
    }

    pub fn set_keypad(&mut self, application: bool) {
        self.input.application_keypad = application;
    }

    /// Sets a private mode that is kept here; false if it is not.
    pub fn set(&mut self, mode: u16, on: bool) -> bool {
        match mode {
            1 => self.input.application_cursor = on,
            5 => self.reverse = on,
            9 => self.set_mouse(MouseMode::X10, on),
            12 => self.cursor_blinking = on,
            25 => self.cursor_visible = on,
            40 => self.columns_allowed = on,
            66 => self.input.application_keypad = on,
            67 => self.input.backarrow_sends_bs = on,
            1000 => self.set_mouse(MouseMode::Normal, on),
            1002 => self.set_mouse(MouseMode::Button, on),
            1003 => self.set_mouse(MouseMode::Any, on),
            1004 => self.input.focus = on,
            1005 => self.set_encoding(MouseEncoding::Utf8, on),
            1006 => self.set_encoding(MouseEncoding::Sgr, on),
            1007 => self.input.alternate_scroll = on,
            1015 => self.set_encoding(MouseEncoding::Urxvt, on),
            1016 => self.set_encoding(MouseEncoding::SgrPixels, on),
            2004 => self.input.bracketed_paste = on,
            2026 => self.update_open = on,
            _ => return false,
        }
        true
    }

    pub fn state(&self, mode: u16) -> ModeState {
        let mouse = |wanted| self.input.mouse == wanted;
        let encoding = |wanted| self.input.mouse_encoding == wanted;
        ModeState::of(match mode {
            1 => self.input.application_cursor,
            3 => self.columns_changed,
            5 => self.reverse,
            9 => mouse(MouseMode::X10),
            12 => self.cursor_blinking,
            25 => self.cursor_visible,
            40 => self.columns_allowed,
            66 => self.input.application_keypad,
            67 => self.input.backarrow_sends_bs,
            1000 => mouse(MouseMode::Normal),
            1002 => mouse(MouseMode::Button),
            1003 => mouse(MouseMode::Any),
            1004 => self.input.focus,
            1005 => encoding(MouseEncoding::Utf8),
            1006 => encoding(MouseEncoding::Sgr),
            1007 => self.input.alternate_scroll,
            1015 => encoding(MouseEncoding::Urxvt),
            1016 => encoding(MouseEncoding::SgrPixels),
            2004 => self.input.bracketed_paste,
            2026 => self.update_open,
            _ => return ModeState::Unknown,
        })
    }

    /// As in xterm, resetting any of the mouse modes turns the mouse off.
    fn set_mouse(&mut self, mode: MouseMode, on: bool) {
        self.input.mouse = if on { mode } else { MouseMode::None };
    }

    fn set_encoding(&mut self, encoding: MouseEncoding, on: bool) {
        self.input.mouse_encoding = if on { encoding } else { MouseEncoding::Default };
    }

    /// DECSCUSR; an unknown style is ignored.
    pub fn set_cursor_style(&mut self, style: u16) {
        (self.cursor_shape, self.cursor_blinking) = match style {
            0 => (CursorShape::Default, false),
            1 => (CursorShape::Block, true),
            2 => (CursorShape::Block, false),
            3 => (CursorShape::Underline, true),
            4 => (CursorShape::Underline, false),
            5 => (CursorShape::Bar, true),
            6 => (CursorShape::Bar, false),
            _ => return,
        };
    }

    /// The parameter of DECSCUSR that makes the present cursor.
    pub fn cursor_style(&self) -> u8 {
        let steady = match self.cursor_shape {
            CursorShape::Default => return u8::from(self.cursor_blinking),
            CursorShape::Block => 2,
            CursorShape::Underline => 4,
            CursorShape::Bar => 6,
        };
        steady - u8::from(self.cursor_blinking)
    }

    pub fn modify_other_keys(&self) -> u8 {
        self.input.modify_other_keys
    }

    pub fn set_modify_other_keys(&mut self, level: u16) {
        self.input.modify_other_keys = u8::try_from(level.min(2)).unwrap_or(0);
    }

    pub fn keyboard_flags(&self, alternate: bool) -> u8 {
        self.keyboard[usize::from(alternate)]
            .last()
            .copied()
            .unwrap_or(0)
    }

    /// The flags that a program stacked up on a screen; the last is in force.
    pub fn keyboard_stack(&self, alternate: bool) -> &[u8] {
        &self.keyboard[usize::from(alternate)]
    }

    pub fn push_keyboard(&mut self, alternate: bool, flags: u16) {
        let stack = &mut self.keyboard[usize::from(alternate)];
        if stack.is_empty() {
            stack.push(0);
        }
        if stack.len() > KEYBOARD_STACK {
            stack.remove(0);
        }
        stack.push(known_flags(flags));
    }

    pub fn pop_keyboard(&mut self, alternate: bool, count: u16) {
        let stack = &mut self.keyboard[usize::from(alternate)];
        stack.truncate(stack.len().saturating_sub(usize::from(count)));
    }

    /// Mode 1 replaces the flags in force, 2 adds to them, 3 takes from them.
    pub fn set_keyboard(&mut self, alternate: bool, flags: u16, mode: u16) {
        let stack = &mut self.keyboard[usize::from(alternate)];
        if stack.is_empty() {
            stack.push(0);
        }
        let flags = known_flags(flags);
        if let Some(last) = stack.last_mut() {
            match mode {
                1 => *last = flags,
                2 => *last |= flags,
                3 => *last &= !flags,
                _ => {}
            }
        }
    }
}

fn known_flags(flags: u16) -> u8 {
    u8::try_from(flags & KEYBOARD_FLAGS).unwrap_or(0)
}
