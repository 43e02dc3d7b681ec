//! Looking for text in rows: searches, and waits for a pattern to appear.

use std::sync::Arc;

use regex::Regex;
use unicode_width::UnicodeWidthStr;

use super::query::{Capture, Direction, Match, Search};
use crate::domain::screen::{Attrs, Row};

/// Whether `pattern` matches the rows' text, as shown (a line per row) or with wrapped rows joined to one line.
pub(super) fn matches(pattern: &Regex, rows: &[Arc<Row>]) -> bool {
    let shown = text_of(rows, false);
    if pattern.is_match(&shown) {
        return true;
    }
    rows.iter().any(|row| row.wrapped) && pattern.is_match(&text_of(rows, true))
}

/// History and screen as text: what was wrapped is one line again, and blank lines at the end are left out.
#[must_use]
pub fn capture_text(capture: &Capture) -> String {
    text_of(capture.scrollback.iter().chain(&capture.screen.rows), true)
}

fn text_of<'r>(rows: impl IntoIterator<Item = &'r Arc<Row>>, join_wrapped: bool) -> String {
    let mut text = String::new();
    for row in rows {
        if join_wrapped && row.wrapped {
            for cell in &row.cells {
                row.push_cell_text(cell, &mut text);
            }
        } else {
            text.push_str(&row.text());
            text.push('\n');
        }
    }
    // No line break after the last row, so that `$` and `\z` mean its end.
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// The nearest hit in one row, strictly beyond the search's start.
pub(super) fn search_row(search: &Search, number: u64, row: &Row) -> Option<Match> {
    let text = row.text();
    let from = (number == search.from.0).then_some(search.from.1);
    let hits = search
        .pattern
        .find_iter(&text)
        .filter(|hit| !hit.is_empty())
        .map(|hit| Match {
            row: number,
            cols: (
                column(row, &text, hit.start()),
                column(row, &text, hit.end()),
            ),
        });
    match search.direction {
        Direction::Down => hits
            .into_iter()
            .find(|hit| from.is_none_or(|from| hit.cols.0 > from)),
        Direction::Up => hits
            .filter(|hit| from.is_none_or(|from| hit.cols.0 < from))
            .last(),
    }
}

/// The column in which the character at byte `offset` of the row's text stands.
fn column(row: &Row, text: &str, offset: usize) -> u16 {
    let mut seen = 0;
    let mut cell_text = String::new();
    for (col, cell) in row.cells.iter().enumerate() {
        if cell.attrs.contains(Attrs::WIDE_TAIL) {
            continue;
        }
        if seen >= offset {
            return u16::try_from(col).unwrap_or(u16::MAX);
        }
        cell_text.clear();
        row.push_cell_text(cell, &mut cell_text);
        seen += cell_text.len();
    }
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::screen::Cell;

    fn row(text: &str, wrapped: bool) -> Arc<Row> {
        let cells = text
            .chars()
            .map(|ch| Cell {
                ch,
                ..Cell::default()
            })
            .collect();
        Arc::new(Row {
            cells,
            wrapped,
            ..Row::default()
        })
    }

    #[test]
    fn a_pattern_across_a_wrap_is_found() {
        let rows = [row("hello wo", true), row("rld", false)];
        assert!(matches(&Regex::new("world").unwrap(), &rows));
        assert!(matches(&Regex::new("hello wo").unwrap(), &rows));
    }

    #[test]
    fn the_next_hit_lies_strictly_beyond_the_start() {
        let search = |from, direction| Search {
            pattern: Regex::new("ab").unwrap(),
            from: (7, from),
            direction,
        };
        let row = row("ab ab ab", false);
        let down = search_row(&search(0, Direction::Down), 7, &row);
        assert_eq!(
            down,
            Some(Match {
                row: 7,
                cols: (3, 5)
            })
        );
        let up = search_row(&search(6, Direction::Up), 7, &row);
        assert_eq!(
            up,
            Some(Match {
                row: 7,
                cols: (3, 5)
            })
        );
        assert_eq!(search_row(&search(6, Direction::Down), 7, &row), None);
    }
}
