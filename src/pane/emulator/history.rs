//! Rows that have left the top of the screen.
//!
//! Packed into blocks of some kilobytes: ten thousand lines of a hundred columns cost little more than their text. A row is
//! kept as it left the screen, as a segment of its line. When the width changes segments stay as they are: what is counted
//! anew is how many rows each line takes, and rows are wrapped when somebody reads them.
//!
//! Always holds: the lines that were wrapped at another width (`old`) are whole and lie before all others, whose segments
//! are rows of the present width.

use std::collections::VecDeque;
use std::ops::Range;

use super::block::{BLOCK_BYTES, Block, Meta};
use super::kept::{KeptHistory, KeptOldLine};
use super::packed::{PACKING, Packer};
use super::row_map::{Breaks, MovedLine};
use super::wrap::{self, joined_cols};
use crate::domain::screen::Row;
use crate::runtime::handover::{Incoming, Outgoing};

/// A line that was wrapped at another width than the present one.
#[derive(Clone, Copy)]
struct OldLine {
    /// Absolute number of the row after its last.
    end_row: u64,
    /// Number of the segment after its last.
    end_segment: u64,
}

pub(super) struct History {
    blocks: VecDeque<Block>,
    /// Segments of the first block that have been dropped already.
    dropped: usize,
    /// Number of the oldest segment.
    first_segment: u64,
    segments: usize,
    /// The width that rows have.
    cols: u16,
    old: VecDeque<OldLine>,
    /// Absolute number of the oldest row.
    start: u64,
    /// How many segments are kept.
    limit: usize,
    /// Segments beyond the limit that are kept, since they belong to the screen.
    held: usize,
    spare: Option<Block>,
}

impl History {
    pub fn new(limit: usize, cols: u16) -> Self {
        Self {
            blocks: VecDeque::new(),
            dropped: 0,
            first_segment: 0,
            segments: 0,
            cols,
            old: VecDeque::new(),
            start: 0,
            limit,
            held: 0,
            spare: None,
        }
    }

    /// Keeps the rows for the next program.
    pub fn keep(&self, out: &mut Outgoing) -> KeptHistory {
        KeptHistory {
            packing: PACKING,
            cols: self.cols,
            start: self.start,
            first_segment: self.first_segment,
            segments: self.segments,
            dropped: self.dropped,
            limit: self.limit,
            held: self.held,
            blocks: self.blocks.iter().map(|block| block.keep(out)).collect(),
            old: self
                .old
                .iter()
                .map(|line| KeptOldLine(line.end_row, line.end_segment))
                .collect(),
        }
    }

    /// The rows that were kept; none, where they are packed in a way that is not known here. Numbers go on.
    pub fn resume(kept: &KeptHistory, incoming: &Incoming) -> Self {
        let mut history = Self::new(kept.limit, kept.cols);
        history.held = kept.held;
        history.start = kept.start;
        history.first_segment = kept.first_segment;
        let blocks: VecDeque<Block> = kept
            .blocks
            .iter()
            .map(|block| Block::resume(block, incoming))
            .collect();
        let there: usize = blocks.iter().map(|block| block.ends.len()).sum();
        let is_whole = there.checked_sub(kept.dropped) == Some(kept.segments);
        if kept.packing == PACKING && is_whole {
            history.blocks = blocks;
            history.dropped = kept.dropped;
            history.segments = kept.segments;
            let line = |kept: &KeptOldLine| OldLine {
                end_row: kept.0,
                end_segment: kept.1,
            };
            history.old = kept.old.iter().map(line).collect();
        } else if let Some(KeptOldLine(end_row, end_segment)) = kept.old.last() {
            let first_fresh = kept.first_segment + kept.segments as u64 - end_segment;
            history.start = end_row + first_fresh;
            history.first_segment = kept.first_segment + kept.segments as u64;
        } else {
            history.start = kept.start + kept.segments as u64;
            history.first_segment = kept.first_segment + kept.segments as u64;
        }
        history
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        usize::try_from(self.end() - self.start).unwrap_or(usize::MAX)
    }

    /// Absolute number of the oldest row.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Absolute number of the row after the newest.
    pub fn end(&self) -> u64 {
        let (old_end, first_fresh) = self.old_end();
        old_end + (self.end_segment() - first_fresh)
    }

    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.trim();
    }

    /// Keeps so many segments beyond the limit, until it is set to 0 again.
    pub fn hold(&mut self, rows: usize) {
        self.held = rows;
        self.trim();
    }

    /// Adds a row below the newest.
    pub fn push(&mut self, row: &Packer, wrapped: bool) {
        if self.limit.saturating_add(self.held) == 0 && self.segments == 0 {
            self.start += 1;
            self.first_segment += 1;
            return;
        }
        self.push_untrimmed(row, wrapped);
        self.trim();
    }

    /// Adds a row, even where that is one more than is kept: what only moves between screen and history is never lost.
    pub fn push_untrimmed(&mut self, row: &Packer, wrapped: bool) {
        if self
            .blocks
            .back()
            .is_none_or(|block| block.data.len() >= BLOCK_BYTES)
        {
            self.open_block();
        }
        let cols = if wrapped { self.cols } else { row.text_cols() };
        if let Some(block) = self.blocks.back_mut() {
            row.pack(wrapped, &mut block.data, &mut block.links);
            block
                .ends
                .push(u32::try_from(block.data.len()).unwrap_or(u32::MAX));
            block.metas.push(Meta {
                cols,
                wrapped,
                has_wide: row.has_wide(),
            });
            self.segments += 1;
        }
    }

    fn open_block(&mut self) {
        if let Some(full) = self.blocks.back_mut() {
            full.data.shrink_to_fit();
            full.ends.shrink_to_fit();
            full.metas.shrink_to_fit();
        }
        self.blocks.push_back(self.spare.take().unwrap_or_default());
    }

    /// Whether the newest row goes on below.
    pub fn ends_wrapped(&self) -> bool {
        let block = self.blocks.back().filter(|_| self.segments > 0);
        let last = block.and_then(|block| block.metas.last());
        last.is_some_and(|meta| meta.wrapped)
    }

    /// The newest row does not go on below: what stood there is gone.
    pub fn end_line(&mut self) {
        if !self.ends_wrapped() {
            return;
        }
        if let Some(row) = self.pop() {
            let mut packer = Packer::default();
            packer.set_row(&row);
            self.push_untrimmed(&packer, false);
        }
    }

    /// Takes the newest row away again.
    pub fn pop(&mut self) -> Option<Row> {
        let (_, first_fresh) = self.old_end();
        if self.end_segment() == first_fresh {
            self.refresh_last_line()?;
        }
        self.pop_segment()
    }

    /// Wraps the last of the old lines at the present width.
    fn refresh_last_line(&mut self) -> Option<()> {
        let line = self.old.pop_back()?;
        let (_, start) = self.old_end();
        let rows = self.wrapped_line(start, line.end_segment).rows;
        for _ in start..line.end_segment {
            self.pop_segment();
        }
        let mut packer = Packer::default();
        for row in rows {
            packer.set_row(&row);
            self.push_untrimmed(&packer, row.wrapped);
        }
        Some(())
    }

    fn pop_segment(&mut self) -> Option<Row> {
        if self.segments == 0 {
            return None;
        }
        let block = self.blocks.back_mut()?;
        let index = block.ends.len().checked_sub(1)?;
        let row = block.row(index);
        block.data.truncate(block.start(index));
        block.ends.pop();
        block.metas.pop();
        if block.ends.is_empty() {
            self.blocks.pop_back();
        }
        self.segments -= 1;
        if self.segments == 0 {
            self.blocks.clear();
            self.dropped = 0;
        }
        Some(row)
    }

    /// Drops all rows; numbers go on.
    pub fn clear(&mut self) {
        self.start = self.end();
        self.first_segment = self.end_segment();
        self.segments = 0;
        self.old.clear();
        self.dropped = 0;
        self.blocks.clear();
        self.spare = None;
    }

    /// The rows with these absolute numbers, cut to what exists.
    pub fn rows(&self, range: Range<u64>) -> Vec<Row> {
        let end = range.end.min(self.end());
        let mut at = range.start.max(self.start);
        let mut rows = Vec::new();
        let (old_end, first_fresh) = self.old_end();
        let mut line = self.old.partition_point(|line| line.end_row <= at);
        while at < end.min(old_end) {
            let Some(old) = self.old.get(line) else { break };
            let (start_row, start_segment) = self.start_of(line);
            let skip = usize::try_from(at - start_row).unwrap_or(usize::MAX);
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
            let wrapped = self.wrapped_line(start_segment, old.end_segment);
            rows.extend(wrapped.rows.into_iter().skip(skip).take(wanted));
            at = old.end_row;
            line += 1;
        }
        if at < end {
            let from = first_fresh + (at - old_end);
            let segments = self.segments_between(from, first_fresh + (end - old_end));
            rows.extend(segments.map(|(row, _)| row));
        }
        rows
    }

    /// Gives rows another width. Tells where the rows of lines went that take or took more than one.
    pub fn set_cols(&mut self, cols: u16) -> Vec<MovedLine> {
        let mut moved = Vec::new();
        if cols == self.cols {
            return moved;
        }
        let old_cols = std::mem::replace(&mut self.cols, cols);
        let (_, first_fresh) = self.old_end();
        let old = std::mem::take(&mut self.old);
        let mut old_lines = old.iter().peekable();
        let mut lines = VecDeque::new();
        let (mut old_row, mut new_row) = (self.start, self.start);
        let mut segment = self.first_segment;
        let mut line = LineMeta::default();
        let mut begin = segment;
        for meta in self.metas() {
            segment += 1;
            line.add(meta);
            let old_line = old_lines.next_if(|line| line.end_segment == segment);
            let is_fresh = segment > first_fresh;
            let ends =
                old_line.is_some() || (is_fresh && !meta.wrapped) || segment == self.end_segment();
            if !ends {
                continue;
            }
            let old_row_end = match old_line {
                Some(line) => line.end_row,
                None => old_row + (segment - begin),
            };
            let old_rows = u32::try_from(old_row_end - old_row).unwrap_or(u32::MAX);
            let mut breaks = None;
            let (mut new_rows, mut len) = (line.rows_at(cols), line.cols);
            if line.is_uneven(old_rows, cols) {
                let segments = self.line(begin, segment);
                let now = wrap::wrap(&segments, cols);
                new_rows = u32::try_from(now.rows.len()).unwrap_or(u32::MAX);
                len = now.len;
                breaks = Some(Box::new(Breaks {
                    old: wrap::wrap(&segments, old_cols).breaks,
                    new: now.breaks,
                }));
            }
            if old_rows > 1 || new_rows > 1 {
                moved.push(MovedLine {
                    old: old_row,
                    old_rows,
                    new: new_row,
                    new_rows,
                    len,
                    breaks,
                });
            }
            old_row = old_row_end;
            new_row += u64::from(new_rows);
            lines.push_back(OldLine {
                end_row: new_row,
                end_segment: segment,
            });
            begin = segment;
            line = LineMeta::default();
        }
        self.old = lines;
        moved
    }

    /// A line from its segments, at the present width.
    fn wrapped_line(&self, from: u64, to: u64) -> wrap::Wrapped {
        wrap::wrap(&self.line(from, to), self.cols)
    }

    /// The segments of a line with the columns that each takes of it.
    fn line(&self, from: u64, to: u64) -> Vec<(Row, u16)> {
        let mut line: Vec<(Row, u16)> = Vec::new();
        for (row, meta) in self.segments_between(from, to) {
            if let Some((before, cols)) = line.last_mut() {
                *cols = joined_cols(before, *cols, &row);
            }
            line.push((row, meta.cols));
        }
        line
    }

    fn segments_between(&self, from: u64, to: u64) -> impl Iterator<Item = (Row, Meta)> {
        let index = |segment: u64| {
            usize::try_from(segment.saturating_sub(self.first_segment)).unwrap_or(usize::MAX)
        };
        let (first, last) = (index(from).min(self.segments), index(to).min(self.segments));
        let mut skip = first + self.dropped;
        self.blocks
            .iter()
            .flat_map(move |block| {
                let from = skip.min(block.ends.len());
                skip -= from;
                let metas = block.metas.iter().enumerate().skip(from);
                metas.map(move |(index, meta)| (block, index, *meta))
            })
            .take(last.saturating_sub(first))
            .map(|(block, index, meta)| (block.row(index), meta))
    }

    fn metas(&self) -> impl Iterator<Item = Meta> {
        let all = self.blocks.iter().flat_map(|block| &block.metas);
        all.skip(self.dropped).take(self.segments).copied()
    }

    fn end_segment(&self) -> u64 {
        self.first_segment + self.segments as u64
    }

    /// The row and the segment after the last of the old lines.
    fn old_end(&self) -> (u64, u64) {
        self.old
            .back()
            .map_or((self.start, self.first_segment), |line| {
                (line.end_row, line.end_segment)
            })
    }

    /// The first row and segment of an old line.
    fn start_of(&self, line: usize) -> (u64, u64) {
        let before = line.checked_sub(1).and_then(|before| self.old.get(before));
        before.map_or((self.start, self.first_segment), |line| {
            (line.end_row, line.end_segment)
        })
    }

    /// What the rows cost, in bytes.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        let blocks = self.blocks.iter().chain(&self.spare);
        blocks
            .map(|block| {
                block.data.capacity()
                    + block.ends.capacity() * 4
                    + block.metas.capacity() * size_of::<Meta>()
            })
            .sum()
    }

    fn trim(&mut self) {
        let limit = self.limit.saturating_add(self.held);
        while self.segments > limit {
            let excess = self.segments - limit;
            let Some(line) = self.old.front().copied() else {
                let before = self.segments;
                self.drop_segments(excess);
                self.start += (before - self.segments) as u64;
                return;
            };
            let here = line.end_segment - self.first_segment;
            if here <= excess as u64 {
                self.drop_segments(usize::try_from(here).unwrap_or(usize::MAX));
                self.start = line.end_row;
                self.old.pop_front();
            } else {
                self.drop_segments(excess);
                let rows = self.count_rows(self.first_segment, line.end_segment);
                self.start = line.end_row.saturating_sub(rows).max(self.start);
            }
        }
    }

    fn count_rows(&self, from: u64, to: u64) -> u64 {
        let mut line = LineMeta::default();
        let count = usize::try_from(to - from).unwrap_or(usize::MAX);
        for meta in self.metas().take(count) {
            line.add(meta);
        }
        if line.has_wide {
            self.wrapped_line(from, to).rows.len() as u64
        } else {
            u64::from(line.rows_at(self.cols))
        }
    }

    fn drop_segments(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let Some(block) = self.blocks.front() else {
                return;
            };
            let here = (block.ends.len() - self.dropped).min(left);
            self.dropped += here;
            self.segments -= here;
            self.first_segment += here as u64;
            left -= here;
            if self.dropped == block.ends.len() {
                self.dropped = 0;
                self.spare = self.blocks.pop_front().map(|mut block| {
                    block.data.clear();
                    block.ends.clear();
                    block.metas.clear();
                    block.links.clear();
                    block
                });
            }
        }
    }
}

/// What is known of a line without unpacking it.
#[derive(Clone, Copy, Default)]
struct LineMeta {
    cols: u32,
    has_wide: bool,
}

impl LineMeta {
    fn add(&mut self, meta: Meta) {
        self.cols += u32::from(meta.cols);
        self.has_wide |= meta.has_wide;
    }

    /// How many rows it takes where no wide character leaves a column blank.
    fn rows_at(self, cols: u16) -> u32 {
        self.cols.div_ceil(u32::from(cols.max(1))).max(1)
    }

    /// Whether its rows must be looked at to tell how many there are.
    fn is_uneven(self, old_rows: u32, cols: u16) -> bool {
        self.has_wide && (old_rows > 1 || self.rows_at(cols) > 1)
    }
}
