//! A line of text being typed.

use unicode_segmentation::UnicodeSegmentation;

use crate::domain::input::{KeyCode, KeyEvent, Mods};

/// Longer input is cut: a name or a query is short.
const MAX_BYTES: usize = 1024;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    text: String,
    /// Byte offset on a grapheme boundary.
    cursor: usize,
}

impl Prompt {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            cursor: text.len(),
        }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// Puts text in; line ends become spaces, other control characters are left out.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text
            .chars()
            .map(|c| {
                if matches!(c, '\n' | '\r' | '\t') {
                    ' '
                } else {
                    c
                }
            })
            .filter(|c| !c.is_control())
            .collect();
        if self.text.len() + clean.len() <= MAX_BYTES {
            self.text.insert_str(self.cursor, &clean);
            self.cursor += clean.len();
        }
    }

    /// Edits as a shell's line editor does; false if the key means nothing here.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let key = key.as_chord();
        let ctrl = key.mods.contains(Mods::CTRL);
        let alt = key.mods.contains(Mods::ALT);
        match key.code {
            KeyCode::Char(c) if !ctrl && !alt => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Keypad(crate::domain::input::KeypadKey::Digit(digit)) => {
                self.insert(&digit.to_string());
            }
            KeyCode::Left => self.cursor = self.previous(),
            KeyCode::Right => self.cursor = self.next(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Char('a') if ctrl => self.cursor = 0,
            KeyCode::Char('e') if ctrl => self.cursor = self.text.len(),
            KeyCode::Backspace if ctrl || alt => self.delete(self.word_start()..self.cursor),
            KeyCode::Char('w') if ctrl => self.delete(self.word_start()..self.cursor),
            KeyCode::Backspace => self.delete(self.previous()..self.cursor),
            KeyCode::Char('h') if ctrl => self.delete(self.previous()..self.cursor),
            KeyCode::Delete => self.delete(self.cursor..self.next()),
            KeyCode::Char('u') if ctrl => self.delete(0..self.cursor),
            KeyCode::Char('k') if ctrl => self.delete(self.cursor..self.text.len()),
            _ => return false,
        }
        true
    }

    fn delete(&mut self, range: std::ops::Range<usize>) {
        self.cursor = range.start;
        self.text.replace_range(range, "");
    }

    fn previous(&self) -> usize {
        self.before_cursor()
            .grapheme_indices(true)
            .next_back()
            .map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let after = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor + after.graphemes(true).next().map_or(0, str::len)
    }

    fn word_start(&self) -> usize {
        let before = self.before_cursor().trim_end();
        before.rfind(' ').map_or(0, |space| space + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing_keeps_graphemes_whole() {
        let mut prompt = Prompt::new("ab ");
        prompt.insert("e\u{301}x");
        let key = |code| KeyEvent::press(code, Mods::NONE);
        assert!(prompt.key(&key(KeyCode::Left)));
        assert!(prompt.key(&key(KeyCode::Backspace)));
        assert_eq!(prompt.text(), "ab x");
        assert!(prompt.key(&KeyEvent::press(KeyCode::Char('w'), Mods::CTRL)));
        assert_eq!((prompt.text(), prompt.before_cursor()), ("x", ""));
        assert!(!prompt.key(&key(KeyCode::F(1))));
    }
}
