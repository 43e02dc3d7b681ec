//! Texts of others' making, made fit to be kept: no keys, no control characters, no end without bounds.

use crate::domain::printable::blanked;

/// The longest text that is kept, in characters.
const LONGEST: usize = 1000;
/// What keys of the providers begin with.
const PREFIXES: [&str; 8] = ["sk-", "sk_", "rk-", "pk-", "ghp_", "xoxb-", "AIza", "eyJ"];
/// A word that begins like a key and is shorter is none.
const SHORTEST_KEY: usize = 12;
const IN_PLACE: &str = "[key]";

/// The text without what looks like a key, without control characters, and cut where it is endless.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(LONGEST));
    let mut rest = text;
    while let Some(start) = rest.find(is_of_key) {
        let (before, word_on) = rest.split_at(start);
        let end = word_on.find(|c| !is_of_key(c)).unwrap_or(word_on.len());
        let (word, after) = word_on.split_at(end);
        clean.push_str(before);
        clean.push_str(if is_key(word) { IN_PLACE } else { word });
        rest = after;
    }
    clean.push_str(rest);
    let mut short: String = blanked(&clean).take(LONGEST).collect();
    if clean.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

const fn is_of_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '.')
}

fn is_key(word: &str) -> bool {
    word.len() >= SHORTEST_KEY && PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_providers_words_is_left_out() {
        assert_eq!(
            clean("Incorrect API key provided: sk-proj-abcdefghijk. Look it up."),
            "Incorrect API key provided: [key] Look it up."
        );
        assert_eq!(clean("sk-ip this"), "sk-ip this");
        assert_eq!(clean("über sk-0123456789ab\u{1b}[31m"), "über [key] [31m");
    }

    #[test]
    fn an_endless_text_is_cut() {
        let text = "é".repeat(LONGEST + 1);
        assert_eq!(clean(&text).chars().count(), LONGEST + 1);
        assert!(clean(&text).ends_with('…'));
    }
}
