//! A key with its modifiers, in the one form in which equal means the same key.

mod text;

use super::input::{KeyCode, KeyEvent, KeyKind, Mods};

pub use text::ParseChordError;

/// A key together with its modifiers, in one normal form, so that equal means the same key.
///
/// Shift is part of a character (`A`, `|`) unless Ctrl is held too; with Ctrl letters are small, since `ctrl-B` is what
/// people write for `ctrl-b`. Caps Lock and Num Lock never count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    code: KeyCode,
    mods: Mods,
}

impl Chord {
    /// A key with its modifiers; an upper-case letter is its lower-case one with Shift.
    #[must_use]
    pub fn new(code: KeyCode, mods: Mods) -> Self {
        let mods = mods.without(Mods::CAPS_LOCK).without(Mods::NUM_LOCK);
        let (code, mods) = match code {
            KeyCode::Char('\0') => (KeyCode::Char(' '), mods.with(Mods::CTRL)),
            KeyCode::Char('@') if mods.contains(Mods::CTRL) => (KeyCode::Char(' '), mods),
            KeyCode::Char(c) if c != ' ' => {
                let (c, mods) = normal_char(c, mods);
                (KeyCode::Char(c), mods)
            }
            _ => (code, mods),
        };
        Self { code, mods }
    }

    /// The chord of a key that was pressed, as what is typed; None for the release of a key. With Ctrl, Alt or Super a
    /// key types nothing and is known by its place on a US layout.
    #[must_use]
    pub fn of(event: &KeyEvent) -> Option<Self> {
        let event = event.as_chord();
        (event.kind != KeyKind::Release).then(|| Self::new(event.code, event.mods))
    }

    /// The chord of a key that was pressed where nothing is typed, so that a letter too is known by its place on a US
    /// layout; None for the release of a key.
    #[must_use]
    pub fn of_command(event: &KeyEvent) -> Option<Self> {
        Self::of(&event.on_us_layout())
    }

    /// The key, in the form that [`Chord::new`] brings all spellings to.
    #[must_use]
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// The modifiers that must be held, and no others.
    #[must_use]
    pub fn mods(self) -> Mods {
        self.mods
    }

    /// The press of this chord.
    #[must_use]
    pub fn event(self) -> KeyEvent {
        KeyEvent::press(self.code, self.mods)
    }

    /// The chord that stands for all those that a terminal without the kitty keyboard protocol cannot tell from it:
    /// `ctrl-i` is Tab there, `ctrl-/` and `ctrl-7` are `ctrl-_`, and the keypad sends what other keys do.
    #[must_use]
    pub(super) fn folded(self) -> Self {
        let ctrl = self.mods.contains(Mods::CTRL);
        let bare = self.mods.without(Mods::CTRL);
        let (code, mods) = match self.code {
            KeyCode::Char('i') if ctrl => (KeyCode::Tab, bare),
            KeyCode::Char('m') if ctrl => (KeyCode::Enter, bare),
            KeyCode::Char('[' | '3') if ctrl => (KeyCode::Escape, bare),
            KeyCode::Char('?' | '8') if ctrl => (KeyCode::Backspace, bare),
            KeyCode::Char('2') if ctrl => (KeyCode::Char(' '), self.mods),
            KeyCode::Char('4') if ctrl => (KeyCode::Char('\\'), self.mods),
            KeyCode::Char('5') if ctrl => (KeyCode::Char(']'), self.mods),
            KeyCode::Char('6') if ctrl => (KeyCode::Char('^'), self.mods),
            KeyCode::Char('7' | '/') if ctrl => (KeyCode::Char('_'), self.mods),
            KeyCode::Keypad(key) => (key.plain(), self.mods),
            code => (code, self.mods),
        };
        Self::new(code, mods)
    }
}

/// A character with Ctrl, Alt and Shift in normal form.
fn normal_char(c: char, mods: Mods) -> (char, Mods) {
    let single = |mut folded: std::iter::Take<_>| match (folded.next(), folded.next()) {
        (Some(one), None) => one,
        _ => c,
    };
    let lower = |c: char| c.to_lowercase().collect::<Vec<_>>();
    let upper = |c: char| c.to_uppercase().collect::<Vec<_>>();
    let is_letter = lower(c) != upper(c);
    if mods.contains(Mods::CTRL) {
        let mods = if is_letter {
            mods
        } else {
            mods.without(Mods::SHIFT)
        };
        (single(lower(c).into_iter().take(2)), mods)
    } else if mods.contains(Mods::SHIFT) {
        (
            single(upper(c).into_iter().take(2)),
            mods.without(Mods::SHIFT),
        )
    } else {
        (c, mods)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_key_that_was_struck_is_its_chord_and_a_release_is_none() {
        let mut event = KeyEvent::press(KeyCode::Char('B'), Mods::CTRL.with(Mods::NUM_LOCK));
        assert_eq!(Chord::of(&event), Some(chord("ctrl-b")));
        event.kind = KeyKind::Repeat;
        assert_eq!(Chord::of(&event), Some(chord("ctrl-b")));
        event.kind = KeyKind::Release;
        assert_eq!(Chord::of(&event), None);
        let bar = KeyEvent::press(KeyCode::Char('|'), Mods::SHIFT);
        assert_eq!(Chord::of(&bar), Some(chord("|")));
        assert_eq!(
            chord("C-c").event(),
            KeyEvent::press(KeyCode::Char('c'), Mods::CTRL)
        );
    }

    #[test]
    fn chords_on_other_layouts_are_known_by_their_keys() {
        let key = |c, base, mods| KeyEvent {
            base: Some(base),
            ..KeyEvent::press(KeyCode::Char(c), mods)
        };
        let shift = Mods::SHIFT;
        for (event, typed, command) in [
            // Russian, Greek and Hebrew have their own characters on the keys of Latin ones.
            (key('с', 'c', Mods::CTRL), "ctrl-c", "ctrl-c"),
            (key('ψ', 'c', Mods::CTRL), "ctrl-c", "ctrl-c"),
            (key('ב', 'c', Mods::CTRL), "ctrl-c", "ctrl-c"),
            (key('и', 'b', Mods::ALT), "alt-b", "alt-b"),
            (key('И', 'b', Mods::ALT.with(shift)), "alt-B", "alt-B"),
            (key('З', 'p', shift), "З", "P"),
            (key('з', 'p', Mods::NONE), "з", "p"),
            (key('Ж', ';', shift), "Ж", ":"),
            (key('ё', '`', Mods::CTRL), "ctrl-`", "ctrl-`"),
            // French: a Latin layout's own characters count.
            (key('a', 'q', Mods::CTRL), "ctrl-a", "ctrl-a"),
            (key('a', 'q', Mods::NONE), "a", "a"),
        ] {
            assert_eq!(Chord::of(&event), Some(chord(typed)), "{event:?}");
            assert_eq!(Chord::of_command(&event), Some(chord(command)), "{event:?}");
        }
    }

    #[test]
    fn what_old_terminals_cannot_tell_apart_is_folded() {
        for (one, other) in [
            ("ctrl-i", "tab"),
            ("ctrl-m", "enter"),
            ("ctrl-[", "esc"),
            ("ctrl-/", "ctrl-_"),
            ("ctrl-7", "ctrl-_"),
            ("ctrl-4", "ctrl-\\"),
            ("kp-5", "5"),
            ("alt-ctrl-i", "alt-tab"),
        ] {
            assert_eq!(chord(one).folded(), chord(other).folded(), "{one}");
        }
    }

    #[test]
    fn chords_that_an_old_terminal_cannot_tell_apart_fold_into_one() {
        let folded = [
            ("ctrl-i", "tab"),
            ("ctrl-m", "enter"),
            ("ctrl-[", "esc"),
            ("ctrl-3", "esc"),
            ("ctrl-?", "backspace"),
            ("ctrl-8", "backspace"),
            ("ctrl-2", "ctrl-space"),
            ("ctrl-4", "ctrl-\\"),
            ("ctrl-5", "ctrl-]"),
            ("ctrl-6", "ctrl-^"),
            ("ctrl-7", "ctrl-_"),
            ("ctrl-/", "ctrl-_"),
            ("ctrl-alt-i", "alt-tab"),
        ];
        for (given, into) in folded {
            assert_eq!(chord(given).folded(), chord(into), "{given}");
        }
        for stays in [
            "i", "m", "[", "3", "?", "8", "2", "4", "5", "6", "7", "/", "alt-7", "ctrl-b",
        ] {
            assert_eq!(chord(stays).folded(), chord(stays), "{stays}");
        }
    }
}
