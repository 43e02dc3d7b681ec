//! Text of a server that nobody vouches for, on its way to this terminal.

/// The longest text that is shown, in characters: more is no message.
const MAX_SHOWN: usize = 500;

/// The text without control characters and those that turn its direction, cut where it is too long.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MAX_SHOWN {
            shown.push('…');
            break;
        }
        let turns = matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        if character.is_control() || turns {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_taken_for_a_command() {
        let given = "a\u{1b}]52;c;ZXZpbA==\u{7}b\u{9b}2J\u{202e}c\n";
        let shown = printable(given);
        assert_eq!(shown, "a\\u{1b}]52;c;ZXZpbA==\\u{7}b\\u{9b}2J\\u{202e}c\\n");
        assert_eq!(
            printable(&"x".repeat(100_000)).chars().count(),
            MAX_SHOWN + 1
        );
    }
}
