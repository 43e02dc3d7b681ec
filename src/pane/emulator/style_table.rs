//! Carries through the grid what its cells have no place for: a character without width, appended to the cell's text,
//! names a style in a table here. So it moves with every scroll, insertion and deletion without a second grid.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::screen::{Attrs, Color};

/// The first of the characters that name a style: unassigned, ignored by default and without width.
const FIRST: u32 = 0xe_01f0;
/// The characters from [`FIRST`] to the end of that range (U+E0FFF).
const COUNT: usize = 0xe10;

/// Characters that the grid would drop or join to another, with the noncharacter that stands for each in there.
const STAND_INS: [(char, char); 2] = [('\u{fffd}', '\u{10ffff}'), ('\u{ad}', '\u{10fffe}')];

/// The part of a cell's style that the grid does not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct ExtraStyle {
    pub attrs: Attrs,
    /// DECSCA: selective erase leaves the cell alone.
    pub protected: bool,
    pub underline_color: Color,
    pub link: Option<Arc<str>>,
    /// The cell's whole text, where it is too long for the grid.
    pub cluster: Option<Arc<str>>,
}

/// Whether a character is one of ours; a program's own are dropped.
pub(super) fn is_mark(c: char) -> bool {
    (FIRST as usize..FIRST as usize + COUNT).contains(&(c as usize))
}

/// What the grid is given for a character that has a width.
pub(super) fn into_grid(c: char) -> char {
    let pair = STAND_INS.iter().find(|(meant, _)| *meant == c);
    pair.map_or(c, |(_, held)| *held)
}

/// What a character stands for that the grid holds.
pub(super) fn from_grid(c: char) -> char {
    let pair = STAND_INS.iter().find(|(_, held)| *held == c);
    pair.map_or(c, |(meant, _)| *meant)
}

#[derive(Default)]
pub(super) struct StyleTable {
    styles: Vec<Option<ExtraStyle>>,
    numbers: HashMap<ExtraStyle, usize>,
    /// Goes up whenever marks have been freed, so that nobody uses one that has got another meaning.
    generation: u64,
}

impl StyleTable {
    /// The mark that names this style, or `None` when all are taken.
    pub fn mark(&mut self, extra: &ExtraStyle) -> Option<char> {
        if let Some(number) = self.numbers.get(extra) {
            return mark_of(*number);
        }
        let number = match self.styles.iter().position(Option::is_none) {
            Some(free) => free,
            None if self.styles.len() < COUNT => {
                self.styles.push(None);
                self.styles.len() - 1
            }
            None => return None,
        };
        self.styles[number] = Some(extra.clone());
        self.numbers.insert(extra.clone(), number);
        mark_of(number)
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub fn extra_style(&self, mark: char) -> Option<&ExtraStyle> {
        self.styles.get(number_of(mark)?)?.as_ref()
    }

    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Frees the marks that `used` does not hold.
    pub fn keep(&mut self, used: impl Fn(char) -> bool) {
        self.generation += 1;
        for (number, slot) in self.styles.iter_mut().enumerate() {
            if !mark_of(number).is_some_and(&used)
                && let Some(extra) = slot.take()
            {
                self.numbers.remove(&extra);
            }
        }
    }

    pub fn clear(&mut self) {
        *self = Self {
            generation: self.generation + 1,
            ..Self::default()
        };
    }
}

fn mark_of(number: usize) -> Option<char> {
    char::from_u32(FIRST + u32::try_from(number).ok()?)
}

fn number_of(mark: char) -> Option<usize> {
    (mark as usize).checked_sub(FIRST as usize)
}
