//! Chords as text: `ctrl-b`, `alt-x`, `shift-f5`, `|`; tmux's names are understood too.

use std::fmt;
use std::str::FromStr;

use super::Chord;
use crate::domain::input::{KeyCode, KeypadKey, Mods};

/// Names of keys, the one to show first; compared without case.
const NAMES: &[(KeyCode, &[&str])] = &[
    (KeyCode::Char(' '), &["space", "spc"]),
    (KeyCode::Enter, &["enter", "return", "cr"]),
    (KeyCode::Escape, &["esc", "escape"]),
    (KeyCode::Tab, &["tab"]),
    (KeyCode::Backspace, &["backspace", "bspace", "bs"]),
    (KeyCode::Insert, &["insert", "ins", "ic"]),
    (KeyCode::Delete, &["delete", "del", "dc"]),
    (KeyCode::Up, &["up"]),
    (KeyCode::Down, &["down"]),
    (KeyCode::Left, &["left"]),
    (KeyCode::Right, &["right"]),
    (KeyCode::Home, &["home"]),
    (KeyCode::End, &["end"]),
    (KeyCode::PageUp, &["pageup", "pgup", "ppage", "page-up"]),
    (
        KeyCode::PageDown,
        &["pagedown", "pgdn", "npage", "page-down", "pgdown"],
    ),
    (KeyCode::CapsLock, &["capslock"]),
    (KeyCode::ScrollLock, &["scrolllock"]),
    (KeyCode::NumLock, &["numlock"]),
    (KeyCode::PrintScreen, &["printscreen"]),
    (KeyCode::Pause, &["pause"]),
    (KeyCode::Menu, &["menu"]),
    (KeyCode::Char('-'), &["minus"]),
    (KeyCode::Char('+'), &["plus"]),
    (KeyCode::Keypad(KeypadKey::Enter), &["kp-enter", "kpenter"]),
    (KeyCode::Keypad(KeypadKey::Decimal), &["kp-decimal", "kp."]),
    (KeyCode::Keypad(KeypadKey::Divide), &["kp-divide", "kp/"]),
    (
        KeyCode::Keypad(KeypadKey::Multiply),
        &["kp-multiply", "kp*"],
    ),
    (
        KeyCode::Keypad(KeypadKey::Subtract),
        &["kp-subtract", "kp-"],
    ),
    (KeyCode::Keypad(KeypadKey::Add), &["kp-add", "kp+"]),
    (KeyCode::Keypad(KeypadKey::Equal), &["kp-equal"]),
    (KeyCode::Keypad(KeypadKey::Separator), &["kp-separator"]),
    (KeyCode::Keypad(KeypadKey::Left), &["kp-left"]),
    (KeyCode::Keypad(KeypadKey::Right), &["kp-right"]),
    (KeyCode::Keypad(KeypadKey::Up), &["kp-up"]),
    (KeyCode::Keypad(KeypadKey::Down), &["kp-down"]),
    (KeyCode::Keypad(KeypadKey::PageUp), &["kp-pageup"]),
    (KeyCode::Keypad(KeypadKey::PageDown), &["kp-pagedown"]),
    (KeyCode::Keypad(KeypadKey::Home), &["kp-home"]),
    (KeyCode::Keypad(KeypadKey::End), &["kp-end"]),
    (KeyCode::Keypad(KeypadKey::Insert), &["kp-insert"]),
    (KeyCode::Keypad(KeypadKey::Delete), &["kp-delete"]),
    (KeyCode::Keypad(KeypadKey::Begin), &["kp-begin"]),
];

/// Names of modifiers in the order in which they are shown; a single letter is case-sensitive only where tmux is.
const MODIFIERS: &[(Mods, &[&str])] = &[
    (Mods::CTRL, &["ctrl", "control", "c"]),
    (Mods::ALT, &["alt", "m", "a", "option", "opt"]),
    (Mods::SHIFT, &["shift", "s"]),
    (Mods::SUPER, &["super", "cmd", "command", "win"]),
    (Mods::HYPER, &["hyper"]),
    (Mods::META, &["meta"]),
];

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, names) in MODIFIERS {
            if self.mods().contains(*modifier)
                && let Some(name) = names.first()
            {
                write!(f, "{name}-")?;
            }
        }
        match self.code() {
            // Alone these show as themselves; after a modifier they would look like a separator.
            KeyCode::Char(c @ ('-' | '+')) if self.mods().is_empty() => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "f{number}"),
            KeyCode::Keypad(KeypadKey::Digit(digit)) => write!(f, "kp-{digit}"),
            code => match (NAMES.iter().find(|(named, _)| *named == code), code) {
                (Some((_, names)), _) => f.write_str(names.first().unwrap_or(&"")),
                (None, KeyCode::Char(c)) => write!(f, "{c}"),
                (None, KeyCode::Media(key)) => write!(f, "media-{key:?}"),
                (None, code) => write!(f, "{code:?}"),
            },
        }
    }
}

/// What is wrong with a text that should be a chord, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a key: {remedy}")]
pub struct ParseChordError {
    given: String,
    remedy: String,
}

impl FromStr for Chord {
    type Err = ParseChordError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = |remedy: String| ParseChordError {
            given: text.to_owned(),
            remedy,
        };
        let mut mods = Mods::NONE;
        let mut rest = text;
        loop {
            if let Some((code, more)) = key_named(rest) {
                return Ok(Self::new(code, mods.with(more)));
            }
            let Some((name, after)) = split_modifier(rest) else {
                return Err(fault(remedy(rest)));
            };
            let Some(modifier) = modifier_named(name) else {
                return Err(fault(format!(
                    "{name:?} is no modifier, use ctrl-, alt-, shift- or super-"
                )));
            };
            if mods.contains(modifier) {
                return Err(fault(format!("it has {name:?} twice")));
            }
            mods = mods.with(modifier);
            rest = after;
        }
    }
}

/// Cuts the first modifier off; `-` and `+` separate.
fn split_modifier(text: &str) -> Option<(&str, &str)> {
    if let Some(after) = text.strip_prefix('^')
        && !after.is_empty()
    {
        return Some(("ctrl", after));
    }
    let at = text.find(['-', '+']).filter(|at| *at > 0)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn modifier_named(name: &str) -> Option<Mods> {
    let name = name.to_ascii_lowercase();
    MODIFIERS
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()))
        .map(|(modifier, _)| *modifier)
}

/// A key by its name alone, with Shift where the name says so.
fn key_named(name: &str) -> Option<(KeyCode, Mods)> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control()).then_some((KeyCode::Char(c), Mods::NONE));
    }
    let name = name.to_ascii_lowercase();
    if name == "backtab" || name == "btab" {
        return Some((KeyCode::Tab, Mods::SHIFT));
    }
    if let Some(number) = name.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()) {
        let canonical = name == format!("f{number}");
        return ((1..=35).contains(&number) && canonical)
            .then_some((KeyCode::F(number), Mods::NONE));
    }
    let digit = name.strip_prefix("kp-").or_else(|| name.strip_prefix("kp"));
    if let Some([digit @ b'0'..=b'9']) = digit.map(str::as_bytes) {
        let key = KeypadKey::Digit(digit - b'0');
        return Some((KeyCode::Keypad(key), Mods::NONE));
    }
    NAMES
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()))
        .map(|(code, _)| (*code, Mods::NONE))
}

/// What would be right instead of a name that is no key.
fn remedy(name: &str) -> String {
    if name.is_empty() {
        return "a key is missing, write for example ctrl-b or f5".to_owned();
    }
    let number = name.strip_prefix(['f', 'F']);
    if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
        return "function keys are f1 to f35".to_owned();
    }
    "use a single character, f1 to f35, or one of space, enter, esc, tab, backspace, insert, delete, up, down, left, \
     right, home, end, pageup and pagedown, after any of ctrl-, alt- and shift-"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chord(text: &str) -> Chord {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn texts_are_read_and_shown_in_one_form() {
        let cases = [
            ("ctrl-b", "ctrl-b"),
            ("ctrl-B", "ctrl-b"),
            ("C-b", "ctrl-b"),
            ("c-b", "ctrl-b"),
            ("^b", "ctrl-b"),
            ("Control+B", "ctrl-b"),
            ("ctrl-shift-b", "ctrl-shift-b"),
            ("C-S-B", "ctrl-shift-b"),
            ("alt-x", "alt-x"),
            ("M-x", "alt-x"),
            ("M-X", "alt-X"),
            ("alt-shift-x", "alt-X"),
            ("shift-a", "A"),
            ("A", "A"),
            ("|", "|"),
            ("shift-|", "|"),
            ("-", "-"),
            ("+", "+"),
            ("^", "^"),
            ("ctrl--", "ctrl-minus"),
            ("ctrl-minus", "ctrl-minus"),
            ("ctrl-+", "ctrl-plus"),
            ("ctrl-^", "ctrl-^"),
            ("alt--", "alt-minus"),
            ("minus", "-"),
            ("space", "space"),
            (" ", "space"),
            ("C-Space", "ctrl-space"),
            ("ctrl-@", "ctrl-space"),
            ("enter", "enter"),
            ("Return", "enter"),
            ("M-Enter", "alt-enter"),
            ("esc", "esc"),
            ("Escape", "esc"),
            ("tab", "tab"),
            ("backtab", "shift-tab"),
            ("BTab", "shift-tab"),
            ("shift-tab", "shift-tab"),
            ("C-BTab", "ctrl-shift-tab"),
            ("BSpace", "backspace"),
            ("DC", "delete"),
            ("IC", "insert"),
            ("up", "up"),
            ("ctrl-shift-up", "ctrl-shift-up"),
            ("S-C-Up", "ctrl-shift-up"),
            ("PageUp", "pageup"),
            ("PPage", "pageup"),
            ("NPage", "pagedown"),
            ("F12", "f12"),
            ("shift-f5", "shift-f5"),
            ("super-k", "super-k"),
            ("kp-7", "kp-7"),
            ("KPEnter", "kp-enter"),
            ("é", "é"),
            ("shift-é", "É"),
            ("ctrl-É", "ctrl-é"),
            ("ß", "ß"),
            ("shift-ß", "ß"),
        ];
        for (given, shown) in cases {
            assert_eq!(chord(given).to_string(), shown, "{given}");
        }
    }

    #[test]
    fn faults_say_what_would_be_right() {
        let cases = [
            (
                "",
                "\"\" is not a key: a key is missing, write for example ctrl-b or f5",
            ),
            (
                "ctrl-",
                "\"ctrl-\" is not a key: a key is missing, write for example ctrl-b or f5",
            ),
            ("f36", "\"f36\" is not a key: function keys are f1 to f35"),
            (
                "strg-b",
                "\"strg-b\" is not a key: \"strg\" is no modifier, use ctrl-, alt-, shift- or super-",
            ),
            ("ctrl-C-b", "\"ctrl-C-b\" is not a key: it has \"C\" twice"),
        ];
        for (given, message) in cases {
            assert_eq!(given.parse::<Chord>().unwrap_err().to_string(), message);
        }
        for given in ["ctrl-uparrow", "fn", "-x"] {
            let error = given.parse::<Chord>().unwrap_err().to_string();
            assert!(error.contains("one of space, enter, esc"), "{error}");
        }
        assert!("\u{7}".parse::<Chord>().is_err());
        assert!("f05".parse::<Chord>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_shown_reads_back(text in "\\PC{0,12}") {
            if let Ok(chord) = text.parse::<Chord>() {
                prop_assert_eq!(chord.to_string().parse::<Chord>(), Ok(chord));
            }
        }

        #[test]
        fn modifiers_and_names_combine(mods in 0..64u8, key in 0..NAMES.len()) {
            let mut held = Mods::NONE;
            for (bit, (modifier, _)) in MODIFIERS.iter().enumerate() {
                if mods & (1 << bit) != 0 {
                    held = held.with(*modifier);
                }
            }
            let chord = Chord::new(NAMES[key].0, held);
            prop_assert_eq!(chord.to_string().parse::<Chord>(), Ok(chord));
            prop_assert_eq!(Chord::new(chord.code(), chord.mods()), chord);
        }
    }
}
