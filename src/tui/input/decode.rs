//! Bytes of the outer terminal to events, whatever way they are cut.
//!
//! Legacy sequences as xterm, rxvt's Alt prefix, the Linux console and SS3 keypads send them; kitty's keyboard
//! protocol (<https://sw.kovidgoyal.net/kitty/keyboard-protocol/>); SGR and X10 mouse; bracketed paste; focus; the few
//! answers tundra asks for. Anything else is dropped without a trace in the input.

use super::csi;
use super::event::{Background, InputEvent, Reply};
use crate::domain::input::{KeyCode, KeyEvent, KeypadKey, Mods};

const ESC: u8 = 0x1b;
/// Longest control sequence that is waited for; a longer one is noise.
const SEQUENCE_BYTES: usize = 256;
/// Longest string sequence (OSC, DCS, APC) whose content is kept.
const STRING_BYTES: usize = 4096;
/// A longer paste arrives in pieces of this size, each of which a pane has room for.
const PASTE_BYTES: usize = 1 << 20;
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// The state between two reads.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
    /// What is left of the paste is thrown away.
    drops_paste: bool,
    /// The terminal was asked in the middle of the paste, so that its answers may stand in it.
    asks_in_paste: bool,
    /// Inside a string sequence that was too long to keep.
    discarding: bool,
}

/// How many of the bytes do not end in the middle of a character.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// What stands at the start of the bytes.
pub(super) enum Decoded {
    /// Nothing can be said before more comes.
    Incomplete,
    /// So many bytes mean this (None: nothing to us).
    Done(usize, Option<InputEvent>),
    /// A paste begins after so many bytes.
    Paste(usize),
    /// A string that is too long begins here.
    Discard,
}

impl Decoder {
    /// Takes bytes and appends what they mean.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<InputEvent>) {
        self.pending.extend_from_slice(bytes);
        let mut pending = std::mem::take(&mut self.pending);
        let mut at = 0;
        while at < pending.len() {
            let rest = &pending[at..];
            let taken = if self.paste.is_some() {
                self.take_paste(rest, events)
            } else if self.discarding {
                self.discard(rest)
            } else {
                match step(rest) {
                    Decoded::Incomplete => 0,
                    Decoded::Done(length, event) => {
                        events.extend(event);
                        length
                    }
                    Decoded::Paste(length) => {
                        self.paste = Some(Vec::new());
                        length
                    }
                    Decoded::Discard => {
                        self.discarding = true;
                        2
                    }
                }
            };
            if taken == 0 {
                break;
            }
            at += taken;
        }
        pending.drain(..at);
        self.pending = pending;
    }

    /// Whether what is pending would be a key of its own if nothing followed.
    #[must_use]
    pub fn waits_for_more(&self) -> bool {
        self.paste.is_none()
            && !self.discarding
            && matches!(
                self.pending[..],
                [ESC] | [ESC, ESC | b'[' | b'O' | b']' | b'P' | b'_' | b'^' | b'X']
            )
    }

    /// Nothing followed for a while: an Escape was the key, or Alt with the character after it.
    pub fn flush(&mut self, events: &mut Vec<InputEvent>) {
        if !self.waits_for_more() {
            return;
        }
        let (code, mods) = match self.pending.get(1) {
            None => (KeyCode::Escape, Mods::NONE),
            // Somebody who is fast, or a program: no terminal tells Alt with Escape so.
            Some(&ESC) => {
                events.push(key((KeyCode::Escape, Mods::NONE)));
                (KeyCode::Escape, Mods::NONE)
            }
            Some(&byte) => (KeyCode::Char(char::from(byte)), Mods::ALT),
        };
        self.pending.clear();
        events.push(InputEvent::Key(KeyEvent::press(code, mods)));
    }

    /// Whether a paste has begun and not ended.
    #[must_use]
    pub fn is_in_paste(&self) -> bool {
        self.paste.is_some()
    }

    /// Whether something has been read that means nothing yet.
    #[must_use]
    pub fn is_between(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Ends a paste where it is: what was read of it is told, what is left of it will not be.
    pub fn cut_paste(&mut self, events: &mut Vec<InputEvent>) {
        if let Some(paste) = self.paste.as_mut().filter(|_| !self.drops_paste) {
            let read = std::mem::take(paste);
            self.drops_paste = true;
            if !read.is_empty() {
                let text = String::from_utf8_lossy(&read).into_owned();
                events.push(InputEvent::Paste(text));
            }
        }
    }

    /// Ends here, for another decoder to go on: what was read of a paste is told, and what that one is to be fed first is
    /// answered.
    pub fn hand_on(&mut self, events: &mut Vec<InputEvent>) -> Vec<u8> {
        let mut begun = Vec::new();
        if let Some(mut paste) = self.paste.take() {
            begun.extend_from_slice(PASTE_BEGIN);
            let tail = paste.split_off(whole_characters(&paste));
            if !paste.is_empty() {
                let text = String::from_utf8_lossy(&paste).into_owned();
                events.push(InputEvent::Paste(text));
            }
            begun.extend(tail);
        }
        begun.append(&mut self.pending);
        begun
    }

    /// Begins with what another decoder has begun.
    pub fn go_on(&mut self, begun: &[u8], events: &mut Vec<InputEvent>) {
        self.feed(begun, events);
        self.asks_in_paste = self.is_in_paste();
    }

    fn take_paste(&mut self, bytes: &[u8], events: &mut Vec<InputEvent>) -> usize {
        let Some(paste) = self.paste.as_mut() else {
            return 0;
        };
        // Only an Escape can begin the end mark, so what may be its first part stays pending.
        let mut at = 0;
        while let Some(offset) = bytes[at..].iter().position(|byte| *byte == ESC) {
            let escape = at + offset;
            let rest = &bytes[escape..];
            if rest.starts_with(PASTE_END) {
                paste.extend_from_slice(&bytes[..escape]);
                let text = String::from_utf8_lossy(paste).into_owned();
                self.paste = None;
                self.asks_in_paste = false;
                if !std::mem::take(&mut self.drops_paste) {
                    events.push(InputEvent::Paste(text));
                }
                return escape + PASTE_END.len();
            }
            let mut stops = PASTE_END.starts_with(rest);
            if self.asks_in_paste && !stops {
                match step(rest) {
                    Decoded::Done(length, Some(InputEvent::Reply(reply))) if escape == 0 => {
                        // The last of the answers.
                        self.asks_in_paste = reply != Reply::DeviceAttributes;
                        events.push(InputEvent::Reply(reply));
                        return length;
                    }
                    Decoded::Done(_, Some(InputEvent::Reply(_))) | Decoded::Incomplete => {
                        stops = true;
                    }
                    _ => {}
                }
            }
            if stops {
                paste.extend_from_slice(&bytes[..escape]);
                return escape;
            }
            at = escape + 1;
        }
        paste.extend_from_slice(bytes);
        if self.drops_paste {
            paste.clear();
        }
        if paste.len() >= PASTE_BYTES {
            let tail = paste.split_off(whole_characters(paste));
            let piece = std::mem::replace(paste, tail);
            events.push(InputEvent::Paste(
                String::from_utf8_lossy(&piece).into_owned(),
            ));
        }
        bytes.len()
    }

    fn discard(&mut self, bytes: &[u8]) -> usize {
        match string_end(bytes) {
            Some((_, after)) => {
                self.discarding = false;
                after
            }
            // An Escape at the very end may be the first half of the terminator.
            None if bytes.ends_with(&[ESC]) => bytes.len() - 1,
            None => bytes.len(),
        }
    }
}

fn step(bytes: &[u8]) -> Decoded {
    match *bytes {
        [] => Decoded::Incomplete,
        [ESC, ref rest @ ..] => escape(rest),
        [byte, ..] if byte < 0x80 => Decoded::Done(1, Some(key(ascii(byte)))),
        _ => character(bytes),
    }
}

/// What follows an Escape.
fn escape(rest: &[u8]) -> Decoded {
    match *rest {
        // Escape Escape may begin a sequence with Alt (rxvt); else it is the key twice.
        [] | [ESC] => Decoded::Incomplete,
        [ESC, next, ..] if !matches!(next, b'[' | b'O') => {
            Decoded::Done(1, Some(key((KeyCode::Escape, Mods::NONE))))
        }
        [b'[', ref rest @ ..] => shifted(csi_at(rest), 2),
        [b'O', ref rest @ ..] => match rest.first() {
            None => Decoded::Incomplete,
            Some(&last) => Decoded::Done(3, ss3(last).map(|code| key((code, Mods::NONE)))),
        },
        [b']', ref rest @ ..] => string(rest, osc),
        [b'P' | b'_' | b'^' | b'X', ref rest @ ..] => string(rest, |_| None),
        _ => match step(rest) {
            Decoded::Done(length, event) => Decoded::Done(length + 1, event.map(with_alt)),
            Decoded::Paste(_) | Decoded::Discard => {
                Decoded::Done(1, Some(key((KeyCode::Escape, Mods::NONE))))
            }
            Decoded::Incomplete => Decoded::Incomplete,
        },
    }
}

fn shifted(step: Decoded, by: usize) -> Decoded {
    match step {
        Decoded::Done(length, event) => Decoded::Done(length + by, event),
        Decoded::Paste(length) => Decoded::Paste(length + by),
        other => other,
    }
}

/// A control sequence after `ESC [`.
fn csi_at(rest: &[u8]) -> Decoded {
    match *rest {
        // The Linux console's F1 to F5.
        [b'[', last, ..] => {
            let code = last
                .checked_sub(b'A')
                .filter(|n| *n < 5)
                .map(|n| KeyCode::F(n + 1));
            return Decoded::Done(2, code.map(|code| key((code, Mods::NONE))));
        }
        [b'[' | b'M'] | [b'M', _] | [b'M', _, _] => return Decoded::Incomplete,
        // X10 mouse, from terminals that do not know SGR.
        [b'M', button, x, y, ..] => {
            let place = |byte: u8| u16::from(byte.saturating_sub(32));
            let event = csi::mouse(
                u16::from(button.saturating_sub(32)),
                place(x),
                place(y),
                true,
            );
            return Decoded::Done(4, event);
        }
        _ => {}
    }
    let Some(length) = rest.iter().position(|byte| !(0x20..0x40).contains(byte)) else {
        return if rest.len() > SEQUENCE_BYTES {
            Decoded::Done(rest.len(), None)
        } else {
            Decoded::Incomplete
        };
    };
    let last = rest[length];
    if !(0x40..0x7f).contains(&last) {
        // Broken off by something else, which is then read on its own.
        return Decoded::Done(length, None);
    }
    let body = &rest[..length];
    if last == b'~' && body == b"200" {
        return Decoded::Paste(length + 1);
    }
    Decoded::Done(length + 1, csi::event(body, last))
}

/// A string sequence after its two-byte introducer.
fn string(rest: &[u8], meaning: fn(&[u8]) -> Option<InputEvent>) -> Decoded {
    match string_end(rest) {
        Some((end, after)) => Decoded::Done(after + 2, meaning(&rest[..end])),
        None if rest.len() > STRING_BYTES => Decoded::Discard,
        None => Decoded::Incomplete,
    }
}

/// Where a string ends and where its terminator (BEL, ST) ends.
fn string_end(bytes: &[u8]) -> Option<(usize, usize)> {
    bytes
        .iter()
        .enumerate()
        .find_map(|(at, byte)| match (byte, bytes.get(at + 1)) {
            (0x07, _) => Some((at, at + 1)),
            (&ESC, Some(b'\\')) => Some((at, at + 2)),
            _ => None,
        })
}

fn osc(content: &[u8]) -> Option<InputEvent> {
    let text = std::str::from_utf8(content).ok()?;
    let channels = text.strip_prefix("11;rgb:")?;
    let mut channels = channels.split('/').map(|hex| {
        let value = u16::from_str_radix(hex, 16).ok()?;
        Some(match hex.len() {
            1 => value * 0x1111,
            2 => value * 0x0101,
            3 => value << 4 | value >> 8,
            _ => value,
        })
    });
    let mut next = || channels.next().flatten();
    Some(InputEvent::Reply(Reply::Background(Background {
        red: next()?,
        green: next()?,
        blue: next()?,
    })))
}

fn character(bytes: &[u8]) -> Decoded {
    let length = match bytes[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Decoded::Done(1, None),
    };
    let have = bytes.len().min(length);
    match std::str::from_utf8(&bytes[..have]) {
        Ok(text) => Decoded::Done(
            length,
            text.chars()
                .next()
                .map(|c| key((KeyCode::Char(c), Mods::NONE))),
        ),
        Err(error) if error.error_len().is_none() => Decoded::Incomplete,
        Err(_) => Decoded::Done(1, None),
    }
}

fn key((code, mods): (KeyCode, Mods)) -> InputEvent {
    InputEvent::Key(KeyEvent::press(code, mods))
}

fn with_alt(event: InputEvent) -> InputEvent {
    match event {
        InputEvent::Key(key) => InputEvent::Key(KeyEvent {
            mods: key.mods.with(Mods::ALT),
            ..key
        }),
        other => other,
    }
}

fn ascii(byte: u8) -> (KeyCode, Mods) {
    let control = |offset: u8| (KeyCode::Char(char::from(byte + offset)), Mods::CTRL);
    match byte {
        0x00 => (KeyCode::Char(' '), Mods::CTRL),
        b'\t' => (KeyCode::Tab, Mods::NONE),
        b'\r' => (KeyCode::Enter, Mods::NONE),
        0x7f => (KeyCode::Backspace, Mods::NONE),
        0x01..=0x1a => control(b'a' - 1),
        0x1c..=0x1f => control(b'@'),
        _ => (KeyCode::Char(char::from(byte)), Mods::NONE),
    }
}

fn ss3(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'R' => KeyCode::F(3),
        b'S' => KeyCode::F(4),
        b'M' => KeyCode::Keypad(KeypadKey::Enter),
        b'X' => KeyCode::Keypad(KeypadKey::Equal),
        b'j' => KeyCode::Keypad(KeypadKey::Multiply),
        b'k' => KeyCode::Keypad(KeypadKey::Add),
        b'l' => KeyCode::Keypad(KeypadKey::Separator),
        b'm' => KeyCode::Keypad(KeypadKey::Subtract),
        b'n' => KeyCode::Keypad(KeypadKey::Decimal),
        b'o' => KeyCode::Keypad(KeypadKey::Divide),
        b'p'..=b'y' => KeyCode::Keypad(KeypadKey::Digit(last - b'p')),
        _ => return csi::letter_key(last),
    })
}

#[cfg(test)]
mod tests;
