//! What a person does at a terminal: keys, mouse, paste, focus.

/// Modifier keys as a bit set, in the order of xterm's and kitty's modifier parameter (value minus one).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Mods(u8);

impl Mods {
    pub const NONE: Self = Self(0);
    pub const SHIFT: Self = Self(1);
    pub const ALT: Self = Self(1 << 1);
    pub const CTRL: Self = Self(1 << 2);
    pub const SUPER: Self = Self(1 << 3);
    pub const HYPER: Self = Self(1 << 4);
    pub const META: Self = Self(1 << 5);
    pub const CAPS_LOCK: Self = Self(1 << 6);
    pub const NUM_LOCK: Self = Self(1 << 7);

    /// Whether all of `other` are among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but not `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their bits as the kitty keyboard protocol numbers them; xterm sends one more.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// A key by what it means, independent of how a terminal encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    /// A character key, as the layout and Shift gave it (`A`, not Shift and `a`).
    Char(char),
    Enter,
    Escape,
    Tab,
    Backspace,
    Insert,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// F1 to F35.
    F(u8),
    CapsLock,
    ScrollLock,
    NumLock,
    PrintScreen,
    Pause,
    Menu,
    Keypad(KeypadKey),
    Media(MediaKey),
    /// A modifier key itself, told only under kitty's "all as escapes".
    Modifier(ModifierKey),
}

/// A key of the keypad, which programs may ask to be told from its twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeypadKey {
    Digit(u8),
    Decimal,
    Divide,
    Multiply,
    Subtract,
    Add,
    Enter,
    Equal,
    Separator,
    Left,
    Right,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Insert,
    Delete,
    Begin,
}

impl KeypadKey {
    /// The key elsewhere that does the same; Begin has none and stays.
    #[must_use]
    pub const fn plain(self) -> KeyCode {
        match self {
            Self::Digit(digit) => KeyCode::Char(if digit < 10 {
                (b'0' + digit) as char
            } else {
                '9'
            }),
            Self::Decimal => KeyCode::Char('.'),
            Self::Divide => KeyCode::Char('/'),
            Self::Multiply => KeyCode::Char('*'),
            Self::Subtract => KeyCode::Char('-'),
            Self::Add => KeyCode::Char('+'),
            Self::Equal => KeyCode::Char('='),
            Self::Separator => KeyCode::Char(','),
            Self::Enter => KeyCode::Enter,
            Self::Left => KeyCode::Left,
            Self::Right => KeyCode::Right,
            Self::Up => KeyCode::Up,
            Self::Down => KeyCode::Down,
            Self::PageUp => KeyCode::PageUp,
            Self::PageDown => KeyCode::PageDown,
            Self::Home => KeyCode::Home,
            Self::End => KeyCode::End,
            Self::Insert => KeyCode::Insert,
            Self::Delete => KeyCode::Delete,
            Self::Begin => KeyCode::Keypad(Self::Begin),
        }
    }
}

/// A key that plays, stops or changes the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MediaKey {
    Play,
    Pause,
    PlayPause,
    Reverse,
    Stop,
    FastForward,
    Rewind,
    TrackNext,
    TrackPrevious,
    Record,
    LowerVolume,
    RaiseVolume,
    MuteVolume,
}

/// A modifier that is struck for itself, told left from right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModifierKey {
    LeftShift,
    LeftControl,
    LeftAlt,
    LeftSuper,
    LeftHyper,
    LeftMeta,
    RightShift,
    RightControl,
    RightAlt,
    RightSuper,
    RightHyper,
    RightMeta,
    IsoLevel3Shift,
    IsoLevel5Shift,
}

/// What is done to a key; programs are told only if they asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum KeyKind {
    #[default]
    Press,
    Repeat,
    Release,
}

/// One key, as the terminal in front of the user told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyEvent {
    pub code: KeyCode,
    pub mods: Mods,
    pub kind: KeyKind,
    /// The character that the same key has on a US layout without Shift, where the terminal tells it (kitty's base
    /// layout key) and it is another one.
    pub base: Option<char>,
}

impl KeyEvent {
    /// A key that is pressed, without the text that it makes.
    #[must_use]
    pub const fn press(code: KeyCode, mods: Mods) -> Self {
        Self {
            code,
            mods,
            kind: KeyKind::Press,
            base: None,
        }
    }

    /// The key as it is known where it types nothing: with Ctrl, Alt or Super by its place on a US layout.
    #[must_use]
    pub const fn as_chord(self) -> Self {
        let mods = self.mods;
        if mods.contains(Mods::CTRL) || mods.contains(Mods::ALT) || mods.contains(Mods::SUPER) {
            self.on_us_layout()
        } else {
            self
        }
    }

    /// The key as a US layout has it, for layouts whose own character is not ASCII: there a chord is known by its key, as
    /// Ctrl with the key of `c`, whatever stands on it. A Latin layout keeps its own characters.
    #[must_use]
    pub const fn on_us_layout(self) -> Self {
        match (self.code, self.base) {
            (KeyCode::Char(c), Some(base)) if !c.is_ascii() => Self {
                code: KeyCode::Char(if self.mods.contains(Mods::SHIFT) {
                    us_shifted(base)
                } else {
                    base
                }),
                base: None,
                ..self
            },
            _ => self,
        }
    }
}

/// What Shift makes of a key of a US layout.
const fn us_shifted(c: char) -> char {
    match c {
        '`' => '~',
        '1' => '!',
        '2' => '@',
        '3' => '#',
        '4' => '$',
        '5' => '%',
        '6' => '^',
        '7' => '&',
        '8' => '*',
        '9' => '(',
        '0' => ')',
        '-' => '_',
        '=' => '+',
        '[' => '{',
        ']' => '}',
        '\\' => '|',
        ';' => ':',
        '\'' => '"',
        ',' => '<',
        '.' => '>',
        '/' => '?',
        c => c.to_ascii_uppercase(),
    }
}

/// A button of the mouse, or the wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MouseButton {
    Left,
    Middle,
    Right,
}

/// What is done with the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MouseKind {
    Press(MouseButton),
    Release(MouseButton),
    Drag(MouseButton),
    Move,
    WheelUp,
    WheelDown,
    WheelLeft,
    WheelRight,
}

/// A mouse event inside a pane; row and column count from 0 at the pane's top left cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MouseEvent {
    pub kind: MouseKind,
    pub row: u16,
    pub col: u16,
    pub mods: Mods,
}

/// Something to hand to the program in a pane; the pane encodes it as that program asked for at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Key(KeyEvent),
    /// Typed as it is.
    Text(String),
    /// Pasted: control characters but tab, CR and LF are taken out, brackets added where the program asked for them.
    Paste(String),
    Mouse(MouseEvent),
    Focus(bool),
    /// Written to the pty untouched.
    Bytes(Vec<u8>),
}

/// What input tells of who is at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// The user does something there.
    Acts,
    /// The user looks there.
    Looks,
    /// Nothing: a terminal reports by itself that the focus has gone, or where the mouse is.
    None,
}

impl Input {
    /// What it tells of its user. A terminal's own reports are told from what is typed among bytes too.
    #[must_use]
    pub fn attention(&self) -> Attention {
        match self {
            Self::Key(_) | Self::Text(_) | Self::Paste(_) => Attention::Acts,
            Self::Focus(true) => Attention::Looks,
            Self::Focus(false) => Attention::None,
            Self::Mouse(event) => match event.kind {
                MouseKind::Press(_) => Attention::Acts,
                MouseKind::Release(_)
                | MouseKind::Drag(_)
                | MouseKind::Move
                | MouseKind::WheelUp
                | MouseKind::WheelDown
                | MouseKind::WheelLeft
                | MouseKind::WheelRight => Attention::None,
            },
            Self::Bytes(bytes) => attention_of(bytes),
        }
    }
}

/// Reads reports of the focus (mode 1004) and of the mouse (SGR, mode 1006) up to the first byte that is neither.
fn attention_of(bytes: &[u8]) -> Attention {
    let mut rest = bytes;
    let mut attention = Attention::None;
    while !rest.is_empty() {
        let report = [&b"\x1b[I"[..], b"\x1b[O"]
            .into_iter()
            .find(|report| rest.starts_with(report));
        if let Some(report) = report {
            if report.ends_with(b"I") {
                attention = Attention::Looks;
            }
            rest = rest.get(report.len()..).unwrap_or_default();
            continue;
        }
        match mouse_report(rest) {
            Some((false, after)) => rest = after,
            Some((true, _)) | None => return Attention::Acts,
        }
    }
    attention
}

/// The mouse report that bytes begin with: whether it is a press, and what follows.
fn mouse_report(bytes: &[u8]) -> Option<(bool, &[u8])> {
    /// Of a button's number: it moved, and it is the wheel's.
    const MOVED: u16 = 32;
    const WHEEL: u16 = 64;
    let body = bytes.strip_prefix(b"\x1b[<")?;
    let end = body.iter().position(|byte| matches!(byte, b'M' | b'm'))?;
    let numbers = std::str::from_utf8(body.get(..end)?).ok()?;
    let mut numbers = numbers.split(';').map(str::parse::<u16>);
    let (Some(Ok(button)), Some(Ok(_)), Some(Ok(_)), None) = (
        numbers.next(),
        numbers.next(),
        numbers.next(),
        numbers.next(),
    ) else {
        return None;
    };
    let is_press = body.get(end) == Some(&b'M') && button & (MOVED | WHEEL) == 0;
    Some((is_press, body.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_reports_by_itself_is_not_done_by_its_user() {
        let bytes = |text: &str| Input::Bytes(text.as_bytes().to_vec()).attention();
        let mouse = |kind| {
            let event = MouseEvent {
                kind,
                row: 0,
                col: 0,
                mods: Mods::NONE,
            };
            Input::Mouse(event).attention()
        };
        assert_eq!(Input::Text("y".to_owned()).attention(), Attention::Acts);
        assert_eq!(Input::Focus(true).attention(), Attention::Looks);
        assert_eq!(Input::Focus(false).attention(), Attention::None);
        assert_eq!(mouse(MouseKind::Press(MouseButton::Left)), Attention::Acts);
        assert_eq!(mouse(MouseKind::Move), Attention::None);
        let table = [
            ("", Attention::None),
            ("\x1b[O", Attention::None),
            ("\x1b[O\x1b[I", Attention::Looks),
            ("\x1b[<35;10;5M\x1b[<0;10;5m\x1b[<65;1;1M", Attention::None),
            ("\x1b[<0;10;5M", Attention::Acts),
            ("\x1b[Iy", Attention::Acts),
            ("\x1b[<1;2M", Attention::Acts),
            ("\x1b[<1;2;3;4M", Attention::Acts),
            ("\x1b", Attention::Acts),
            ("\x1b[A", Attention::Acts),
        ];
        for (text, expected) in table {
            assert_eq!(bytes(text), expected, "{text:?}");
        }
    }

    #[test]
    fn modifiers_are_the_bits_of_xterms_parameter() {
        let all = [
            Mods::SHIFT,
            Mods::ALT,
            Mods::CTRL,
            Mods::SUPER,
            Mods::HYPER,
            Mods::META,
            Mods::CAPS_LOCK,
            Mods::NUM_LOCK,
        ];
        assert_eq!(all.map(Mods::bits), [1, 2, 4, 8, 16, 32, 64, 128]);
        let both = Mods::CTRL.with(Mods::ALT);
        assert_eq!(both.with(Mods::CTRL), both);
        assert_eq!(both.without(Mods::CTRL), Mods::ALT);
        assert!(both.contains(Mods::CTRL) && !Mods::CTRL.contains(both));
    }

    #[test]
    fn a_key_of_the_keypad_is_the_key_elsewhere_and_no_digit_is_above_nine() {
        let digits = [0, 9, 10].map(|digit| KeypadKey::Digit(digit).plain());
        assert_eq!(digits, ['0', '9', '9'].map(KeyCode::Char));
    }

    #[test]
    fn a_key_by_its_place_keeps_its_modifiers_and_is_known_by_it_alone() {
        let event = KeyEvent {
            base: Some('c'),
            ..KeyEvent::press(KeyCode::Char('с'), Mods::CTRL)
        };
        let expected = KeyEvent::press(KeyCode::Char('c'), Mods::CTRL);
        assert_eq!(event.as_chord(), expected);
        let shifted = KeyEvent {
            mods: Mods::CTRL.with(Mods::SHIFT),
            ..event
        };
        let expected = KeyEvent::press(KeyCode::Char('C'), shifted.mods);
        assert_eq!(shifted.as_chord(), expected);
    }
}
