//! Which characters terminals give different widths to.
//!
//! Emoji with a variation selector, keycaps, sequences with joiners and flags are one or two columns here and up to eight
//! there, by the age of a terminal's tables. Where that may be, a cell is cleared first, what follows is placed anew, and
//! whatever the terminal may have drawn over is written again, so that a disagreement stays within its cell.

use crate::domain::screen::{Attrs, Cell, Row};

const JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';

/// How many columns beyond a cell's own a terminal may draw; None where all agree about it.
pub(super) fn doubt(row: &Row, cell: &Cell) -> Option<usize> {
    let own = if cell.attrs.contains(Attrs::WIDE) {
        2
    } else {
        1
    };
    let cluster = row.extra(cell).and_then(|extra| extra.cluster.as_deref());
    let Some(cluster) = cluster else {
        return is_doubtful(cell.ch).then_some(2 - own);
    };
    // A terminal that does not join gives each of them columns of its own.
    let most: usize = cluster.chars().map(most_columns).sum();
    Some(most.saturating_sub(own))
}

/// The most columns that a character of a cluster takes anywhere.
fn most_columns(ch: char) -> usize {
    match ch {
        '\u{300}'..='\u{36f}' => 0,
        JOINER | KEYCAP | '\u{fe00}'..='\u{fe0f}' => 1,
        _ => 2,
    }
}

/// Symbols that are or were to become emoji, and what fonts define for themselves.
fn is_doubtful(ch: char) -> bool {
    matches!(
        ch,
        '\u{a9}'
            | '\u{ae}'
            | '\u{203c}'
            | '\u{2049}'
            | '\u{2122}'
            | '\u{2139}'
            | '\u{2194}'..='\u{2199}'
            | '\u{21a9}'
            | '\u{21aa}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{24c2}'
            | '\u{25aa}'
            | '\u{25ab}'
            | '\u{25b6}'
            | '\u{25c0}'
            | '\u{25fb}'..='\u{25fe}'
            | '\u{2600}'..='\u{27bf}'
            | '\u{2934}'
            | '\u{2935}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{1f000}'..='\u{1faff}'
            | '\u{f0000}'..
    )
}
