//! How facts are shown to people.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::api::shapes::ExitShape;
use crate::config::show_duration;
use crate::domain::printable::printable;

/// The time since a moment, in its largest unit: `5s`, `3m`, `2h`, `9d`.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_second() - since.as_second()).unwrap_or(0);
    let unit = [86_400, 3600, 60].into_iter().find(|unit| seconds >= *unit);
    let whole = unit.map_or(seconds, |unit| seconds - seconds % unit);
    show_duration(Duration::from_secs(whole))
}

/// A command as a shell would take it, near enough to be read.
pub fn command(words: &[String]) -> String {
    let word = |word: &String| {
        if word.is_empty() || word.contains(char::is_whitespace) {
            format!("'{word}'")
        } else {
            word.clone()
        }
    };
    printable(&words.iter().map(word).collect::<Vec<_>>().join(" ")).into_owned()
}

/// A status, and for one that has ended how it did.
pub fn status(status: &str, exit: Option<ExitShape>) -> String {
    match exit {
        Some(ExitShape {
            code: Some(code), ..
        }) => format!("{status} (exit {code})"),
        Some(ExitShape {
            signal: Some(signal),
            ..
        }) => format!("{status} (signal {signal})"),
        _ => status.to_owned(),
    }
}

/// Cuts a text to some columns, with a mark where it was cut.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        if width >= columns {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

/// Rows in aligned columns, two spaces apart, without trailing blanks, each cell printable.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let mut printed: Vec<Vec<Cow<'_, str>>> = Vec::new();
    for row in rows {
        printed.push(row.iter().map(|cell| printable(cell)).collect());
    }
    let rows = printed;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<Cow<'_, str>>| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.width() + 2));
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            table(&[row("name", "x"), row("日本", "y"), row("a", "")]),
            ["name  x", "日本  y", "a"]
        );
    }

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let after = |seconds| {
            age(
                start,
                Timestamp::from_second(start.as_second() + seconds).unwrap(),
            )
        };
        assert_eq!(after(0), "0s");
        assert_eq!(after(59), "59s");
        assert_eq!(after(119), "1m");
        assert_eq!(after(7300), "2h");
        assert_eq!(after(9 * 86_400 + 5), "9d");
        assert_eq!(after(-5), "0s");
    }

    #[test]
    fn long_and_hostile_texts_are_tamed() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
