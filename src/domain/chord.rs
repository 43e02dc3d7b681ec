//! A key with its modifiers as text: `ctrl-b`, `alt-x`, `shift-f5`, `|`; tmux's names are understood too.

use std::fmt;
use std::str::FromStr;

use super::input::{KeyCode, KeyEvent, Mods};

/// A key together with its modifiers, in one normal form, so that equal means the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    code: KeyCode,
    mods: Mods,
}

impl Chord {
    #[must_use]
    pub fn new(code: KeyCode, mods: Mods) -> Self {
        Self { code, mods }
    }

    /// The chord of a key that was struck; None for the release of a key.
    #[must_use]
    pub fn of(event: &KeyEvent) -> Option<Self> {
        let _ = event;
        None
    }

    #[must_use]
    pub fn code(self) -> KeyCode {
        self.code
    }

    #[must_use]
    pub fn mods(self) -> Mods {
        self.mods
    }

    /// The press of this chord.
    #[must_use]
    pub fn event(self) -> KeyEvent {
        KeyEvent::press(self.code, self.mods)
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a key: {remedy}")]
pub struct ParseChordError {
    given: String,
    remedy: String,
}

impl FromStr for Chord {
    type Err = ParseChordError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Err(ParseChordError {
            given: text.to_owned(),
            remedy: String::new(),
        })
    }
}
