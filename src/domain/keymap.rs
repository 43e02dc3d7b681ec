//! Which chord does what, from the defaults and the `[keys]` table of the configuration.

use std::collections::BTreeMap;
use std::fmt;

use super::action::{Action, Context};
use super::chord::Chord;
use super::input::{KeyCode, Mods};
use super::nearest::nearest;

/// Before a chord of `[keys]`: it works without the prefix.
const WITHOUT_PREFIX: &str = "no-prefix:";

/// What a key does in each context: a chord does one thing at most in a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    prefix: Chord,
    /// In the order of [`Action::ALL`].
    bindings: Vec<(Action, Vec<Chord>)>,
    by_chord: BTreeMap<(Context, Chord), Action>,
    /// What works without the prefix.
    direct: BTreeMap<Chord, Action>,
    lost: Vec<LostChord>,
}

/// A default chord that the configuration gave to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostChord {
    pub chord: Chord,
    /// Whose it is by default.
    pub from: Action,
    /// Who has it now; None where it is the prefix.
    pub to: Option<Action>,
    /// The chord that is left to do the same, if any.
    pub left: Option<Chord>,
}

impl fmt::Display for LostChord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chord, from, .. } = self;
        match self.to {
            Some(to) => write!(f, "keys: {chord} is now {to}, no longer {from}")?,
            None => write!(f, "keys: {chord} is now the prefix, no longer {from}")?,
        }
        match self.left {
            Some(left) => write!(f, ", which keeps {left}"),
            None => write!(f, ", which has no key left"),
        }
    }
}

/// What is wrong with one entry of `[keys]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeymapFault {
    /// The entry's key, which should be an action's name.
    pub key: String,
    /// What is wrong, and what would be right.
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
    /// spaces, or `none`. After `no-prefix:` a chord works without the prefix. An override replaces all chords that the action has by default. A default chord that an
    /// override gives to another action, or that is the prefix, is dropped; [`Keymap::lost`] tells of it.
    ///
    /// Gives all faults at once.
    ///
    /// # Errors
    /// All faults at once: unknown actions, chords that cannot be read, and chords given to two actions of one context.
    pub fn new(
        prefix: Chord,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<KeymapFault>> {
        let mut faults = Vec::new();
        let mut chosen: BTreeMap<Action, Vec<Chord>> = BTreeMap::new();
        let mut by_chord: BTreeMap<(Context, Chord), Action> = BTreeMap::new();
        let mut direct: BTreeMap<Chord, Action> = BTreeMap::new();
        for (key, text) in overrides {
            let mut fault = |message: String| {
                faults.push(KeymapFault {
                    key: key.clone(),
                    message,
                });
            };
            let Some(action) = Action::named(key) else {
                fault(unknown_action(key));
                continue;
            };
            let (prefixed, bare) = split_direct(text);
            match parse_direct(&bare, action, prefix) {
                Ok(chords) => {
                    for chord in chords {
                        if let Some(other) = direct.insert(chord.folded(), action)
                            && other != action
                        {
                            fault(format!("{chord} is also the key of {other}"));
                        }
                    }
                }
                Err(message) => fault(message),
            }
            if prefixed.is_empty() && !bare.is_empty() {
                chosen.insert(action, Vec::new());
                continue;
            }
            match parse_chords(&prefixed) {
                Ok(chords) => {
                    for chord in &chords {
                        let place = (action.context(), chord.folded());
                        if action.context() == Context::Prefix && place.1 == prefix.folded() {
                            fault(format!(
                                "{chord} is the prefix, which sent twice goes to the pane"
                            ));
                        } else if let Some(other) = by_chord.insert(place, action)
                            && other != action
                        {
                            fault(format!("{chord} is also the key of {other}"));
                        }
                    }
                    chosen.insert(action, chords);
                }
                Err(message) => fault(message),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut bindings = Vec::new();
        let mut lost = Vec::new();
        for action in Action::ALL.iter().copied() {
            let chords = chosen.remove(&action).unwrap_or_else(|| {
                let mut gone = Vec::new();
                let mut chords = parse_chords(action.default_chords()).unwrap_or_default();
                chords.retain(|chord| {
                    let place = (action.context(), chord.folded());
                    let is_prefix =
                        action.context() == Context::Prefix && place.1 == prefix.folded();
                    let to = by_chord.get(&place).copied();
                    let free = !is_prefix && to.is_none();
                    if free {
                        by_chord.insert(place, action);
                    } else {
                        gone.push((*chord, to));
                    }
                    free
                });
                let left = chords.first().copied();
                lost.extend(gone.into_iter().map(|(chord, to)| LostChord {
                    chord,
                    from: action,
                    to,
                    left,
                }));
                chords
            });
            bindings.push((action, chords));
        }
        Ok(Self {
            prefix,
            bindings,
            by_chord,
            direct,
            lost,
        })
    }

    /// Default chords that the configuration gave to something else, for whoever wrote it to know.
    #[must_use]
    pub fn lost(&self) -> &[LostChord] {
        &self.lost
    }

    /// The chord that the next key's binding waits for.
    #[must_use]
    pub fn prefix(&self) -> Chord {
        self.prefix
    }

    /// Whether a chord is the prefix, however the outer terminal tells it.
    #[must_use]
    pub fn is_prefix(&self, chord: Chord) -> bool {
        chord.folded() == self.prefix.folded()
    }

    /// The action of a chord in a context.
    #[must_use]
    pub fn lookup(&self, context: Context, chord: Chord) -> Option<Action> {
        self.by_chord.get(&(context, chord.folded())).copied()
    }

    /// The action of a chord that works without the prefix.
    #[must_use]
    pub fn without_prefix(&self, chord: Chord) -> Option<Action> {
        self.direct.get(&chord.folded()).copied()
    }

    /// The chords that work without the prefix, each with its action.
    pub fn direct(&self) -> impl Iterator<Item = (Chord, Action)> {
        self.direct.iter().map(|(chord, action)| (*chord, *action))
    }

    /// What a chord means after the prefix.
    #[must_use]
    pub fn after_prefix(&self, chord: Chord) -> AfterPrefix {
        if self.is_prefix(chord) {
            return AfterPrefix::SendPrefix;
        }
        self.lookup(Context::Prefix, chord)
            .map_or(AfterPrefix::Unbound, AfterPrefix::Do)
    }

    /// The chords of an action, the one to show first.
    #[must_use]
    pub fn bindings_of(&self, action: Action) -> &[Chord] {
        self.bindings
            .iter()
            .find(|(other, _)| *other == action)
            .map_or(&[], |(_, chords)| chords)
    }

    /// Every action with its chords in the order of help; actions without a chord too.
    pub fn iter(&self) -> impl Iterator<Item = (Action, &[Chord])> {
        self.bindings
            .iter()
            .map(|(action, chords)| (*action, chords.as_slice()))
    }
}

/// The chords after the prefix, and those without it.
fn split_direct(text: &str) -> (String, Vec<&str>) {
    if !text.contains(WITHOUT_PREFIX) {
        return (text.to_owned(), Vec::new());
    }
    let (mut prefixed, mut direct) = (Vec::new(), Vec::new());
    for part in text.split_whitespace() {
        match part.strip_prefix(WITHOUT_PREFIX) {
            Some(chord) => direct.push(chord),
            None => prefixed.push(part),
        }
    }
    (prefixed.join(" "), direct)
}

/// Chords that work without the prefix: none may take away what one types into a program.
fn parse_direct(given: &[&str], action: Action, prefix: Chord) -> Result<Vec<Chord>, String> {
    if action.context() != Context::Prefix && !given.is_empty() {
        return Err(format!("{action} needs no prefix anyway"));
    }
    let mut chords = Vec::new();
    for text in given {
        let chord: Chord = text.parse().map_err(|error| format!("{error}"))?;
        let held = [Mods::CTRL, Mods::ALT, Mods::SUPER];
        let is_typed = !matches!(chord.code(), KeyCode::F(_) | KeyCode::Media(_))
            && !held.iter().any(|held| chord.mods().contains(*held));
        if is_typed {
            return Err(format!(
                "{chord} is typed into programs: without the prefix use ctrl-, alt- or super-, or a function key"
            ));
        }
        if chord.folded() == prefix.folded() {
            return Err(format!("{chord} is the prefix"));
        }
        chords.push(chord);
    }
    Ok(chords)
}

fn parse_chords(text: &str) -> Result<Vec<Chord>, String> {
    if text == "none" {
        return Ok(Vec::new());
    }
    if text.trim().is_empty() {
        return Err("a key is missing, write for example \"c\", \"ctrl-t\" or \"none\"".to_owned());
    }
    text.split_whitespace()
        .map(|part| part.parse::<Chord>().map_err(|error| error.to_string()))
        .collect()
}

/// Says that there is no such action, and which one was probably meant.
fn unknown_action(given: &str) -> String {
    let names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
    match nearest(given, &names) {
        Some(name) => format!("there is no such action, did you mean {name:?}?"),
        None => format!("there is no such action, use one of {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        text.parse().unwrap()
    }

    fn keymap(prefix: &str, overrides: &[(&str, &str)]) -> Result<Keymap, Vec<KeymapFault>> {
        let overrides = overrides
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect();
        Keymap::new(chord(prefix), &overrides)
    }

    fn faults(overrides: &[(&str, &str)]) -> Vec<(String, String)> {
        keymap("ctrl-b", overrides)
            .unwrap_err()
            .into_iter()
            .map(|fault| (fault.key, fault.message))
            .collect()
    }

    #[test]
    fn every_default_chord_is_readable_and_the_only_one_of_its_kind() {
        let keymap = keymap("ctrl-b", &[]).unwrap();
        for (action, chords) in keymap.iter() {
            let wanted = parse_chords(action.default_chords()).unwrap();
            assert_eq!(chords, wanted, "{action}");
            for chord in chords {
                assert_eq!(keymap.lookup(action.context(), *chord), Some(action));
            }
        }
        let actions: Vec<Action> = keymap.iter().map(|(action, _)| action).collect();
        assert_eq!(actions, Action::ALL);
    }

    #[test]
    fn a_default_that_loses_its_chord_is_told() {
        assert_eq!(keymap("ctrl-b", &[]).unwrap().lost(), &[]);
        let told = |prefix, overrides: &[(&str, &str)]| -> Vec<String> {
            let keymap = keymap(prefix, overrides).unwrap();
            keymap.lost().iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            told("ctrl-b", &[("zoom-pane", "c"), ("copy-mode", "|")]),
            [
                "keys: c is now zoom-pane, no longer new-pane, which has no key left",
                "keys: | is now copy-mode, no longer split-right, which keeps %",
            ]
        );
        assert_eq!(
            told("ctrl-l", &[]),
            ["keys: ctrl-l is now the prefix, no longer redraw, which has no key left"]
        );
        let moved = [("zoom-pane", "c"), ("new-pane", "z")];
        assert_eq!(told("ctrl-b", &moved), [""; 0]);
    }

    #[test]
    fn the_promised_keys_do_what_was_promised() {
        let keymap = keymap("ctrl-b", &[]).unwrap();
        let promised = [
            ("c", Action::NewPane),
            ("a", Action::LaunchAgent),
            ("|", Action::SplitRight),
            ("-", Action::SplitDown),
            ("left", Action::FocusLeft),
            ("h", Action::FocusLeft),
            ("j", Action::FocusDown),
            ("k", Action::FocusUp),
            ("l", Action::FocusRight),
            ("z", Action::ZoomPane),
            ("x", Action::KillPane),
            (",", Action::RenamePane),
            ("n", Action::NextTab),
            ("p", Action::PreviousTab),
            ("1", Action::Tab1),
            ("9", Action::Tab9),
            ("[", Action::CopyMode),
            ("/", Action::Search),
            ("w", Action::NextWaiting),
            ("P", Action::ProviderPanel),
            ("f", Action::FailOver),
            ("r", Action::RestartProvider),
            ("u", Action::BrowserAddress),
            (":", Action::Palette),
            ("?", Action::Help),
            ("d", Action::Detach),
            ("q", Action::Quit),
            ("ctrl-z", Action::Suspend),
        ];
        for (text, action) in promised {
            let found = keymap.after_prefix(chord(text));
            assert_eq!(found, AfterPrefix::Do(action), "{text}");
        }
        assert_eq!(keymap.after_prefix(chord("y")), AfterPrefix::Unbound);
        assert_eq!(keymap.after_prefix(chord("C-b")), AfterPrefix::SendPrefix);
    }

    #[test]
    fn an_override_replaces_defaults_and_takes_chords_from_others() {
        let keymap = keymap("ctrl-a", &[("kill-pane", "c ctrl-k"), ("quit", "none")]).unwrap();
        assert_eq!(
            keymap.bindings_of(Action::KillPane),
            [chord("c"), chord("C-k")]
        );
        assert_eq!(keymap.bindings_of(Action::NewPane), []);
        assert_eq!(keymap.bindings_of(Action::Quit), []);
        assert_eq!(keymap.after_prefix(chord("x")), AfterPrefix::Unbound);
        assert_eq!(keymap.after_prefix(chord("q")), AfterPrefix::Unbound);
        assert_eq!(
            keymap.after_prefix(chord("c")),
            AfterPrefix::Do(Action::KillPane)
        );
        assert_eq!(
            keymap.lookup(Context::Copy, chord("y")),
            Some(Action::CopyYank)
        );
    }

    #[test]
    fn a_chord_may_work_without_the_prefix() {
        let keymap = keymap(
            "ctrl-b",
            &[
                ("next-tab", "n no-prefix:alt-n"),
                ("zoom-pane", "no-prefix:f11 no-prefix:super-z"),
            ],
        )
        .unwrap();
        let direct = |text| keymap.without_prefix(chord(text));
        assert_eq!(direct("alt-n"), Some(Action::NextTab));
        assert_eq!(direct("f11"), Some(Action::ZoomPane));
        assert_eq!(direct("super-z"), Some(Action::ZoomPane));
        assert_eq!(direct("n"), None);
        assert_eq!(keymap.bindings_of(Action::NextTab), [chord("n")]);
        assert_eq!(keymap.bindings_of(Action::ZoomPane), []);
        assert_eq!(keymap.direct().count(), 3);
        assert_eq!(
            faults(&[
                ("copy-up", "no-prefix:alt-k"),
                ("help", "no-prefix:ctrl-b"),
                ("new-pane", "no-prefix:c"),
                ("next-tab", "no-prefix:alt-x"),
                ("previous-tab", "no-prefix:alt-x"),
            ]),
            [
                ("copy-up", "copy-up needs no prefix anyway"),
                ("help", "ctrl-b is the prefix"),
                (
                    "new-pane",
                    "c is typed into programs: without the prefix use ctrl-, alt- or super-, or a function key"
                ),
                ("previous-tab", "alt-x is also the key of next-tab"),
            ]
            .map(|(key, message)| (key.to_owned(), message.to_owned()))
        );
    }

    #[test]
    fn a_prefix_that_is_a_default_chord_wins_over_it() {
        let keymap = keymap("ctrl-l", &[]).unwrap();
        assert_eq!(keymap.bindings_of(Action::Redraw), []);
        assert_eq!(
            keymap.after_prefix(chord("ctrl-l")),
            AfterPrefix::SendPrefix
        );
    }

    #[test]
    fn a_prefix_is_known_however_the_terminal_tells_it() {
        let keymap = keymap("ctrl-\\", &[]).unwrap();
        assert!(keymap.is_prefix(chord("ctrl-4")));
        assert!(!keymap.is_prefix(chord("ctrl-b")));
    }

    #[test]
    fn all_faults_are_told_at_once() {
        assert_eq!(
            faults(&[
                ("help", "C-b"),
                ("kill-pain", "x"),
                ("new-pane", "strg-n"),
                ("quit", "X"),
                ("search", ""),
                ("zoom-pane", "X"),
            ]),
            [
                ("help", "ctrl-b is the prefix, which sent twice goes to the pane"),
                ("kill-pain", "there is no such action, did you mean \"kill-pane\"?"),
                (
                    "new-pane",
                    "\"strg-n\" is not a key: \"strg\" is no modifier, use ctrl-, alt-, shift- or super-"
                ),
                ("search", "a key is missing, write for example \"c\", \"ctrl-t\" or \"none\""),
                ("zoom-pane", "X is also the key of quit"),
            ]
            .map(|(key, message)| (key.to_owned(), message.to_owned()))
        );
    }

    #[test]
    fn an_action_that_resembles_none_is_answered_with_all() {
        let [(_, message)] = faults(&[("frobnicate", "x")]).try_into().unwrap();
        assert!(message.starts_with("there is no such action, use one of new-pane, "));
        assert!(message.contains("quit"));
    }

    #[test]
    fn the_same_chord_may_mean_something_else_elsewhere() {
        let keymap = keymap("ctrl-b", &[("copy-yank", "x")]).unwrap();
        assert_eq!(
            keymap.lookup(Context::Copy, chord("x")),
            Some(Action::CopyYank)
        );
        assert_eq!(
            keymap.lookup(Context::Prefix, chord("x")),
            Some(Action::KillPane)
        );
        assert_eq!(keymap.lookup(Context::Dialog, chord("x")), None);
    }
}
