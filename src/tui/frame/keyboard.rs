//! Which of kitty's keyboard flags the outer terminal is asked for
//! (<https://sw.kovidgoyal.net/kitty/keyboard-protocol/>).

/// Keys are told apart that the legacy encoding confuses.
const DISAMBIGUATE: u8 = 1;
const ALL_AS_ESCAPES: u8 = 8;
/// Alternate keys and text, without which an escape does not tell which character Shift made.
const CHARACTERS: u8 = 4 | 16;
const ALL: u8 = 0b1_1111;

/// The flags for a pane whose program has asked for some: keys are always told apart, the rest only while it is wanted.
#[must_use]
pub fn kitty_flags(asked: u8) -> u8 {
    let characters = if asked & ALL_AS_ESCAPES != 0 {
        CHARACTERS
    } else {
        0
    };
    asked & ALL | DISAMBIGUATE | characters
}
