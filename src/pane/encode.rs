//! Input as the bytes a program in a pane asked for: keys, mouse, paste and focus, by the modes that it has set.
//!
//! Sources: xterm's control sequences (ctlseqs) and its table of modified keys for what is not kitty's; the kitty
//! keyboard protocol's specification for its flags.

mod kitty;
mod legacy;
mod mouse;
#[cfg(test)]
mod tests;

use std::io::Write;

use crate::domain::input::{Input, KeyCode, KeyEvent, KeyKind, Mods};
use crate::domain::screen::InputModes;

/// Appends the bytes of an input; nothing where the program did not ask to be told.
pub fn encode(input: &Input, modes: &InputModes, alternate_screen: bool, out: &mut Vec<u8>) {
    match input {
        Input::Key(event) => key(event, modes, out),
        Input::Text(text) => out.extend_from_slice(text.as_bytes()),
        Input::Paste(text) => paste(text, modes.bracketed_paste, out),
        Input::Mouse(event) => mouse::encode(*event, modes, alternate_screen, out),
        Input::Focus(gained) => {
            if modes.focus {
                out.extend_from_slice(if *gained { b"\x1b[I" } else { b"\x1b[O" });
            }
        }
        Input::Bytes(bytes) => out.extend_from_slice(bytes),
    }
}

/// Whether an input is Shift+Enter, and the program has asked for no keyboard protocol that would tell it from Enter.
pub fn is_plain_shift_enter(input: &Input, modes: &InputModes) -> bool {
    let Input::Key(event) = input else {
        return false;
    };
    let held = event.mods.without(Mods::CAPS_LOCK).without(Mods::NUM_LOCK);
    event.code == KeyCode::Enter
        && held == Mods::SHIFT
        && event.kind != KeyKind::Release
        && modes.modify_other_keys == 0
        && !kitty::Flags(modes.kitty_flags).change_keys()
}

fn key(event: &KeyEvent, modes: &InputModes, out: &mut Vec<u8>) {
    let flags = kitty::Flags(modes.kitty_flags);
    if flags.change_keys() {
        kitty::encode(event, flags, modes, out);
    } else if event.kind != KeyKind::Release {
        let event = event.as_chord();
        legacy::encode(event.code, event.mods, modes, out);
    }
}

/// Writes pasted text without what could act on the program or end the brackets; line ends become CR, as xterm has it
/// inside brackets too.
fn paste(text: &str, bracketed: bool, out: &mut Vec<u8>) {
    if bracketed {
        out.extend_from_slice(b"\x1b[200~");
    }
    let mut after_return = false;
    for c in text.chars() {
        match c {
            '\n' if after_return => {}
            '\n' | '\r' => out.push(b'\r'),
            '\t' => out.push(b'\t'),
            c if c.is_control() => {}
            c => push_char(c, out),
        }
        after_return = c == '\r';
    }
    if bracketed {
        out.extend_from_slice(b"\x1b[201~");
    }
}

fn push_char(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = out.write_fmt(text);
}
