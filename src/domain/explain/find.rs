//! Finds the explanation of what a user or a program has in hand.

use super::entry::Explanation;
use super::index;
use crate::domain::nearest::nearest;

/// A single word of fewer characters stands in too many texts to be one of ours.
const LEAST_LITERAL: usize = 5;
/// The lowest HTTP status that is an error; smaller numbers are exit codes.
const FIRST_STATUS: u16 = 400;

/// Words that stand before a code.
const BEFORE_CODES: [&str; 6] = ["status", "exit", "code", "close", "closed", "error"];
/// Words of the longest reason that stands behind an HTTP status (RFC 9110, section 15).
const MOST_REASON: usize = 4;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    One(&'static Explanation),
    /// Nothing, but a name that is spelled nearly so.
    Near(&'static str),
    Nothing,
}

/// Finds by name, by code, by the text that was told, or by a line that holds it.
#[must_use]
pub fn find(given: &str) -> Found {
    let given = given.trim();
    let found = by_name(given)
        .or_else(|| by_code(given))
        .or_else(|| by_text(given))
        .or_else(|| by_worded_code(given));
    if let Some(found) = found {
        return Found::One(found);
    }
    let names: Vec<&str> = index().map(|entry| entry.name).collect();
    nearest(given, &names).map_or(Found::Nothing, Found::Near)
}

/// By name, whatever the case; of a path such as `PtyError::AtCapacity` the last part is enough.
#[must_use]
pub fn by_name(given: &str) -> Option<&'static Explanation> {
    let whole = plain(given);
    let last = plain(given.rsplit("::").next().unwrap_or(given));
    if last.is_empty() {
        return None;
    }
    let named = |name: &str| plain(name) == whole || plain(name) == last;
    index()
        .find(|entry| named(entry.name))
        .or_else(|| index().find(|entry| entry.aliases.iter().any(|alias| named(alias))))
}

/// By a code of ours, an HTTP status or an exit code. Where several have it, the one that it is called after, else the first.
#[must_use]
pub fn by_code(given: &str) -> Option<&'static Explanation> {
    let code = given.to_ascii_lowercase();
    let code = code.strip_prefix("http ").unwrap_or(&code);
    let exit = code.strip_prefix("exit ").unwrap_or(code);
    let wanted = match exit.parse::<u16>() {
        Ok(number) if number < FIRST_STATUS => match number {
            0 => return None,
            1..=128 => format!("exit {number}"),
            _ => "exit 128+n".to_owned(),
        },
        _ => code.to_owned(),
    };
    index().find(|entry| entry.codes.contains(&wanted.as_str()))
}

/// By a number with the words that are told beside it: `410 Gone`, `HTTP/1.1 503 Service Unavailable`, `exit status 3`,
/// `close code 4000`.
fn by_worded_code(given: &str) -> Option<&'static Explanation> {
    let words: Vec<String> = given.split_whitespace().map(str::to_lowercase).collect();
    let is_before =
        |word: &&String| word.starts_with("http") || BEFORE_CODES.contains(&word.as_str());
    let before: Vec<&String> = words.iter().take_while(is_before).collect();
    let (number, rest) = words.get(before.len()..)?.split_first()?;
    let is_reason = rest.len() <= MOST_REASON
        && rest
            .iter()
            .all(|word| word.chars().all(|c| c.is_alphabetic() || c == '-'));
    let is_number = number.chars().all(|c| c.is_ascii_digit());
    if !is_number || !is_reason || before.len() + rest.len() == 0 {
        return None;
    }
    let is_exit = before.iter().any(|word| *word == "exit");
    let prefix = if is_exit { "exit " } else { "" };
    by_code(&format!("{prefix}{number}"))
}

/// By a text with its variable parts filled in, which may stand inside a longer line; the beginning of one is enough where it
/// is all that is given.
#[must_use]
pub fn by_text(given: &str) -> Option<&'static Explanation> {
    let line = folded(given);
    let matching = |entry: &'static Explanation| {
        let found = entry.texts.iter().filter_map(|text| within(text, &line));
        Some((found.min()?, entry))
    };
    let found = index()
        .filter_map(matching)
        .min_by_key(|(matched, _)| *matched);
    found.map(|(_, entry)| entry).or_else(|| beginning(&line))
}

/// Where a text stands in a line and how much of it is certain: the earlier and the longer the better, so that an error that
/// quotes another one is not taken for the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    start: usize,
    /// Characters that are not of the variable parts, negated so that more is less.
    missing: std::cmp::Reverse<usize>,
}

fn within(text: &str, line: &str) -> Option<Match> {
    let text = folded(text);
    let literals: Vec<&str> = literals(&text).collect();
    let length: usize = literals.iter().map(|part| part.trim().len()).sum();
    if length < LEAST_LITERAL {
        return None;
    }
    if !text.contains(' ') {
        // A word stands in many lines that mean something else.
        return (text == line).then_some(Match {
            start: 0,
            missing: std::cmp::Reverse(length),
        });
    }
    let mut start = None;
    let mut from = 0;
    for literal in literals {
        let rest = line.get(from..)?;
        let at = match start {
            None => from + word_start(rest, literal)?,
            Some(_) => from + rest.find(literal)?,
        };
        start.get_or_insert(at);
        from = at + literal.len();
    }
    Some(Match {
        start: start?,
        missing: std::cmp::Reverse(length),
    })
}

/// Where a literal begins a word, or begins with what is none.
fn word_start(line: &str, literal: &str) -> Option<usize> {
    let begins_word = literal.starts_with(char::is_alphanumeric);
    line.match_indices(literal).map(|(at, _)| at).find(|at| {
        let before = line
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        !begins_word || before.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// The parts of a text that are always the same; what is left of white space at its end is no part of it.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('<')
        .enumerate()
        .map(|(index, part)| {
            let literal = part.split_once('>').map_or(part, |(_, literal)| literal);
            if index == 0 { part } else { literal }
        })
        .filter(|literal| !literal.trim().is_empty())
}

/// The entry whose text begins as the line does, where the line has enough of it.
fn beginning(line: &str) -> Option<&'static Explanation> {
    let line = line.trim_end_matches([' ', ':', '.']);
    if line.len() < LEAST_LITERAL || !line.contains(' ') {
        return None;
    }
    index().find(|entry| {
        entry
            .texts
            .iter()
            .any(|text| folded(text).starts_with(line))
    })
}

/// A text without regard to case, to how a terminal broke its line, and to the dashes and quotes that a keyboard has not.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.to_lowercase().split_whitespace() {
        folded.push_str(if folded.is_empty() { "" } else { " " });
        match word {
            "–" | "—" | "−" | "--" => folded.push('-'),
            word => folded.push_str(word),
        }
    }
    // What stands before a variable part keeps the space that separates it.
    folded.push_str(if text.ends_with(char::is_whitespace) {
        " "
    } else {
        ""
    });
    folded.replace(['–', '—'], "-").replace(['‘', '’'], "'")
}

/// A name in letters and digits alone.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
