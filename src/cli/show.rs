//! How facts are shown to people.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::api::shapes::ExitShape;
use crate::config::show_duration;
use crate::domain::printable::printable;

/// A cell that gives up columns keeps so many.
pub const LEAST_CELL: usize = 8;

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

/// As [`table`], within a terminal's columns: what is too wide is taken from the cells of `giving`, the first of them first,
/// and what is still too wide is cut. Without columns nothing is.
pub fn table_within(rows: &[Vec<String>], columns: Option<usize>, giving: &[usize]) -> Vec<String> {
    let Some(columns) = columns else {
        return table(rows);
    };
    let mut rows = rows.to_vec();
    for column in giving {
        let widest = |rows: &[Vec<String>]| table(rows).iter().map(|line| line.width()).max();
        let excess = widest(&rows).unwrap_or(0).saturating_sub(columns);
        let cells = rows.iter().filter_map(|row| row.get(*column));
        let width = cells.map(|cell| cell.width()).max().unwrap_or(0);
        if excess == 0 || width <= LEAST_CELL {
            continue;
        }
        let width = width.saturating_sub(excess).max(LEAST_CELL);
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(*column)) {
            *cell = cut(&printable(cell), width);
        }
    }
    table(&rows).iter().map(|line| cut(line, columns)).collect()
}

/// Names and what they are, one below the other; what a terminal has no room for goes on below its own beginning.
pub fn facts(rows: &[Vec<String>], columns: Option<usize>) -> Vec<String> {
    let names = rows.iter().filter_map(|row| row.first());
    let indent = names.map(|name| name.width()).max().unwrap_or(0) + 2;
    let room = columns.map(|columns| columns.saturating_sub(indent));
    let Some(room) = room.filter(|room| *room >= LEAST_CELL) else {
        return table(rows);
    };
    let mut broken = Vec::new();
    for row in rows {
        let [name, value] = row.as_slice() else {
            broken.push(row.clone());
            continue;
        };
        let mut name = name.clone();
        for part in lines_within(&printable(value), room) {
            broken.push(vec![std::mem::take(&mut name), part]);
        }
    }
    table(&broken)
}

/// A text's words in lines of so many columns; a word that is longer is broken.
pub fn lines_within(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut width = 0;
    for word in text.split(' ') {
        if width > 0 && width + 1 + word.width() <= columns {
            if let Some(line) = lines.last_mut() {
                line.push(' ');
                line.push_str(word);
            }
            width += 1 + word.width();
            continue;
        }
        if width > 0 {
            lines.push(String::new());
            width = 0;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if width + wide > columns {
                lines.push(String::new());
                width = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            width += wide;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_its_long_names_before_its_numbers() {
        let row = |name: &str| vec![name.to_owned(), "12".to_owned(), "$1.00".to_owned()];
        assert_eq!(
            table_within(&[row("a-name-that-is-long"), row("short")], Some(24), &[0]),
            ["a-name-that-…  12  $1.00", "short          12  $1.00"]
        );
        let wide = table_within(&[row("a-name-that-is-long")], None, &[0]);
        assert_eq!(wide, ["a-name-that-is-long  12  $1.00"]);
        let narrow = table_within(&[row("a-name-that-is-long")], Some(12), &[0]);
        assert_eq!(narrow, ["a-name-…  1…"]);
    }

    #[test]
    fn a_long_fact_goes_on_below_its_beginning() {
        let row = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
        assert_eq!(
            facts(
                &[row("dolt", "backoff: nobody is there"), row("a", "b")],
                Some(20)
            ),
            [
                "dolt  backoff:",
                "      nobody is",
                "      there",
                "a     b"
            ]
        );
        assert_eq!(
            facts(&[row("path", "/0123456789/01234")], Some(16)),
            ["path  /012345678", "      9/01234"]
        );
    }

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
