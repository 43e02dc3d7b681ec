//! Keys as xterm sends them, with modifyOtherKeys.

use super::{push, push_char};
use crate::domain::input::{KeyCode, KeypadKey, Mods};
use crate::domain::screen::InputModes;

pub(super) fn encode(code: KeyCode, held: Mods, modes: &InputModes, out: &mut Vec<u8>) {
    let num_lock = held.contains(Mods::NUM_LOCK);
    let held = held.without(Mods::CAPS_LOCK).without(Mods::NUM_LOCK);
    match code {
        KeyCode::Char(c) => char_key(c, held, modes, out),
        KeyCode::Enter | KeyCode::Escape | KeyCode::Tab | KeyCode::Backspace => {
            control_key(code, held, modes, out);
        }
        KeyCode::Keypad(key) if key != KeypadKey::Begin => {
            let application = modes.application_keypad && !num_lock && held.is_empty();
            match application_final(key).filter(|_| application) {
                Some(last) => out.extend_from_slice(&[0x1b, b'O', last]),
                None => encode(key.plain(), held, modes, out),
            }
        }
        KeyCode::F(number) => function_key(number, held, out),
        KeyCode::CapsLock
        | KeyCode::ScrollLock
        | KeyCode::NumLock
        | KeyCode::PrintScreen
        | KeyCode::Pause
        | KeyCode::Media(_)
        | KeyCode::Modifier(_) => {}
        _ => {
            if let Some(form) = form(code) {
                form.write(held, modes.application_cursor, out);
            }
        }
    }
}

/// How a key without a character is written: `CSI number ~`, or `CSI letter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Number(u16),
    Letter(u8),
}

impl Form {
    fn write(self, held: Mods, application: bool, out: &mut Vec<u8>) {
        let parameter = held.bits() + 1;
        match self {
            Self::Number(number) if held.is_empty() => push(out, format_args!("\x1b[{number}~")),
            Self::Number(number) => push(out, format_args!("\x1b[{number};{parameter}~")),
            Self::Letter(letter) if held.is_empty() => {
                out.extend_from_slice(&[0x1b, if application { b'O' } else { b'[' }, letter]);
            }
            Self::Letter(letter) => {
                push(
                    out,
                    format_args!("\x1b[1;{parameter}{}", char::from(letter)),
                );
            }
        }
    }
}

/// The form of a key of the cursor and editing blocks.
pub(super) fn form(code: KeyCode) -> Option<Form> {
    Some(match code {
        KeyCode::Up => Form::Letter(b'A'),
        KeyCode::Down => Form::Letter(b'B'),
        KeyCode::Right => Form::Letter(b'C'),
        KeyCode::Left => Form::Letter(b'D'),
        KeyCode::Keypad(KeypadKey::Begin) => Form::Letter(b'E'),
        KeyCode::End => Form::Letter(b'F'),
        KeyCode::Home => Form::Letter(b'H'),
        KeyCode::Insert => Form::Number(2),
        KeyCode::Delete => Form::Number(3),
        KeyCode::PageUp => Form::Number(5),
        KeyCode::PageDown => Form::Number(6),
        KeyCode::Menu => Form::Number(29),
        _ => return None,
    })
}

/// The number of F5 to F20 before `~`, with DEC's gaps.
pub(super) fn function_number(number: u8) -> Option<u16> {
    const NUMBERS: [u16; 16] = [
        15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34,
    ];
    let index = usize::from(number.checked_sub(5)?);
    NUMBERS.get(index).copied()
}

fn function_key(number: u8, held: Mods, out: &mut Vec<u8>) {
    match number {
        1..=4 => Form::Letter(b'O' + number).write(held, true, out),
        5..=20 => {
            if let Some(number) = function_number(number) {
                Form::Number(number).write(held, false, out);
            }
        }
        // The terminfo entry xterm-256color knows them as F9 to F12 with Shift and F1 to F11 with Ctrl.
        21..=24 => function_key(number - 12, held.with(Mods::SHIFT), out),
        25..=35 => function_key(number - 24, held.with(Mods::CTRL), out),
        _ => {}
    }
}

/// The final byte after SS3 of a key on the application keypad (DECKPAM).
fn application_final(key: KeypadKey) -> Option<u8> {
    Some(match key {
        KeypadKey::Digit(digit) => b'p' + digit.min(9),
        KeypadKey::Multiply => b'j',
        KeypadKey::Add => b'k',
        KeypadKey::Separator => b'l',
        KeypadKey::Subtract => b'm',
        KeypadKey::Decimal => b'n',
        KeypadKey::Divide => b'o',
        KeypadKey::Enter => b'M',
        KeypadKey::Equal => b'X',
        _ => return None,
    })
}

fn char_key(c: char, held: Mods, modes: &InputModes, out: &mut Vec<u8>) {
    if held.contains(Mods::SUPER) || held.contains(Mods::HYPER) {
        // There is no encoding for these; the bare character would be taken for typing.
        return;
    }
    if is_other_key(c, held, modes.modify_other_keys) {
        let c = if held.contains(Mods::SHIFT) {
            c.to_ascii_uppercase()
        } else {
            c
        };
        return other_key(u32::from(c), held, out);
    }
    escape_prefix(held, out);
    match control_byte(c).filter(|_| held.contains(Mods::CTRL)) {
        Some(byte) => out.push(byte),
        None => push_char(c, out),
    }
}

/// Whether modifyOtherKeys writes a character in its own form. Level 1 leaves alone what has a meaning of old; level 2
/// only what Shift alone does to text.
fn is_other_key(c: char, held: Mods, level: u8) -> bool {
    let ctrl = held.contains(Mods::CTRL);
    match level {
        0 => false,
        1 => ctrl && (control_byte(c).is_none() || held.contains(Mods::SHIFT)),
        _ => ctrl || is_alt(held) || (c == ' ' && held.contains(Mods::SHIFT)),
    }
}

/// Enter, Escape, Tab and Backspace: keys that are control characters.
fn control_key(code: KeyCode, held: Mods, modes: &InputModes, out: &mut Vec<u8>) {
    let back = if modes.backarrow_sends_bs {
        [0x08, 0x7f]
    } else {
        [0x7f, 0x08]
    };
    let [backspace, with_ctrl] = back;
    let other = held.without(Mods::SUPER).without(Mods::HYPER);
    let modified = match (code, modes.modify_other_keys) {
        (_, 0) | (KeyCode::Escape | KeyCode::Backspace, 1) => false,
        (KeyCode::Enter, 1) => !other.without(Mods::ALT).is_empty(),
        (KeyCode::Tab, 1) => !other.without(Mods::ALT).without(Mods::SHIFT).is_empty(),
        (KeyCode::Tab, _) => !other.is_empty() && other != Mods::SHIFT,
        (KeyCode::Backspace, _) => !other.without(Mods::CTRL).is_empty(),
        _ => !other.is_empty(),
    };
    if modified {
        let number = match code {
            KeyCode::Enter => 13,
            KeyCode::Tab => 9,
            KeyCode::Escape => 27,
            _ => u32::from(backspace),
        };
        return other_key(number, other, out);
    }
    escape_prefix(held, out);
    match code {
        KeyCode::Enter if modes.newline => out.extend_from_slice(b"\r\n"),
        KeyCode::Enter => out.push(b'\r'),
        KeyCode::Escape => out.push(0x1b),
        KeyCode::Tab if held.contains(Mods::SHIFT) => out.extend_from_slice(b"\x1b[Z"),
        KeyCode::Tab => out.push(b'\t'),
        _ if held.contains(Mods::CTRL) => out.push(with_ctrl),
        _ => out.push(backspace),
    }
}

fn other_key(number: u32, held: Mods, out: &mut Vec<u8>) {
    let parameter = u32::from(held.bits()) + 1;
    push(out, format_args!("\x1b[27;{parameter};{number}~"));
}

fn is_alt(held: Mods) -> bool {
    held.contains(Mods::ALT) || held.contains(Mods::META)
}

fn escape_prefix(held: Mods, out: &mut Vec<u8>) {
    if is_alt(held) {
        out.push(0x1b);
    }
}

/// The control character that Ctrl makes of a character; None if it makes none.
fn control_byte(c: char) -> Option<u8> {
    Some(match c {
        'a'..='z' | 'A'..='Z' => u8::try_from(c).ok()? & 0x1f,
        ' ' | '@' | '2' | '`' => 0x00,
        '[' | '3' | '{' => 0x1b,
        '\\' | '4' | '|' => 0x1c,
        ']' | '5' | '}' => 0x1d,
        '^' | '6' | '~' => 0x1e,
        '_' | '7' | '/' => 0x1f,
        '?' | '8' => 0x7f,
        _ => return None,
    })
}
