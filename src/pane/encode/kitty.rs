//! Keys by the kitty keyboard protocol: <https://sw.kovidgoyal.net/kitty/keyboard-protocol/>.

use super::legacy::{self, Form};
use super::{push, push_char};
use crate::domain::input::{KeyCode, KeyEvent, KeyKind, KeypadKey, Mods};
use crate::domain::screen::InputModes;

/// The protocol's progressive enhancements.
#[derive(Clone, Copy)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    const DISAMBIGUATE: u8 = 1;
    const EVENT_TYPES: u8 = 1 << 1;
    const ALTERNATES: u8 = 1 << 2;
    const ALL_AS_ESCAPES: u8 = 1 << 3;
    const TEXT: u8 = 1 << 4;

    const fn has(self, any: u8) -> bool {
        self.0 & any != 0
    }

    /// Whether any key is written otherwise than of old; alternates and text alone only add to what the others do.
    pub(super) const fn change_keys(self) -> bool {
        self.has(Self::DISAMBIGUATE | Self::EVENT_TYPES | Self::ALL_AS_ESCAPES)
    }
}

/// The parts of `CSI key:shifted:base ; modifiers:event ; text final`.
struct Sequence {
    key: u32,
    shifted: Option<u32>,
    /// The key of a US layout.
    base: Option<u32>,
    mods: Mods,
    kind: KeyKind,
    text: Option<char>,
    last: u8,
}

pub(super) fn encode(event: &KeyEvent, flags: Flags, modes: &InputModes, out: &mut Vec<u8>) {
    let all = flags.has(Flags::ALL_AS_ESCAPES);
    let event = normal(event, flags);
    if !is_told(&event, flags) {
        return;
    }
    let locks = Mods::CAPS_LOCK.with(Mods::NUM_LOCK);
    let held = event.mods.without(locks);
    let text = text_of(event.code, held);
    if !all && event.kind != KeyKind::Release {
        if let Some(c) = text {
            return push_char(c, out);
        }
        let plain = match event.code {
            KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace => held.is_empty(),
            _ => false,
        };
        let of_old = !flags.has(Flags::DISAMBIGUATE)
            && matches!(
                event.code,
                KeyCode::Char(_)
                    | KeyCode::Enter
                    | KeyCode::Escape
                    | KeyCode::Tab
                    | KeyCode::Backspace
            );
        if plain || of_old {
            return legacy::encode(event.code, held, modes, out);
        }
    }
    let Some((key, last)) = key_number(event.code) else {
        return;
    };
    // Lock keys are not told with keys that make text, so that these stay usable, unless all is told.
    let makes_text = matches!(
        event.code,
        KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace
    );
    let sequence = Sequence {
        key,
        shifted: shifted(event.code, held).filter(|_| flags.has(Flags::ALTERNATES)),
        base: event.base.map(u32::from),
        mods: if makes_text && !all { held } else { event.mods },
        kind: if flags.has(Flags::EVENT_TYPES) {
            event.kind
        } else {
            KeyKind::Press
        },
        text: text.filter(|_| all && flags.has(Flags::TEXT) && event.kind != KeyKind::Release),
        last,
    };
    sequence.write(out);
}

impl Sequence {
    fn write(&self, out: &mut Vec<u8>) {
        let event = match self.kind {
            KeyKind::Press => 1,
            KeyKind::Repeat => 2,
            KeyKind::Release => 3,
        };
        let second = !self.mods.is_empty() || event != 1;
        let third = self.text.is_some();
        out.extend_from_slice(b"\x1b[");
        // The number 1 of a key with a letter of its own may be left out where nothing follows.
        let alternates = self.shifted.is_some() || self.base.is_some();
        if self.key != 1 || alternates || second || third {
            push(out, format_args!("{}", self.key));
        }
        if let Some(shifted) = self.shifted {
            push(out, format_args!(":{shifted}"));
        }
        if let Some(base) = self.base {
            let skipped = if self.shifted.is_none() { ":" } else { "" };
            push(out, format_args!("{skipped}:{base}"));
        }
        if second || third {
            out.push(b';');
        }
        if second {
            push(out, format_args!("{}", u16::from(self.mods.bits()) + 1));
        }
        if event != 1 {
            push(out, format_args!(":{event}"));
        }
        if let Some(text) = self.text {
            push(out, format_args!(";{}", u32::from(text)));
        }
        out.push(self.last);
    }
}

/// The event as the protocol sees it: a capital letter without Shift or Caps Lock was typed with Shift, and without
/// disambiguation the keypad is not told apart.
fn normal(event: &KeyEvent, flags: Flags) -> KeyEvent {
    // A program that is not told of the key's place gets a chord as from a US layout.
    let mut event = if flags.has(Flags::ALTERNATES) {
        *event
    } else {
        KeyEvent {
            base: None,
            ..event.as_chord()
        }
    };
    if let KeyCode::Keypad(key) = event.code
        && !flags.has(Flags::DISAMBIGUATE | Flags::ALL_AS_ESCAPES)
    {
        event.code = key.plain();
    }
    if let KeyCode::Char(c) = event.code {
        if lower(c) != c
            && !event.mods.contains(Mods::SHIFT)
            && !event.mods.contains(Mods::CAPS_LOCK)
        {
            event.mods = event.mods.with(Mods::SHIFT);
        }
        let plain_shift = event.mods.contains(Mods::SHIFT) && !event.mods.contains(Mods::CAPS_LOCK);
        if plain_shift && lower(c) == c {
            event.code = KeyCode::Char(upper(c));
        }
    }
    event
}

/// Whether the program asked to be told of such an event at all.
fn is_told(event: &KeyEvent, flags: Flags) -> bool {
    let all = flags.has(Flags::ALL_AS_ESCAPES);
    match event.code {
        KeyCode::Modifier(_) | KeyCode::CapsLock | KeyCode::NumLock | KeyCode::ScrollLock
            if !all =>
        {
            false
        }
        // So that a shell stays usable when a program that set the flags has died.
        KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace
            if event.kind == KeyKind::Release && !all =>
        {
            false
        }
        _ => event.kind != KeyKind::Release || flags.has(Flags::EVENT_TYPES),
    }
}

/// The character a key types with these modifiers.
fn text_of(code: KeyCode, mods: Mods) -> Option<char> {
    if !mods.without(Mods::SHIFT).is_empty() {
        return None;
    }
    match code {
        KeyCode::Char(c) => Some(c),
        KeyCode::Keypad(key) => match key.plain() {
            KeyCode::Char(c) => Some(c),
            _ => None,
        },
        _ => None,
    }
}

/// What Shift makes of the key, where it is held. Only letters tell both: of `!` nobody knows what key it is on.
fn shifted(code: KeyCode, mods: Mods) -> Option<u32> {
    match code {
        KeyCode::Char(c) if mods.contains(Mods::SHIFT) && lower(c) != upper(c) => {
            Some(u32::from(upper(c)))
        }
        _ => None,
    }
}

/// The number of a key and its final character.
fn key_number(code: KeyCode) -> Option<(u32, u8)> {
    match code {
        KeyCode::Char(c) => return Some((u32::from(lower(c)), b'u')),
        KeyCode::F(number @ (1 | 2 | 4)) => return Some((1, b'O' + number)),
        // Not `CSI R`, which is an answer to a query of the cursor's position.
        KeyCode::F(3) => return Some((13, b'~')),
        KeyCode::F(number @ 5..=12) => {
            return Some((u32::from(legacy::function_number(number)?), b'~'));
        }
        KeyCode::Menu => {}
        _ => match legacy::form(code) {
            Some(Form::Letter(letter)) => return Some((1, letter)),
            Some(Form::Number(number)) => return Some((u32::from(number), b'~')),
            None => {}
        },
    }
    let number = match code {
        KeyCode::Escape => 27,
        KeyCode::Enter => 13,
        KeyCode::Tab => 9,
        KeyCode::Backspace => 127,
        KeyCode::CapsLock => 57358,
        KeyCode::ScrollLock => 57359,
        KeyCode::NumLock => 57360,
        KeyCode::PrintScreen => 57361,
        KeyCode::Pause => 57362,
        KeyCode::Menu => 57363,
        KeyCode::F(number @ 13..=35) => 57376 + u32::from(number) - 13,
        KeyCode::Keypad(key) => keypad_number(key),
        KeyCode::Media(key) => 57428 + key as u32,
        KeyCode::Modifier(key) => 57441 + key as u32,
        _ => return None,
    };
    Some((number, b'u'))
}

fn keypad_number(key: KeypadKey) -> u32 {
    match key {
        KeypadKey::Digit(digit) => 57399 + u32::from(digit.min(9)),
        KeypadKey::Decimal => 57409,
        KeypadKey::Divide => 57410,
        KeypadKey::Multiply => 57411,
        KeypadKey::Subtract => 57412,
        KeypadKey::Add => 57413,
        KeypadKey::Enter => 57414,
        KeypadKey::Equal => 57415,
        KeypadKey::Separator => 57416,
        KeypadKey::Left => 57417,
        KeypadKey::Right => 57418,
        KeypadKey::Up => 57419,
        KeypadKey::Down => 57420,
        KeypadKey::PageUp => 57421,
        KeypadKey::PageDown => 57422,
        KeypadKey::Home => 57423,
        KeypadKey::End => 57424,
        KeypadKey::Insert => 57425,
        KeypadKey::Delete => 57426,
        KeypadKey::Begin => 57427,
    }
}

/// The small letter, where it is a single character.
fn lower(c: char) -> char {
    let mut all = c.to_lowercase();
    match (all.next(), all.next()) {
        (Some(small), None) => small,
        _ => c,
    }
}

/// The capital letter, where it is a single character.
fn upper(c: char) -> char {
    let mut all = c.to_uppercase();
    match (all.next(), all.next()) {
        (Some(capital), None) => capital,
        _ => c,
    }
}
