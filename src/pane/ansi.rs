//! Rows as text with SGR sequences alone, for captures.

use super::color_parameter::ColorParameter;
use crate::domain::screen::{Attrs, Cell, Color, Row, Underline};

/// Writes a row with SGR sequences alone, as `tmux capture-pane -e` gives it.
///
/// Each line stands for itself: it begins and ends in the default rendition. Trailing blanks are left out but for those
/// that show a colour or an attribute.
pub fn row_to_ansi(row: &Row) -> String {
    let used = row
        .cells
        .iter()
        .rposition(|cell| !is_unseen(row, cell))
        .map_or(0, |last| last + 1);
    let mut text = String::with_capacity(used);
    let mut pen = Pen::default();
    for cell in row
        .cells
        .iter()
        .take(used)
        .filter(|cell| !cell.attrs.contains(Attrs::WIDE_TAIL))
    {
        let wanted = Pen::of(row, cell);
        wanted.write(pen, &mut text);
        pen = wanted;
        row.push_cell_text(cell, &mut text);
    }
    Pen::default().write(pen, &mut text);
    text
}

/// Whether nothing is seen of a cell: no text, no colour behind it, no line through, under or over it.
fn is_unseen(row: &Row, cell: &Cell) -> bool {
    let shown = [Attrs::INVERSE, Attrs::STRIKE, Attrs::OVERLINE];
    matches!(cell.ch, '\0' | ' ')
        && !cell.attrs.contains(Attrs::WIDE_TAIL)
        && cell.bg == Color::DEFAULT
        && cell.attrs.underline() == Underline::None
        && !shown.iter().any(|attr| cell.attrs.contains(*attr))
        && row.extra(cell).is_none_or(|extra| extra.cluster.is_none())
}

/// The rendition of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Pen {
    fg: Color,
    bg: Color,
    attrs: Attrs,
    underline_color: Color,
}

impl Pen {
    fn of(row: &Row, cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            attrs: cell.attrs.without(Attrs::WIDE.with(Attrs::WIDE_TAIL)),
            underline_color: row
                .extra(cell)
                .map_or(Color::DEFAULT, |extra| extra.underline_color),
        }
    }

    /// Writes what leads from the rendition `from` to this one.
    fn write(self, from: Self, text: &mut String) {
        if self == from {
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        let mut from = from;
        let lost = from
            .attrs
            .without(self.attrs)
            .with_underline(Underline::None);
        let underline_lost =
            from.attrs.underline() != Underline::None && self.attrs.underline() == Underline::None;
        if lost != Attrs::NONE || underline_lost || self == Self::default() {
            from = Self::default();
            codes.push("0".to_owned());
        }
        for (attr, code) in Attrs::RENDITION {
            if self.attrs.contains(attr) && !from.attrs.contains(attr) {
                codes.push(code.to_string());
            }
        }
        if self.attrs.underline() != from.attrs.underline() {
            codes.push(match self.attrs.underline() {
                Underline::Single => "4".to_owned(),
                style => format!("4:{}", style as u16),
            });
        }
        if self.fg != from.fg {
            codes.push(ColorParameter(self.fg, 30).to_string());
        }
        if self.bg != from.bg {
            codes.push(ColorParameter(self.bg, 40).to_string());
        }
        if self.underline_color != from.underline_color {
            codes.push(ColorParameter(self.underline_color, 50).to_string());
        }
        text.push_str("\x1b[");
        text.push_str(&codes.join(";"));
        text.push('m');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(ch: char) -> Cell {
        Cell {
            ch,
            ..Cell::default()
        }
    }

    fn row(cells: Vec<Cell>) -> Row {
        Row {
            cells,
            ..Row::default()
        }
    }

    #[test]
    fn a_plain_row_is_its_text_without_trailing_blanks() {
        assert_eq!(
            row_to_ansi(&row(vec![
                cell('a'),
                cell('\0'),
                cell('b'),
                cell(' '),
                cell('\0')
            ])),
            "a b"
        );
    }

    #[test]
    fn each_line_ends_in_the_default_rendition() {
        let red = Cell {
            fg: Color::indexed(1),
            attrs: Attrs::BOLD,
            ..cell('x')
        };
        assert_eq!(
            row_to_ansi(&row(vec![red, cell('y'), red])),
            "\x1b[1;31mx\x1b[0my\x1b[1;31mx\x1b[0m"
        );
    }

    #[test]
    fn trailing_blanks_stay_where_they_show_a_colour_or_an_attribute() {
        let blue = Cell {
            bg: Color::rgb(1, 2, 3),
            ..cell('\0')
        };
        let red_text = Cell {
            fg: Color::indexed(1),
            ..cell(' ')
        };
        let underlined = Cell {
            attrs: Attrs::NONE.with_underline(Underline::Single),
            ..cell(' ')
        };
        let row = row(vec![
            cell('a'),
            blue,
            red_text,
            underlined,
            red_text,
            cell('\0'),
        ]);
        assert_eq!(
            row_to_ansi(&row),
            "a\x1b[48;2;1;2;3m \x1b[31;49m \x1b[4;39m \x1b[0m"
        );
        assert_eq!(row.text(), "a");
    }

    #[test]
    fn underline_styles_change_without_a_reset() {
        let single = Cell {
            attrs: Attrs::NONE.with_underline(Underline::Single),
            ..cell('a')
        };
        let curly = Cell {
            attrs: Attrs::NONE.with_underline(Underline::Curly),
            ..cell('b')
        };
        assert_eq!(
            row_to_ansi(&row(vec![single, curly])),
            "\x1b[4ma\x1b[4:3mb\x1b[0m"
        );
    }
}
