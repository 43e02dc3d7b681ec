//! Writes rows of cells into the grid, as a program would have printed them.

use super::cells::{Content, GRID_CLUSTER_LIMIT, content_of, shortened, style_of};
use super::grid::Grid;
use super::sgr::split;
use super::style_table::{ExtraStyle, into_grid};
use crate::domain::screen::{Attrs, Cell, Color, Row};

/// Writes a row where the grid has a blank one. Leaves the cursor behind the row's last text, or where it was.
pub(super) fn write(grid: &mut Grid, row: u16, cells: &Row) {
    let mut text = Vec::new();
    let mut placed = false;
    let mut last: Option<Cell> = None;
    let mut mark = None;
    let cols = grid.size().cols();
    for (col, cell) in (0..cols).zip(&cells.cells) {
        if cell.attrs.contains(Attrs::WIDE_TAIL) {
            continue;
        }
        let content = content_of(cells, cell);
        if !last.as_ref().is_some_and(|last| looks_alike(last, cell)) {
            flush(grid, row, &mut text);
            let (sgr, extra) = split(&style_of(cells, cell), false);
            mark = with_long(extra, content).and_then(|extra| grid.mark(&extra));
            grid.set_sgr(sgr);
        }
        let cut = cell.attrs.contains(Attrs::WIDE) && col + 1 >= cols;
        if content == Content::Blank || cut {
            flush(grid, row, &mut text);
            if cell.bg != Color::DEFAULT {
                grid.erase(row, col, col + 1, cell.bg);
            }
            last = None;
            placed = false;
            continue;
        }
        last = Some(*cell);
        if !placed {
            grid.go_to(row, col);
            placed = true;
        }
        push_content(&mut text, content);
        if let Some(mark) = mark {
            push_char(&mut text, mark);
        }
    }
    flush(grid, row, &mut text);
    grid.set_wrapped(row, cells.wrapped);
}

/// Puts what has been collected.
fn flush(grid: &mut Grid, row: u16, text: &mut Vec<u8>) {
    if !text.is_empty() {
        grid.put(text, row);
        text.clear();
    }
}

/// The extra style of a cell whose text may be too long for the grid.
fn with_long(extra: Option<ExtraStyle>, content: Content<'_>) -> Option<ExtraStyle> {
    match content {
        Content::Cluster(cluster) if cluster.len() > GRID_CLUSTER_LIMIT => Some(ExtraStyle {
            cluster: Some(cluster.into()),
            ..extra.unwrap_or_default()
        }),
        _ => extra,
    }
}

fn looks_alike(left: &Cell, right: &Cell) -> bool {
    left.extra == 0
        && right.extra == 0
        && left.fg == right.fg
        && left.bg == right.bg
        && left.attrs.without(Attrs::WIDE) == right.attrs.without(Attrs::WIDE)
}

fn push_content(text: &mut Vec<u8>, content: Content<'_>) {
    match content {
        Content::Blank => {}
        Content::Char(c) => push_char(text, into_grid(c)),
        Content::Cluster(cluster) if cluster.len() > GRID_CLUSTER_LIMIT => {
            text.extend_from_slice(shortened(cluster).as_bytes());
        }
        Content::Cluster(cluster) => {
            let mut chars = cluster.chars();
            if let Some(first) = chars.next() {
                push_char(text, into_grid(first));
            }
            text.extend_from_slice(chars.as_str().as_bytes());
        }
    }
}

fn push_char(text: &mut Vec<u8>, c: char) {
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
