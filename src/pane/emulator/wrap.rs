//! Wraps lines of cells at a width: from the rows that a line had at another one to those that it has now.

use std::collections::VecDeque;

use super::row_map::{Breaks, MovedLine, RowMap};
use crate::domain::screen::{Attrs, Cell, CellExtra, Row};

/// A line at a width.
#[derive(Debug, Default)]
pub(super) struct Wrapped {
    pub rows: Vec<Row>,
    /// The column of the line at which each row begins.
    pub breaks: Vec<u32>,
    /// Columns of the whole line.
    pub len: u32,
}

/// The columns of a row up to the last one that holds text: what lies beyond is blank, if coloured.
pub(super) fn text_cols(row: &Row) -> u16 {
    let last = row.cells.iter().rposition(is_text);
    last.map_or(0, |last| u16::try_from(last + 1).unwrap_or(u16::MAX))
}

/// The columns that a row which goes on in `next` takes of its line, where it is `cols` wide: a wide character that had no
/// room in the last column has left it blank.
pub(super) fn joined_cols(row: &Row, cols: u16, next: &Row) -> u16 {
    let last = usize::from(cols.saturating_sub(1));
    let is_blank = row.cells.get(last).is_none_or(|cell| !is_text(cell));
    let is_wide = |cell: &Cell| cell.attrs.contains(Attrs::WIDE);
    if is_blank && next.cells.first().is_some_and(is_wide) {
        cols.saturating_sub(1)
    } else {
        cols
    }
}

/// Wraps a line. Each of its rows comes with the columns that it takes; the last one's blanks beyond them are kept as far as
/// they have room.
pub(super) fn wrap(line: &[(Row, u16)], cols: u16) -> Wrapped {
    let mut wrapper = Wrapper {
        cols: usize::from(cols),
        wrapped: Wrapped::default(),
        row: Row::default(),
    };
    wrapper.wrapped.breaks.push(0);
    for (row, taken) in line {
        wrapper.push(row, usize::from(*taken));
    }
    if let Some((last, taken)) = line.last() {
        wrapper.push_blanks(last, usize::from(*taken));
    }
    let Wrapper {
        mut wrapped, row, ..
    } = wrapper;
    wrapped.rows.push(row);
    wrapped
}

/// Wraps rows of the old width, the first of which has the absolute number `old`, and notes where they went: from `new` on.
pub(super) fn wrap_rows(source: &[Row], old: u64, new: u64, map: &mut RowMap) -> VecDeque<Row> {
    let mut rows: VecDeque<Row> = VecDeque::new();
    let mut at = old;
    for line in source.chunk_by(|row, _| row.wrapped) {
        let mut taken: Vec<(Row, u16)> = Vec::with_capacity(line.len());
        for (index, row) in line.iter().enumerate() {
            let cols = match line.get(index + 1) {
                Some(next) => joined_cols(row, map.old_cols, next),
                None => text_cols(row),
            };
            taken.push((row.clone(), cols));
        }
        let wrapped = wrap(&taken, map.new_cols);
        let mut begin = 0;
        let breaks = taken.iter().map(|(_, cols)| {
            let this = begin;
            begin += u32::from(*cols);
            this
        });
        map.lines.push(MovedLine {
            old: at,
            old_rows: u32::try_from(line.len()).unwrap_or(u32::MAX),
            new: new + rows.len() as u64,
            new_rows: u32::try_from(wrapped.rows.len()).unwrap_or(u32::MAX),
            len: wrapped.len,
            breaks: Some(Box::new(Breaks {
                old: breaks.collect(),
                new: wrapped.breaks,
            })),
        });
        at += line.len() as u64;
        rows.extend(wrapped.rows);
    }
    rows
}

fn is_text(cell: &Cell) -> bool {
    cell.ch != '\0' || cell.attrs.contains(Attrs::WIDE_TAIL)
}

struct Wrapper {
    cols: usize,
    wrapped: Wrapped,
    row: Row,
}

impl Wrapper {
    /// Adds the first `taken` columns of a row.
    fn push(&mut self, source: &Row, taken: usize) {
        let mut extras = Extras::default();
        let mut col = 0;
        while col < taken {
            let mut cell = source.cells.get(col).copied().unwrap_or_default();
            let is_wide = cell.attrs.contains(Attrs::WIDE);
            let width = if is_wide { 2 } else { 1 };
            if self.row.cells.len() + width > self.cols {
                self.break_row(is_wide);
            }
            if self.row.cells.is_empty() && !self.wrapped.rows.is_empty() {
                fill(&mut cell);
            }
            cell.extra = extras.take(source, &cell, &mut self.row);
            self.row.cells.push(cell);
            if is_wide {
                let mut tail = source.cells.get(col + 1).copied().unwrap_or_default();
                tail.extra = extras.take(source, &tail, &mut self.row);
                self.row.cells.push(tail);
            }
            self.wrapped.len += if is_wide { 2 } else { 1 };
            col += width;
        }
    }

    /// Adds the blanks from a column on to the row that is being made, as far as they have room.
    fn push_blanks(&mut self, source: &Row, from: usize) {
        let room = self.cols.saturating_sub(self.row.cells.len());
        let blanks = source.cells.iter().skip(from).take(room);
        self.row.cells.extend(blanks.filter(|cell| cell.extra == 0));
    }

    /// Ends a row that goes on in the next.
    fn break_row(&mut self, for_wide: bool) {
        let mut row = std::mem::take(&mut self.row);
        let is_full = row.cells.len() >= self.cols;
        row.cells.resize(self.cols, Cell::default());
        if let Some(last) = row.cells.last_mut().filter(|_| is_full || !for_wide) {
            fill(last);
        }
        row.wrapped = true;
        self.wrapped.rows.push(row);
        self.wrapped.breaks.push(self.wrapped.len);
    }
}

/// Both ends of a join are text, so that it stays one whatever terminal prints it.
fn fill(cell: &mut Cell) {
    if !is_text(cell) {
        cell.ch = ' ';
    }
}

/// Takes what few cells have along from one row to another.
#[derive(Default)]
struct Extras {
    /// The number in the source that was taken last, and the one that it has got.
    last: Option<(u16, u16)>,
}

impl Extras {
    fn take(&mut self, source: &Row, cell: &Cell, row: &mut Row) -> u16 {
        let Some(extra) = source.extra(cell) else {
            return 0;
        };
        if let Some((_, number)) = self.last.filter(|(from, number)| {
            *from == cell.extra && usize::from(*number) == row.extras.len()
        }) {
            return number;
        }
        row.extras.push(CellExtra::clone(extra));
        let number = u16::try_from(row.extras.len()).unwrap_or(0);
        self.last = Some((cell.extra, number));
        number
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::screen::Color;

    fn row(text: &str) -> Row {
        let mut row = Row::default();
        for ch in text.chars() {
            let cell = Cell {
                ch: if ch == '_' { '\0' } else { ch },
                ..Cell::default()
            };
            if ch == '語' {
                row.cells.push(Cell {
                    attrs: Attrs::WIDE,
                    ..cell
                });
                row.cells.push(Cell {
                    attrs: Attrs::WIDE_TAIL,
                    ..Cell::default()
                });
            } else {
                row.cells.push(cell);
            }
        }
        row
    }

    fn texts(wrapped: &Wrapped) -> Vec<String> {
        wrapped.rows.iter().map(Row::text).collect()
    }

    #[test]
    fn a_line_is_cut_at_the_width_and_says_so() {
        let wrapped = wrap(&[(row("abcdefgh"), 8)], 3);
        assert_eq!(texts(&wrapped), ["abc", "def", "gh"]);
        let flags: Vec<bool> = wrapped.rows.iter().map(|row| row.wrapped).collect();
        assert_eq!(flags, [true, true, false]);
        assert_eq!((wrapped.breaks, wrapped.len), (vec![0, 3, 6], 8));
    }

    #[test]
    fn a_wide_character_is_never_cut() {
        let wrapped = wrap(&[(row("ab語cd"), 6)], 3);
        assert_eq!(texts(&wrapped), ["ab", "語c", "d"]);
        let [first, second, _] = wrapped.rows.try_into().unwrap();
        assert_eq!(joined_cols(&first, 3, &second), 2);
    }

    #[test]
    fn coloured_blanks_behind_the_text_make_no_row_of_their_own() {
        let mut coloured = row("ab____");
        for cell in &mut coloured.cells[2..] {
            cell.bg = Color::indexed(1);
        }
        let wrapped = wrap(&[(coloured, 2)], 4);
        assert_eq!(wrapped.rows.len(), 1);
        assert_eq!(wrapped.rows[0].cells.len(), 4);
        assert_eq!(wrapped.rows[0].cells[3].bg, Color::indexed(1));
    }

    #[test]
    fn an_empty_line_is_one_row() {
        assert_eq!(wrap(&[(Row::default(), 0)], 5).rows.len(), 1);
    }

    proptest! {
        #[test]
        fn another_width_and_back_gives_the_same_rows(
            text in "[a-z語 ]{0,60}",
            first in 2u16..20,
            second in 2u16..20,
        ) {
            let whole = row(&text);
            let line = [(whole.clone(), text_cols(&whole))];
            let once = wrap(&line, first);
            let again = |wrapped: &Wrapped, from: u16, to: u16| {
                let rows = &wrapped.rows;
                let line: Vec<(Row, u16)> = rows
                    .iter()
                    .enumerate()
                    .map(|(index, row)| match rows.get(index + 1) {
                        Some(next) => (row.clone(), joined_cols(row, from, next)),
                        None => (row.clone(), text_cols(row)),
                    })
                    .collect();
                wrap(&line, to)
            };
            let back = again(&again(&once, first, second), second, first);
            prop_assert_eq!(&back.rows, &once.rows);
            prop_assert_eq!(back.len, once.len);
            let joined: String = back.rows.iter().map(|row| {
                let mut text = String::new();
                for cell in row.cells.iter().filter(|cell| is_text(cell)) {
                    row.push_cell_text(cell, &mut text);
                }
                text
            }).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
