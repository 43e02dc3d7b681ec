//! Where rows went each time that lines were wrapped anew, for those who remember rows by number.

use std::collections::VecDeque;

use super::row_map::RowMap;

/// How many maps are kept: whoever follows a screen looks at it more often than a window is resized.
const MAX_MAPS: usize = 16;

/// The lines that all maps but the newest may hold together.
const MAX_LINES: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Rewraps {
    count: u64,
    /// The newest maps, oldest first.
    maps: VecDeque<RowMap>,
}

impl Rewraps {
    /// How often lines have been wrapped anew.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// None is known, and so many have been.
    pub fn from_count(count: u64) -> Self {
        Self {
            count,
            maps: VecDeque::new(),
        }
    }

    pub fn add(&mut self, map: RowMap) {
        self.count += 1;
        self.maps.push_back(map);
        let mut lines: usize = self.maps.iter().map(|map| map.lines.len()).sum();
        while self.maps.len() > 1 && (lines > MAX_LINES || self.maps.len() > MAX_MAPS) {
            let oldest = self.maps.pop_front();
            lines -= oldest.map_or(0, |map| map.lines.len());
        }
    }

    /// Nobody remembers rows.
    pub fn forget(&mut self) {
        self.maps.clear();
    }

    /// Where a place is now that was told when the count was `since`; where it was if that is not known any more.
    pub fn place(&self, since: u64, row: u64, col: u16) -> (u64, u16) {
        let missed = usize::try_from(self.count.saturating_sub(since)).unwrap_or(usize::MAX);
        let Some(known) = self.maps.len().checked_sub(missed) else {
            return (row, col);
        };
        let later = self.maps.iter().skip(known);
        later.fold((row, col), |(row, col), map| map.place(row, col))
    }
}
