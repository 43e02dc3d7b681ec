//! What the outer terminal is told beside frames: clipboard, bell, notifications.

use std::fmt::Write as _;

use crossterm::clipboard::CopyToClipboard;
use crossterm::queue;

use crate::config::OscKind;

/// A longer text than this is not put on the clipboard: terminals cut OSC 52 short, and it would be sent whole.
const CLIPBOARD_BYTES: usize = 1 << 20;
/// A notification is a line.
const NOTIFICATION_CHARS: usize = 200;

/// What goes out with the next frame; the newest of each kind, so that it cannot grow.
#[derive(Debug, Default)]
pub struct OutOfBand {
    clipboard: Option<String>,
    notification: Option<(String, OscKind)>,
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

    /// Has the terminal show a notification, by the sequence that it takes; nothing where it takes none.
    pub fn notify(&mut self, text: &str, kind: Option<OscKind>) {
        self.notification = kind.map(|kind| (text.to_owned(), kind));
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
        if let Some((text, kind)) = self.notification.take() {
            let clean: String = text
                .chars()
                .filter(|c| !c.is_control())
                .take(NOTIFICATION_CHARS)
                .collect();
            let before = match kind {
                // A number at the start would be read as another command of OSC 9.
                OscKind::Osc9 if clean.starts_with(|c: char| c.is_ascii_digit()) => "9; ",
                OscKind::Osc9 => "9;",
                // https://sw.kovidgoyal.net/kitty/desktop-notifications/
                OscKind::Osc99 => "99;;",
                OscKind::Osc777 => "777;notify;tundra;",
            };
            let mut sequence = String::new();
            let _ = write!(sequence, "\x1b]{before}{clean}\x1b\\");
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
        out_of_band.notify("4;1;\x1b]0;evil\x07", Some(OscKind::Osc9));
        out_of_band.ring();
        let mut out = Vec::new();
        out_of_band.drain(&mut out);
        assert_eq!(out, b"\x1b]9; 4;1;]0;evil\x1b\\\x07");
        assert!(out_of_band.is_empty());
        for (kind, expected) in [
            (OscKind::Osc9, "\x1b]9;done\x1b\\"),
            (OscKind::Osc99, "\x1b]99;;done\x1b\\"),
            (OscKind::Osc777, "\x1b]777;notify;tundra;done\x1b\\"),
        ] {
            out_of_band.notify("done", Some(kind));
            out.clear();
            out_of_band.drain(&mut out);
            assert_eq!(out, expected.as_bytes());
        }
        out_of_band.notify("done", None);
        assert!(out_of_band.is_empty());
    }
}
