//! Text of somebody else made fit for a terminal, a log line or a label: whatever would be taken for a command, a line of its
//! own or another direction of writing is written as an escape, or blanked where only the words count.

use std::borrow::Cow;

/// Escapes every control character, line ends and tabs too.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// As [`printable`], but line ends and tabs stay.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

/// As [`printable`], of at most `most` characters of the text, with a mark where it was cut.
#[must_use]
pub fn printable_start(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => printable(text.get(..end).unwrap_or_default()).into_owned() + "…",
        None => printable(text).into_owned(),
    }
}

/// The text's characters with a blank for each that would be obeyed: one line of words, as long as it was.
pub fn blanked(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if is_disruptive(c) { ' ' } else { c })
}

/// Whether a terminal, or the eye, is led astray by it: C0, DEL and C1 (ECMA-48), line and paragraph separators, what
/// turns the direction of writing (UAX #9), and marks that nobody sees (the byte order mark, interlinear annotations).
#[must_use]
pub fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |c: char| is_disruptive(c) && !stays(c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !is_escaped(c) => escaped.push(c),
            '\n' | '\r' | '\t' => escaped.extend(c.escape_default()),
            c => escaped.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert!(matches!(printable("plain, ünd 日本"), Cow::Borrowed(_)));
        assert_eq!(printable("a\x1b[31mb\r\n\tc"), "a\\u{1b}[31mb\\r\\n\\tc");
        assert_eq!(printable("\u{9b}2J\u{7f}\u{0}"), "\\u{9b}2J\\u{7f}\\u{0}");
        assert_eq!(printable("\u{202e}gpj\u{2028}"), "\\u{202e}gpj\\u{2028}");
        assert_eq!(printable_lines("a\n\tb\x07\r"), "a\n\tb\\u{7}\\r");
    }

    #[test]
    fn what_cannot_be_seen_or_turns_the_direction_is_disruptive_and_its_neighbours_are_not() {
        let ranges = [
            ('\u{61c}', '\u{61c}'),
            ('\u{200e}', '\u{200f}'),
            ('\u{2028}', '\u{202e}'),
            ('\u{2066}', '\u{2069}'),
            ('\u{feff}', '\u{feff}'),
            ('\u{fff9}', '\u{fffb}'),
        ];
        let disruptive: Vec<char> = ('\u{a0}'..='\u{ffff}')
            .filter(|c| is_disruptive(*c))
            .collect();
        let expected: Vec<char> = ranges
            .into_iter()
            .flat_map(|(first, last)| first..=last)
            .collect();
        assert_eq!(disruptive, expected);
    }

    #[test]
    fn the_start_of_a_long_text_has_a_mark_where_it_was_cut() {
        assert_eq!(printable_start("日本語", 3), "日本語");
        assert_eq!(printable_start("日本語", 2), "日本…");
        assert_eq!(printable_start("a\x07bc", 2), "a\\u{7}…");
        assert_eq!(printable_start("", 0), "");
    }

    #[test]
    fn blanked_text_is_one_line_of_the_same_words() {
        let text: String = blanked("a\x1b[0m\nb\u{202e}c ü").collect();
        assert_eq!(text, "a [0m b c ü");
    }
}
