//! Which chord does what, from the defaults and the `[keys]` table of the configuration.

use std::collections::BTreeMap;

use super::action::{Action, Context};
use super::chord::Chord;

/// What a key does in each context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    prefix: Chord,
    bindings: Vec<(Action, Vec<Chord>)>,
}

/// What is wrong with one entry of `[keys]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeymapFault {
    /// The entry's key, which should be an action's name.
    pub key: String,
    pub message: String,
}

/// What a key that was struck after the prefix means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterPrefix {
    Do(Action),
    /// The prefix again: it goes to the pane.
    SendPrefix,
    Unbound,
}

impl Keymap {
    /// Builds the keymap from the defaults and the overrides: action name to chord, or several chords separated by
    /// spaces, or `none`. An override replaces all chords that the action has by default.
    pub fn new(
        prefix: Chord,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<KeymapFault>> {
        let _ = overrides;
        Ok(Self {
            prefix,
            bindings: Vec::new(),
        })
    }

    #[must_use]
    pub fn prefix(&self) -> Chord {
        self.prefix
    }

    /// The action of a chord in a context.
    #[must_use]
    pub fn lookup(&self, context: Context, chord: Chord) -> Option<Action> {
        let _ = (context, chord);
        None
    }

    /// What a chord means after the prefix.
    #[must_use]
    pub fn after_prefix(&self, chord: Chord) -> AfterPrefix {
        let _ = chord;
        AfterPrefix::Unbound
    }

    /// The chords of an action, the one to show first.
    #[must_use]
    pub fn bindings_of(&self, action: Action) -> &[Chord] {
        let _ = action;
        &[]
    }

    /// Every action with its chords in the order of help; actions without a chord too.
    pub fn iter(&self) -> impl Iterator<Item = (Action, &[Chord])> {
        self.bindings
            .iter()
            .map(|(action, chords)| (*action, chords.as_slice()))
    }
}
