//! Which of kitty's keyboard flags the outer terminal is asked for
//! (<https://sw.kovidgoyal.net/kitty/keyboard-protocol/>).

/// Keys are told apart that the legacy encoding confuses.
const DISAMBIGUATE: u8 = 1;
/// A key is told with its place on a US layout, by which chords are known on every layout.
const ALTERNATES: u8 = 4;
const ALL_AS_ESCAPES: u8 = 8;
/// Without it an escape does not tell which character was typed.
const TEXT: u8 = 16;
const ALL: u8 = 0b1_1111;

/// What the next key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysFor {
    /// A program that asked for these flags, or a prompt (none).
    Program(u8),
    /// A command of tundra's: a letter too is wanted with its place, for `c` is elsewhere on other layouts.
    Command,
}

/// The flags to be in force for the next key.
#[must_use]
pub fn kitty_flags(keys_for: KeysFor) -> u8 {
    let asked = match keys_for {
        KeysFor::Program(asked) => asked & ALL,
        KeysFor::Command => ALL_AS_ESCAPES,
    };
    let text = if asked & ALL_AS_ESCAPES != 0 { TEXT } else { 0 };
    asked | text | DISAMBIGUATE | ALTERNATES
}
