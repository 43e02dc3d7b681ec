//! Prints rows of cells from the top of an empty screen down.

use std::sync::Arc;

use super::super::cells::style_of;
use super::super::style::Style;
use super::pen::{push, write_link, write_style};
use crate::domain::screen::{Attrs, Cell, Color, Row};
use crate::domain::size::Size;

/// Prints rows as a program would, scrolling those off that do not fit; leaves the pen at its default.
pub(super) fn print_rows(rows: &[Arc<Row>], size: Size, out: &mut Vec<u8>) {
    let cols = usize::from(size.cols());
    let mut style = Style::default();
    let mut joined = false;
    for (index, row) in rows.iter().enumerate() {
        if index > 0 && !joined {
            // A line that scrolls in takes the pen's background.
            set_style(&mut style, &Style::default(), out);
            out.extend_from_slice(b"\r\n");
        }
        print_row(row, cols, joined, &mut style, out);
        joined = rows
            .get(index + 1)
            .is_some_and(|next| goes_on(row, next, cols));
    }
    set_style(&mut style, &Style::default(), out);
}

/// Whether printing on from a row's end comes out at the start of the next one as a wrapped line.
fn goes_on(row: &Row, next: &Row, cols: usize) -> bool {
    let Some(first) = next.cells.first() else {
        return false;
    };
    if !row.wrapped || first.ch == '\0' {
        return false;
    }
    // A wide character that had no room in the last column leaves it blank: in some terminals in the pen's background.
    match row.cells.get(cols - 1) {
        Some(last) if last.ch != '\0' || last.attrs.contains(Attrs::WIDE_TAIL) => true,
        _ => {
            first.attrs.contains(Attrs::WIDE)
                && first.bg == Color::DEFAULT
                && before_last_is_text(row, cols)
        }
    }
}

fn before_last_is_text(row: &Row, cols: usize) -> bool {
    let before = cols.checked_sub(2).and_then(|col| row.cells.get(col));
    before.is_some_and(|cell| cell.ch != '\0' || cell.attrs.contains(Attrs::WIDE_TAIL))
        && row
            .cells
            .get(cols - 1)
            .is_none_or(|last| last.bg == Color::DEFAULT)
}

fn print_row(row: &Row, cols: usize, joined: bool, style: &mut Style, out: &mut Vec<u8>) {
    let mut col = 0;
    while let Some(cell) = row.cells.get(col).filter(|_| col < cols) {
        if cell.ch == '\0' {
            let run = blank_run(row, col, cell.bg);
            let to_end = col + run >= cols.min(row.cells.len());
            print_blanks(run, cell.bg, to_end, style, out);
            col += run;
            continue;
        }
        set_style(style, &style_of(row, cell), out);
        push_text(row, cell, out);
        let width = if cell.attrs.contains(Attrs::WIDE) {
            2
        } else {
            1
        };
        col += width;
        if joined && col == width && cell.bg != Color::DEFAULT && col < cols {
            // The line that scrolled in with this character took its background.
            set_style(style, &Style::default(), out);
            out.extend_from_slice(b"\x1b[K");
        }
        if is_measured_differently(row, cell) && col < cols {
            push(out, format_args!("\x1b[{}G", col + 1));
        }
    }
}

/// The cells from `col` on that are blank in one colour.
fn blank_run(row: &Row, col: usize, bg: Color) -> usize {
    row.cells
        .iter()
        .skip(col)
        .take_while(|cell| cell.ch == '\0' && cell.bg == bg)
        .count()
        .max(1)
}

fn print_blanks(run: usize, bg: Color, to_end: bool, style: &mut Style, out: &mut Vec<u8>) {
    if bg != Color::DEFAULT {
        set_style(style, &Style::background(bg), out);
        push(out, format_args!("\x1b[{run}X"));
    }
    if !to_end {
        push(out, format_args!("\x1b[{run}C"));
    }
}

/// Prints one cell in its own look, whatever the pen was.
pub(super) fn print_cell(row: &Row, cell: &Cell, out: &mut Vec<u8>) {
    let style = style_of(row, cell);
    write_style(&style, out);
    write_link(style.link.as_deref(), out);
    push_text(row, cell, out);
}

fn push_text(row: &Row, cell: &Cell, out: &mut Vec<u8>) {
    let cluster = row.extra(cell).and_then(|extra| extra.cluster.as_deref());
    let c = if cell.ch == '\0' { ' ' } else { cell.ch };
    let mut encoded = [0; 4];
    let text = cluster.unwrap_or(c.encode_utf8(&mut encoded));
    out.extend_from_slice(text.as_bytes());
}

/// Emoji and clusters: where tables of widths differ.
fn is_measured_differently(row: &Row, cell: &Cell) -> bool {
    cell.ch >= '\u{1f000}'
        || ('\u{2190}'..='\u{2bff}').contains(&cell.ch)
        || row.extra(cell).is_some_and(|extra| extra.cluster.is_some())
}

fn set_style(now: &mut Style, wanted: &Style, out: &mut Vec<u8>) {
    if now == wanted {
        return;
    }
    if now.link != wanted.link {
        write_link(wanted.link.as_deref(), out);
    }
    let only_link = Style {
        link: wanted.link.clone(),
        ..now.clone()
    };
    if only_link != *wanted {
        write_style(wanted, out);
    }
    now.clone_from(wanted);
}
