//! Rows that have left the top of the screen.
//!
//! Packed into blocks of some kilobytes: ten thousand lines of a hundred columns cost little more than their text.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::packed::{Packer, unpack};
use crate::domain::screen::Row;

/// A block is closed when its next row would pass this size.
const BLOCK_BYTES: usize = 32 * 1024;

#[derive(Default)]
struct Block {
    data: Vec<u8>,
    /// The end of each row in `data`.
    ends: Vec<u32>,
    links: Vec<Arc<str>>,
}

impl Block {
    fn row(&self, index: usize) -> Row {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        unpack(&self.data[start..self.ends[index] as usize], &self.links)
    }
}

pub(super) struct History {
    blocks: VecDeque<Block>,
    /// Rows of the first block that have been dropped already.
    dropped: usize,
    len: usize,
    /// Absolute number of the oldest row.
    start: u64,
    limit: usize,
    /// Rows beyond the limit that are kept, since they belong to the screen.
    held: usize,
    spare: Option<Block>,
}

impl History {
    pub fn new(limit: usize) -> Self {
        Self {
            blocks: VecDeque::new(),
            dropped: 0,
            len: 0,
            start: 0,
            limit,
            held: 0,
            spare: None,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Absolute number of the oldest row.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Absolute number of the row after the newest.
    pub fn end(&self) -> u64 {
        self.start + self.len as u64
    }

    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.trim();
    }

    /// Keeps so many rows beyond the limit, until it is set to 0 again.
    pub fn hold(&mut self, rows: usize) {
        self.held = rows;
        self.trim();
    }

    /// Adds a row below the newest.
    pub fn push(&mut self, row: &Packer, wrapped: bool) {
        if self.limit.saturating_add(self.held) == 0 {
            self.start += 1;
            return;
        }
        if self
            .blocks
            .back()
            .is_none_or(|block| block.data.len() >= BLOCK_BYTES)
        {
            self.open_block();
        }
        if let Some(block) = self.blocks.back_mut() {
            row.pack(wrapped, &mut block.data, &mut block.links);
            block
                .ends
                .push(u32::try_from(block.data.len()).unwrap_or(u32::MAX));
            self.len += 1;
        }
        self.trim();
    }

    fn open_block(&mut self) {
        if let Some(full) = self.blocks.back_mut() {
            full.data.shrink_to_fit();
            full.ends.shrink_to_fit();
        }
        self.blocks.push_back(self.spare.take().unwrap_or_default());
    }

    /// Takes the newest row away again.
    pub fn pop(&mut self) -> Option<Row> {
        if self.len == 0 {
            return None;
        }
        let block = self.blocks.back_mut()?;
        let index = block.ends.len().checked_sub(1)?;
        let row = block.row(index);
        block.ends.pop();
        block
            .data
            .truncate(block.ends.last().map_or(0, |end| *end as usize));
        if block.ends.is_empty() {
            self.blocks.pop_back();
        }
        self.len -= 1;
        if self.len == 0 {
            self.blocks.clear();
            self.dropped = 0;
        }
        Some(row)
    }

    /// Drops all rows; numbers go on.
    pub fn clear(&mut self) {
        self.start = self.end();
        self.len = 0;
        self.dropped = 0;
        self.blocks.clear();
        self.spare = None;
    }

    /// The rows with these absolute numbers, cut to what exists.
    pub fn rows(&self, range: Range<u64>) -> impl Iterator<Item = Row> {
        let first = usize::try_from(range.start.saturating_sub(self.start))
            .unwrap_or(usize::MAX)
            .min(self.len);
        let last = usize::try_from(range.end.saturating_sub(self.start))
            .unwrap_or(usize::MAX)
            .min(self.len);
        let mut skip = first + self.dropped;
        self.blocks
            .iter()
            .flat_map(move |block| {
                let from = skip.min(block.ends.len());
                skip -= from;
                (from..block.ends.len()).map(move |index| block.row(index))
            })
            .take(last.saturating_sub(first))
    }

    /// What the rows cost, in bytes.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        let blocks = self.blocks.iter().chain(&self.spare);
        blocks
            .map(|block| block.data.capacity() + block.ends.capacity() * 4)
            .sum()
    }

    fn trim(&mut self) {
        let limit = self.limit.saturating_add(self.held);
        while self.len > limit {
            let excess = self.len - limit;
            let Some(block) = self.blocks.front() else {
                return;
            };
            let here = (block.ends.len() - self.dropped).min(excess);
            self.dropped += here;
            self.len -= here;
            self.start += here as u64;
            if self.dropped == block.ends.len() {
                self.dropped = 0;
                self.spare = self.blocks.pop_front().map(|mut block| {
                    block.data.clear();
                    block.ends.clear();
                    block.links.clear();
                    block
                });
            }
        }
    }
}
