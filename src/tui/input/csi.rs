//! The meaning of one whole control sequence.

use super::event::{InputEvent, Reply};
use crate::domain::input::{
    KeyCode, KeyEvent, KeyKind, KeypadKey, MediaKey, ModifierKey, Mods, MouseButton, MouseEvent,
    MouseKind,
};

/// The meaning of `CSI body last`; None for what tundra has no use for.
pub(super) fn event(body: &[u8], last: u8) -> Option<InputEvent> {
    let text = std::str::from_utf8(body).ok()?;
    match (text.as_bytes().first(), last) {
        (Some(b'<'), b'M' | b'm') => {
            let mut numbers = text[1..].split(';').map(|number| number.parse().ok());
            let mut next = || numbers.next().flatten();
            mouse(next()?, next()?, next()?, last == b'M')
        }
        (Some(b'?'), b'u') => Some(InputEvent::Reply(Reply::Keyboard(text[1..].parse().ok()?))),
        (Some(b'?'), b'c') => Some(InputEvent::Reply(Reply::DeviceAttributes)),
        (None, b'I') => Some(InputEvent::Focus(true)),
        (None, b'O') => Some(InputEvent::Focus(false)),
        (None | Some(b'0'..=b'9' | b';' | b':'), _) => keyboard(&Params::parse(text), last),
        _ => None,
    }
}

/// A mouse report: button bits, column and row from 1, pressed or released.
pub(super) fn mouse(bits: u16, x: u16, y: u16, pressed: bool) -> Option<InputEvent> {
    let button = match bits & 0b11 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (bits & 0b1110_0000, button) {
        (0, Some(button)) if pressed => MouseKind::Press(button),
        (0, Some(button)) => MouseKind::Release(button),
        // X10 reports do not tell which button was let go.
        (0, None) => MouseKind::Release(MouseButton::Left),
        (32, Some(button)) => MouseKind::Drag(button),
        (32, None) => MouseKind::Move,
        (64, _) => match bits & 0b11 {
            0 => MouseKind::WheelUp,
            1 => MouseKind::WheelDown,
            2 => MouseKind::WheelLeft,
            _ => MouseKind::WheelRight,
        },
        _ => return None,
    };
    let mods = [(4, Mods::SHIFT), (8, Mods::ALT), (16, Mods::CTRL)]
        .into_iter()
        .filter(|(bit, _)| bits & bit != 0)
        .fold(Mods::NONE, |mods, (_, more)| mods.with(more));
    Some(InputEvent::Mouse(MouseEvent {
        kind,
        row: y.checked_sub(1)?,
        col: x.checked_sub(1)?,
        mods,
    }))
}

/// The key of a letter that ends `CSI` or `SS3`.
pub(super) fn letter_key(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'E' => KeyCode::Keypad(KeypadKey::Begin),
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

/// Up to three parameters with the sub-parameters that the keyboard protocol knows; 0 where nothing stands.
#[derive(Default)]
struct Params {
    first: [u32; 3],
    second: [u32; 3],
    third: Vec<u32>,
    given: usize,
}

impl Params {
    fn parse(text: &str) -> Self {
        let three = |part: &str| {
            let mut numbers = part.split(':').map(|number| number.parse().unwrap_or(0));
            [(); 3].map(|()| numbers.next().unwrap_or(0))
        };
        let mut params = Self::default();
        for (index, part) in text.split(';').enumerate() {
            params.given = index + 1;
            match index {
                0 => params.first = three(part),
                1 => params.second = three(part),
                2 => {
                    params.third = part.split(':').filter_map(|n| n.parse().ok()).collect();
                }
                _ => {}
            }
        }
        params
    }

    fn mods(&self) -> Mods {
        let bits = self.second[0].saturating_sub(1);
        [
            Mods::SHIFT,
            Mods::ALT,
            Mods::CTRL,
            Mods::SUPER,
            Mods::HYPER,
            Mods::META,
            Mods::CAPS_LOCK,
            Mods::NUM_LOCK,
        ]
        .into_iter()
        .filter(|flag| bits & u32::from(flag.bits()) != 0)
        .fold(Mods::NONE, Mods::with)
    }

    fn kind(&self) -> KeyKind {
        match self.second[1] {
            2 => KeyKind::Repeat,
            3 => KeyKind::Release,
            _ => KeyKind::Press,
        }
    }
}

fn keyboard(params: &Params, last: u8) -> Option<InputEvent> {
    let mut mods = params.mods();
    let code = match last {
        b'~' if params.first[0] == 27 => functional(params.third.first().copied()?)
            .or_else(|| char::from_u32(*params.third.first()?).map(KeyCode::Char))?,
        b'~' => tilde_key(params.first[0])?,
        b'u' => {
            if params.first[0] == 0 {
                let text: String = params
                    .third
                    .iter()
                    .copied()
                    .filter_map(char::from_u32)
                    .collect();
                return (!text.is_empty()).then_some(InputEvent::Text(text));
            }
            functional(params.first[0]).or_else(|| character(params, mods))?
        }
        b'Z' => {
            mods = mods.with(Mods::SHIFT);
            KeyCode::Tab
        }
        // `CSI row;col R` is a cursor position report; as a key its first parameter is 1.
        b'R' if params.first[0] <= 1 => KeyCode::F(3),
        _ => letter_key(last)?,
    };
    Some(InputEvent::Key(KeyEvent {
        code,
        mods,
        kind: params.kind(),
        base: (last == b'u').then(|| base(params, code)).flatten(),
    }))
}

/// The character that the key has on a US layout, where that is another one.
fn base(params: &Params, code: KeyCode) -> Option<char> {
    let base = char::from_u32(params.first[2]).filter(|base| !base.is_control())?;
    matches!(code, KeyCode::Char(c) if c != base).then_some(base)
}

/// The character as layout and Shift gave it.
fn character(params: &Params, mods: Mods) -> Option<KeyCode> {
    let plain = char::from_u32(params.first[0])?;
    if !mods.contains(Mods::SHIFT) {
        return Some(KeyCode::Char(plain));
    }
    let shifted = match (params.first[1], params.third[..].first()) {
        (0, Some(text)) if params.third.len() == 1 => char::from_u32(*text),
        (0, _) => None,
        (code, _) => char::from_u32(code),
    };
    Some(KeyCode::Char(shifted.unwrap_or_else(|| {
        plain.to_uppercase().next().unwrap_or(plain)
    })))
}

fn tilde_key(number: u32) -> Option<KeyCode> {
    let function = |base: u32, first: u32| u8::try_from(number - base + first).ok().map(KeyCode::F);
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => return function(11, 1),
        17..=21 => return function(17, 6),
        23..=26 => return function(23, 11),
        28 => KeyCode::F(15),
        29 => KeyCode::Menu,
        31..=34 => return function(31, 17),
        57427 => KeyCode::Keypad(KeypadKey::Begin),
        _ => return None,
    })
}

/// Kitty's numbers for keys that are not characters.
fn functional(number: u32) -> Option<KeyCode> {
    Some(match number {
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Escape,
        127 => KeyCode::Backspace,
        57358 => KeyCode::CapsLock,
        57359 => KeyCode::ScrollLock,
        57360 => KeyCode::NumLock,
        57361 => KeyCode::PrintScreen,
        57362 => KeyCode::Pause,
        57363 => KeyCode::Menu,
        57376..=57398 => KeyCode::F(u8::try_from(number - 57376 + 13).ok()?),
        57399..=57408 => KeyCode::Keypad(KeypadKey::Digit(u8::try_from(number - 57399).ok()?)),
        57409..=57427 => KeyCode::Keypad(*KEYPAD.get(offset(number, 57409)?)?),
        57428..=57440 => KeyCode::Media(*MEDIA.get(offset(number, 57428)?)?),
        57441..=57454 => KeyCode::Modifier(*MODIFIERS.get(offset(number, 57441)?)?),
        _ => return None,
    })
}

fn offset(number: u32, base: u32) -> Option<usize> {
    usize::try_from(number.checked_sub(base)?).ok()
}

const KEYPAD: [KeypadKey; 19] = [
    KeypadKey::Decimal,
    KeypadKey::Divide,
    KeypadKey::Multiply,
    KeypadKey::Subtract,
    KeypadKey::Add,
    KeypadKey::Enter,
    KeypadKey::Equal,
    KeypadKey::Separator,
    KeypadKey::Left,
    KeypadKey::Right,
    KeypadKey::Up,
    KeypadKey::Down,
    KeypadKey::PageUp,
    KeypadKey::PageDown,
    KeypadKey::Home,
    KeypadKey::End,
    KeypadKey::Insert,
    KeypadKey::Delete,
    KeypadKey::Begin,
];

const MEDIA: [MediaKey; 13] = [
    MediaKey::Play,
    MediaKey::Pause,
    MediaKey::PlayPause,
    MediaKey::Reverse,
    MediaKey::Stop,
    MediaKey::FastForward,
    MediaKey::Rewind,
    MediaKey::TrackNext,
    MediaKey::TrackPrevious,
    MediaKey::Record,
    MediaKey::LowerVolume,
    MediaKey::RaiseVolume,
    MediaKey::MuteVolume,
];

const MODIFIERS: [ModifierKey; 14] = [
    ModifierKey::LeftShift,
    ModifierKey::LeftControl,
    ModifierKey::LeftAlt,
    ModifierKey::LeftSuper,
    ModifierKey::LeftHyper,
    ModifierKey::LeftMeta,
    ModifierKey::RightShift,
    ModifierKey::RightControl,
    ModifierKey::RightAlt,
    ModifierKey::RightSuper,
    ModifierKey::RightHyper,
    ModifierKey::RightMeta,
    ModifierKey::IsoLevel3Shift,
    ModifierKey::IsoLevel5Shift,
];
