//! Rows of cells as text: where it ends, what words it has, and in which columns a pattern matches.

use std::ops::Range;

use regex::Regex;
use unicode_width::UnicodeWidthChar;

use crate::domain::screen::{Attrs, Row};

/// The kind of character in a column; a word is a run of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    Word,
    Other,
}

/// One more than the last column that has text.
pub(super) fn text_end(row: &Row) -> u16 {
    let blank = |col: &usize| !is_text(row, *col);
    let cols = row.cells.len();
    let end = cols - (0..cols).rev().take_while(blank).count();
    u16::try_from(end).unwrap_or(u16::MAX)
}

fn is_text(row: &Row, col: usize) -> bool {
    row.cells.get(col).is_some_and(|cell| {
        cell.attrs.contains(Attrs::WIDE_TAIL)
            || !matches!(cell.ch, '\0' | ' ')
            || cell.extra != 0 && row.extra(cell).is_some_and(|extra| extra.cluster.is_some())
    })
}

/// The column of the character that covers a column: the left one of a wide character.
pub(super) fn head(row: &Row, col: u16) -> u16 {
    let is_tail = row
        .cells
        .get(usize::from(col))
        .is_some_and(|cell| cell.attrs.contains(Attrs::WIDE_TAIL));
    if is_tail { col.saturating_sub(1) } else { col }
}

/// One more than the last column of the character that covers a column.
pub(super) fn tail_end(row: &Row, col: u16) -> u16 {
    let is_wide = row
        .cells
        .get(usize::from(col))
        .is_some_and(|cell| cell.attrs.contains(Attrs::WIDE));
    col.saturating_add(if is_wide { 2 } else { 1 })
}

pub(super) fn kind_at(row: &Row, col: u16) -> Kind {
    let cell = row.cells.get(usize::from(head(row, col)));
    match cell.map_or('\0', |cell| cell.ch) {
        '\0' => Kind::Blank,
        c if c.is_whitespace() => Kind::Blank,
        c if c.is_alphanumeric() || c == '_' => Kind::Word,
        _ => Kind::Other,
    }
}

/// The columns of what a double click selects: a word, a path or an address; None on a blank.
pub(super) fn clicked_word(row: &Row, col: u16) -> Option<Range<u16>> {
    let belongs = |col: u16| {
        let cell = row.cells.get(usize::from(head(row, col)));
        cell.is_some_and(|cell| cell.ch.is_alphanumeric() || "@-./_~?&=%+#:".contains(cell.ch))
    };
    if kind_at(row, col) == Kind::Blank {
        return None;
    }
    if !belongs(col) {
        return Some(head(row, col)..tail_end(row, head(row, col)));
    }
    let start = (0..=col).rev().take_while(|col| belongs(*col)).last()?;
    let end = (col..text_end(row))
        .take_while(|col| belongs(*col))
        .last()?;
    Some(start..end.saturating_add(1))
}

/// The text of some columns; blanks beyond the row's text count only in a row that goes on in the next.
pub(super) fn slice(row: &Row, cols: Range<u16>) -> String {
    let end = if row.wrapped {
        cols.end
    } else {
        cols.end.min(text_end(row))
    };
    let mut text = String::new();
    let cells = row.cells.iter().take(usize::from(end));
    for cell in cells.skip(usize::from(cols.start)) {
        row.push_cell_text(cell, &mut text);
    }
    text
}

/// The columns in which a pattern matches in one row; matches of nothing are left out.
pub(super) fn find_all(row: &Row, pattern: &Regex) -> Vec<(u16, u16)> {
    let mut text = String::new();
    let mut starts = Vec::new();
    for (col, cell) in row.cells.iter().enumerate() {
        if !cell.attrs.contains(Attrs::WIDE_TAIL) {
            starts.push((text.len(), u16::try_from(col).unwrap_or(u16::MAX)));
            row.push_cell_text(cell, &mut text);
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    let column = |offset: usize| match starts.binary_search_by_key(&offset, |(start, _)| *start) {
        Ok(index) => starts.get(index).map(|(_, col)| *col),
        // Within a cluster: the column of its cell.
        Err(index) => starts.get(index.wrapping_sub(1)).map(|(_, col)| *col),
    };
    let end_column = |offset: usize| {
        let last = text.get(..offset)?.chars().next_back()?;
        let at = column(offset - last.len_utf8())?;
        let width = last.width().unwrap_or(1).max(1);
        Some(at.saturating_add(u16::try_from(width).unwrap_or(1)))
    };
    pattern
        .find_iter(&text)
        .filter(|found| !found.is_empty())
        .filter_map(|found| Some((column(found.start())?, end_column(found.end())?)))
        .collect()
}
