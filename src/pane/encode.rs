//! Input as the bytes a program in a pane asked for.

use crate::domain::input::Input;
use crate::domain::screen::Modes;

/// Appends the bytes of an input; nothing where the program did not ask to be told.
pub fn encode(input: &Input, modes: &Modes, alternate_screen: bool, out: &mut Vec<u8>) {
    let _ = (input, modes, alternate_screen, out);
}
