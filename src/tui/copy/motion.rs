//! Word motions over rows: `w`, `b` and `e` as in vi, across rows.

use super::rows::Rows;
use super::text::{Kind, kind_at, text_end};

/// A place in history and screen: absolute row, column from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) row: u64,
    pub(super) col: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The first character of the next word.
    Next,
    /// The first character of this word, or of the one before.
    Back,
    /// The last character of this word, or of the next one.
    End,
}

/// Where a word motion leads. Rows that are not here yet end the way.
pub(super) fn word(rows: &Rows, from: Place, motion: Word) -> Place {
    let walk = Walk { rows };
    match motion {
        Word::Next => {
            let start = walk.run_end(from, Walk::next);
            let after = walk.next(start).map(|(place, _)| place);
            after.map_or(start, |place| walk.skip_blanks(place, Walk::next))
        }
        Word::End => {
            let Some((next, _)) = walk.next(from) else {
                return from;
            };
            walk.run_end(walk.skip_blanks(next, Walk::next), Walk::next)
        }
        Word::Back => {
            let Some((before, _)) = walk.previous(from) else {
                return from;
            };
            walk.run_end(walk.skip_blanks(before, Walk::previous), Walk::previous)
        }
    }
}

struct Walk<'a> {
    rows: &'a Rows,
}

/// One step to a neighbouring column, and whether the text is unbroken there; None where the rows end.
type Step<'a> = fn(&Walk<'a>, Place) -> Option<(Place, bool)>;

impl<'a> Walk<'a> {
    fn kind(&self, place: Place) -> Kind {
        self.rows
            .get(place.row)
            .map_or(Kind::Blank, |row| kind_at(row, place.col))
    }

    fn next(&self, place: Place) -> Option<(Place, bool)> {
        let row = self.rows.get(place.row)?;
        let end = if row.wrapped {
            u16::try_from(row.cells.len()).unwrap_or(u16::MAX)
        } else {
            text_end(row)
        };
        if place.col.saturating_add(1) < end {
            let col = place.col + 1;
            return Some((Place { col, ..place }, true));
        }
        let below = Place {
            row: place.row.checked_add(1)?,
            col: 0,
        };
        self.rows.get(below.row)?;
        Some((below, row.wrapped))
    }

    fn previous(&self, place: Place) -> Option<(Place, bool)> {
        if let Some(col) = place.col.checked_sub(1) {
            return Some((Place { col, ..place }, true));
        }
        let above = place.row.checked_sub(1)?;
        let row = self.rows.get(above)?;
        let end = if row.wrapped {
            u16::try_from(row.cells.len()).unwrap_or(u16::MAX)
        } else {
            text_end(row)
        };
        let place = Place {
            row: above,
            col: end.saturating_sub(1),
        };
        Some((place, row.wrapped))
    }

    /// The last place of the run of one kind that a place is in; a blank is its own.
    fn run_end(&self, from: Place, step: Step<'a>) -> Place {
        let kind = self.kind(from);
        let mut place = from;
        while kind != Kind::Blank
            && let Some((next, true)) = step(self, place)
            && self.kind(next) == kind
        {
            place = next;
        }
        place
    }

    /// The first place from here on that is no blank, or the last one there is.
    fn skip_blanks(&self, from: Place, step: Step<'a>) -> Place {
        let mut place = from;
        while self.kind(place) == Kind::Blank
            && let Some((next, _)) = step(self, place)
        {
            place = next;
        }
        place
    }
}
