//! What the outer terminal is told beside frames: clipboard, bell, notifications.

use std::fmt::Write as _;

use crossterm::clipboard::CopyToClipboard;
use crossterm::queue;

/// A longer text than this is not put on the clipboard: terminals cut OSC 52 short, and it would be sent whole.
const CLIPBOARD_BYTES: usize = 1 << 20;
/// A notification is a line.
const NOTIFICATION_CHARS: usize = 200;

/// What goes out with the next frame; the newest of each kind, so that it cannot grow.
#[derive(Debug, Default)]
pub struct OutOfBand {
    clipboard: Option<String>,
    notification: Option<String>,
    bell: bool,
}

impl OutOfBand {
    /// Sets the clipboard (OSC 52); false if the text is too long.
    pub fn set_clipboard(&mut self, text: String) -> bool {
        let fits = text.len() <= CLIPBOARD_BYTES;
        if fits {
            self.clipboard = Some(text);
        }
        fits
    }

    pub fn ring(&mut self) {
        self.bell = true;
    }

    pub fn notify(&mut self, text: &str) {
        self.notification = Some(text.to_owned());
    }

    pub fn is_empty(&self) -> bool {
        self.clipboard.is_none() && self.notification.is_none() && !self.bell
    }

    /// Appends what is waiting.
    pub fn drain(&mut self, out: &mut Vec<u8>) {
        if let Some(text) = self.clipboard.take() {
            // Writing to memory does not fail.
            let _ = queue!(out, CopyToClipboard::to_clipboard_from(text));
        }
        if let Some(text) = self.notification.take() {
            let clean: String = text
                .chars()
                .filter(|c| !c.is_control())
                .take(NOTIFICATION_CHARS)
                .collect();
            // A number at the start would be read as another command of OSC 9.
            let guard = if clean.starts_with(|c: char| c.is_ascii_digit()) {
                " "
            } else {
                ""
            };
            let mut sequence = String::new();
            let _ = write!(sequence, "\x1b]9;{guard}{clean}\x1b\\");
            out.extend_from_slice(sequence.as_bytes());
        }
        if std::mem::take(&mut self.bell) {
            out.push(0x07);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clipboard_is_sent_as_base64() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out_of_band = OutOfBand::default();
            assert!(out_of_band.set_clipboard(text.to_owned()));
            let mut out = Vec::new();
            out_of_band.drain(&mut out);
            assert_eq!(out, format!("\x1b]52;c;{expected}\x1b\\").into_bytes());
        }
    }

    #[test]
    fn a_notification_has_no_control_characters_and_no_command_number() {
        let mut out_of_band = OutOfBand::default();
        out_of_band.notify("4;1;\x1b]0;evil\x07");
        out_of_band.ring();
        let mut out = Vec::new();
        out_of_band.drain(&mut out);
        assert_eq!(out, b"\x1b]9; 4;1;]0;evil\x1b\\\x07");
        assert!(out_of_band.is_empty());
    }
}
