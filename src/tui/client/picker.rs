//! A list to choose from by typing.

use super::prompt::Prompt;
use super::rank::{Ranked, rank};
use crate::domain::action::Action;
use crate::domain::id::TerminalId;
use crate::domain::route::RouterCommand;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickerKind {
    Palette,
    Panes,
    /// Where a pane could go.
    Tabs,
}

/// What choosing an entry means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    Do(Action),
    Focus(TerminalId),
    Steer(RouterCommand),
    /// Move the first pane to the tab of the second, or to a new tab.
    Move(TerminalId, Option<TerminalId>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub label: String,
    pub detail: String,
    /// Why it cannot be chosen.
    pub refused: Option<&'static str>,
    pub picked: Picked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picker {
    pub kind: PickerKind,
    pub query: Prompt,
    items: Vec<Item>,
    ranked: Vec<Ranked>,
    selected: usize,
}

impl Picker {
    #[must_use]
    pub fn new(kind: PickerKind, items: Vec<Item>) -> Self {
        let mut picker = Self {
            kind,
            query: Prompt::default(),
            items,
            ranked: Vec::new(),
            selected: 0,
        };
        picker.rank();
        picker
    }

    /// Chooses the first entry that means this.
    #[must_use]
    pub fn at(mut self, picked: &Picked) -> Self {
        let place = self.shown().position(|(item, _)| item.picked == *picked);
        self.selected = place.unwrap_or(0);
        self
    }

    /// Ranks again after the query changed; the best entry is chosen.
    pub fn rank(&mut self) {
        let texts: Vec<String> = self
            .items
            .iter()
            .map(|item| format!("{} {}", item.label, item.detail))
            .collect();
        self.ranked = rank(self.query.text(), &texts);
        self.selected = 0;
    }

    /// Entries that fit, best first, each with the positions of matched characters in `label detail`.
    pub fn shown(&self) -> impl Iterator<Item = (&Item, &[u32])> {
        self.ranked
            .iter()
            .filter_map(|hit| Some((self.items.get(hit.index)?, hit.positions.as_slice())))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ranked.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranked.is_empty()
    }

    #[must_use]
    pub fn selected(&self) -> usize {
        self.selected
    }

    #[must_use]
    pub fn chosen(&self) -> Option<&Item> {
        self.shown().nth(self.selected).map(|(item, _)| item)
    }

    pub fn select(&mut self, index: usize) {
        self.selected = index.min(self.len().saturating_sub(1));
    }

    /// Moves by one, around the ends.
    pub fn step(&mut self, down: bool) {
        let len = self.len().max(1);
        self.selected = (self.selected + if down { 1 } else { len - 1 }) % len;
    }

    /// Moves by several, up to the ends.
    pub fn page(&mut self, down: bool, rows: usize) {
        let to = if down {
            self.selected.saturating_add(rows)
        } else {
            self.selected.saturating_sub(rows)
        };
        self.select(to);
    }
}
