//! Builds rows of cells.

use std::sync::Arc;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::Style;
use super::style_table::{into_grid, is_mark};
use crate::domain::screen::{Attrs, Cell, CellExtra, Color, Row};

/// Longest text of one cell in bytes; combining characters that come when it is reached are dropped. Far above what any
/// language writes, and a bound for what only piles up marks.
pub(super) const CLUSTER_LIMIT: usize = 256;

/// Longest text that a cell of the grid holds beside a mark, in bytes: the crate takes no more than 18. Longer ones stand in
/// the table of styles.
pub(super) const GRID_CLUSTER_LIMIT: usize = 14;

/// Columns that a character takes, as the grid counts it: 0 to 2. `None` for one that is dropped: a control character,
/// or one that marks styles in the grid.
pub(super) fn char_width(c: char) -> Option<u16> {
    match c.width() {
        // xterm, tmux and the C library give the soft hyphen a column of its own.
        Some(0) if c == '\u{ad}' => Some(1),
        None => (u32::from(c) >= 256).then_some(1),
        Some(0) => (!is_mark(c)).then_some(0),
        Some(1) => Some(1),
        Some(_) => Some(2),
    }
}

/// Whether a cell with this text is two columns wide: by its first character, or because VS16 makes it an emoji.
pub(super) fn cluster_is_wide(cluster: &str) -> bool {
    let first = cluster.chars().next().and_then(char_width);
    first == Some(2) || (cluster.contains('\u{fe0f}') && cluster.width() > 1)
}

/// What the grid holds in place of a cluster that is too long for it: enough to be as wide.
pub(super) fn shortened(cluster: &str) -> String {
    let mut chars = cluster.chars();
    let mut text: String = chars.next().map(into_grid).into_iter().collect();
    if chars.any(|c| c == '\u{fe0f}') {
        text.push('\u{fe0f}');
    }
    text
}

/// What one cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Blank,
    Char(char),
    Cluster(&'a str),
}

/// Appends a cell (and its tail, where it is wide) to a row.
pub(super) fn push_cell(row: &mut Row, content: Content<'_>, wide: bool, style: &Style) {
    let (ch, cluster) = match content {
        Content::Blank => ('\0', None),
        Content::Char(c) => (c, None),
        Content::Cluster(text) => (text.chars().next().unwrap_or('\0'), Some(text)),
    };
    let cell = Cell {
        ch,
        fg: style.fg,
        bg: style.bg,
        attrs: if wide {
            style.attrs.with(Attrs::WIDE)
        } else {
            style.attrs
        },
        extra: extra_index(row, cluster, style),
    };
    row.cells.push(cell);
    if wide {
        let extra = if cluster.is_some() {
            extra_index(row, None, style)
        } else {
            cell.extra
        };
        row.cells.push(Cell {
            ch: '\0',
            attrs: style.attrs.with(Attrs::WIDE_TAIL),
            extra,
            ..cell
        });
    }
}

/// The number for [`Cell::extra`]; neighbours with the same link and underline share one.
fn extra_index(row: &mut Row, cluster: Option<&str>, style: &Style) -> u16 {
    if cluster.is_none() && style.link.is_none() && style.underline_color == Color::DEFAULT {
        return 0;
    }
    let shared = row.extras.last().is_some_and(|last| {
        last.cluster.is_none()
            && cluster.is_none()
            && last.underline_color == style.underline_color
            && same_link(last.link.as_ref(), style.link.as_ref())
    });
    if !shared {
        row.extras.push(CellExtra {
            cluster: cluster.map(Box::from),
            underline_color: style.underline_color,
            link: style.link.clone(),
        });
    }
    u16::try_from(row.extras.len()).unwrap_or(0)
}

fn same_link(left: Option<&Arc<str>>, right: Option<&Arc<str>>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => Arc::ptr_eq(left, right) || left == right,
        _ => false,
    }
}

/// The style of a cell of a row.
pub(super) fn style_of(row: &Row, cell: &Cell) -> Style {
    let extra = row.extra(cell);
    Style {
        fg: cell.fg,
        bg: cell.bg,
        attrs: cell.attrs.without(Attrs::WIDE.with(Attrs::WIDE_TAIL)),
        underline_color: extra.map_or(Color::DEFAULT, |extra| extra.underline_color),
        link: extra.and_then(|extra| extra.link.clone()),
    }
}

pub(super) fn content_of<'a>(row: &'a Row, cell: &Cell) -> Content<'a> {
    match row.extra(cell).and_then(|extra| extra.cluster.as_deref()) {
        Some(cluster) => Content::Cluster(cluster),
        None if cell.ch == '\0' => Content::Blank,
        None => Content::Char(cell.ch),
    }
}
