//! Rows of the outer screen from chrome and pane rows.

use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::style::{Color as ChromeColor, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use crate::domain::layout::Rect;
use crate::domain::screen::{Attrs, Cell, CellExtra, Color, Row, Underline};

/// Marks a cell of the chrome that a pane shows through; a bit no rendition uses.
const HOLE: Attrs = Attrs::from_bits(1 << 15);

pub(super) fn blank_row(cols: u16) -> Row {
    Row {
        cells: vec![Cell::default(); usize::from(cols)],
        ..Row::default()
    }
}

/// Marks an area of the chrome as a hole that a pane shows through.
pub fn cut_hole(buffer: &mut Buffer, rect: Rect) {
    let area = ratatui::layout::Rect::new(rect.x, rect.y, rect.width, rect.height)
        .intersection(buffer.area);
    for position in area.positions() {
        if let Some(cell) = buffer.cell_mut(position) {
            cell.reset();
            cell.set_diff_option(CellDiffOption::Skip);
        }
    }
}

pub(super) fn chrome_row(buffer: &Buffer, y: u16) -> Row {
    let mut row = blank_row(buffer.area.width);
    let mut tail = false;
    for (x, cell) in row.cells.iter_mut().enumerate() {
        let Some(source) = u16::try_from(x).ok().and_then(|x| buffer.cell((x, y))) else {
            continue;
        };
        if matches!(source.diff_option, CellDiffOption::Skip) {
            *cell = Cell {
                attrs: HOLE,
                ..Cell::default()
            };
            tail = false;
            continue;
        }
        let attrs = attrs_of(source.modifier);
        let mut next = Cell {
            ch: ' ',
            fg: color_of(source.fg),
            bg: color_of(source.bg),
            attrs,
            extra: 0,
        };
        if std::mem::take(&mut tail) {
            next.ch = '\0';
            next.attrs = attrs.with(Attrs::WIDE_TAIL);
        } else {
            let symbol = source.symbol();
            let mut chars = symbol.chars();
            next.ch = chars.next().unwrap_or(' ');
            if chars.next().is_some() && row.extras.len() < usize::from(u16::MAX) {
                row.extras.push(CellExtra {
                    cluster: Some(symbol.into()),
                    ..CellExtra::default()
                });
                next.extra = u16::try_from(row.extras.len()).unwrap_or(0);
            }
            if symbol.width() == 2 {
                next.attrs = attrs.with(Attrs::WIDE);
                tail = true;
            }
        }
        *cell = next;
    }
    row
}

/// Puts a pane's row into the holes of a screen row; None for a row that is not known (yet).
pub(super) fn place_row(screen: &mut Row, row: Option<&Row>, rect: Rect, reverse: bool) {
    let start = usize::from(rect.x).min(screen.cells.len());
    let end = usize::from(rect.right()).min(screen.cells.len());
    for index in 0..end - start {
        let Some(target) = screen.cells.get_mut(start + index) else {
            return;
        };
        if !target.attrs.contains(HOLE) {
            continue;
        }
        let mut cell = row
            .and_then(|row| row.cells.get(index).copied())
            .unwrap_or_default();
        if cell.extra != 0 {
            let extra = row.and_then(|row| row.extra(&cell)).cloned();
            cell.extra = 0;
            if let Some(extra) = extra {
                screen.extras.push(extra);
                cell.extra = u16::try_from(screen.extras.len()).unwrap_or(0);
            }
        }
        if reverse {
            cell.attrs = if cell.attrs.contains(Attrs::INVERSE) {
                cell.attrs.without(Attrs::INVERSE)
            } else {
                cell.attrs.with(Attrs::INVERSE)
            };
        }
        *target = cell;
    }
}

/// Lays a style over some columns of a pane's row.
pub(super) fn apply_span(screen: &mut Row, rect: Rect, cols: (u16, u16), style: Style) {
    let start = usize::from(rect.x.saturating_add(cols.0));
    let end = usize::from(rect.x.saturating_add(cols.1).min(rect.right()));
    let Some(cells) = screen.cells.get_mut(start..end.max(start)) else {
        return;
    };
    for cell in cells {
        if let Some(fg) = style.fg {
            cell.fg = color_of(fg);
        }
        if let Some(bg) = style.bg {
            cell.bg = color_of(bg);
        }
        if style.bg.is_some() {
            cell.attrs = cell.attrs.without(Attrs::INVERSE);
        }
        let more = attrs_of(style.add_modifier);
        if more.underline() != Underline::None {
            cell.attrs = cell.attrs.with_underline(more.underline());
        }
        cell.attrs = cell
            .attrs
            .with(more.with_underline(Underline::None))
            .without(attrs_of(style.sub_modifier).with_underline(Underline::None));
    }
}

/// Takes out what cannot be shown: halves of wide characters whose other half is covered, and control characters.
pub(super) fn settle(row: &mut Row) {
    let mut expects_tail = false;
    for x in 0..row.cells.len() {
        let next_is_tail = row
            .cells
            .get(x + 1)
            .is_some_and(|next| next.attrs.contains(Attrs::WIDE_TAIL));
        let Some(cell) = row.cells.get_mut(x) else {
            return;
        };
        cell.attrs = cell.attrs.without(HOLE);
        let tail = cell.attrs.contains(Attrs::WIDE_TAIL);
        let wide = cell.attrs.contains(Attrs::WIDE);
        if tail != expects_tail
            || (wide && !next_is_tail)
            || cell.ch.is_control() && cell.ch != '\0'
        {
            cell.ch = ' ';
            cell.extra = 0;
            cell.attrs = cell.attrs.without(Attrs::WIDE).without(Attrs::WIDE_TAIL);
            expects_tail = false;
        } else {
            expects_tail = wide;
        }
    }
}

fn color_of(color: ChromeColor) -> Color {
    match color {
        ChromeColor::Reset => Color::DEFAULT,
        ChromeColor::Black => Color::indexed(0),
        ChromeColor::Red => Color::indexed(1),
        ChromeColor::Green => Color::indexed(2),
        ChromeColor::Yellow => Color::indexed(3),
        ChromeColor::Blue => Color::indexed(4),
        ChromeColor::Magenta => Color::indexed(5),
        ChromeColor::Cyan => Color::indexed(6),
        ChromeColor::Gray => Color::indexed(7),
        ChromeColor::DarkGray => Color::indexed(8),
        ChromeColor::LightRed => Color::indexed(9),
        ChromeColor::LightGreen => Color::indexed(10),
        ChromeColor::LightYellow => Color::indexed(11),
        ChromeColor::LightBlue => Color::indexed(12),
        ChromeColor::LightMagenta => Color::indexed(13),
        ChromeColor::LightCyan => Color::indexed(14),
        ChromeColor::White => Color::indexed(15),
        ChromeColor::Rgb(red, green, blue) => Color::rgb(red, green, blue),
        ChromeColor::Indexed(index) => Color::indexed(index),
    }
}

fn attrs_of(modifier: Modifier) -> Attrs {
    let attrs = [
        (Modifier::BOLD, Attrs::BOLD),
        (Modifier::DIM, Attrs::DIM),
        (Modifier::ITALIC, Attrs::ITALIC),
        (Modifier::REVERSED, Attrs::INVERSE),
        (Modifier::CROSSED_OUT, Attrs::STRIKE),
        (Modifier::HIDDEN, Attrs::HIDDEN),
        (Modifier::SLOW_BLINK, Attrs::BLINK),
    ]
    .into_iter()
    .filter(|(modifier_flag, _)| modifier.contains(*modifier_flag))
    .fold(Attrs::NONE, |attrs, (_, more)| attrs.with(more));
    if modifier.contains(Modifier::UNDERLINED) {
        attrs.with_underline(Underline::Single)
    } else {
        attrs
    }
}
