//! Some kilobytes of history: segments of lines, packed one after the other.

use std::sync::Arc;

use super::kept::KeptBlock;
use super::packed::unpack;
use crate::domain::screen::Row;
use crate::runtime::handover::{Incoming, Outgoing};

/// A block is closed when its next row would pass this size.
pub(super) const BLOCK_BYTES: usize = 32 * 1024;

/// What a kept block says of one segment: its end in four bytes, its columns in two, and its flags in one.
const KEPT_SEGMENT: usize = 7;
const KEPT_WRAPPED: u8 = 1;
const KEPT_WIDE: u8 = 2;

/// What is known of a segment without unpacking it.
#[derive(Clone, Copy)]
pub(super) struct Meta {
    /// Columns that it takes of its line: all of the width it had, or up to the end of the text where the line ends in it.
    pub cols: u16,
    pub wrapped: bool,
    pub has_wide: bool,
}

#[derive(Default)]
pub(super) struct Block {
    pub data: Vec<u8>,
    /// The end of each segment in `data`.
    pub ends: Vec<u32>,
    pub metas: Vec<Meta>,
    pub links: Vec<Arc<str>>,
}

impl Block {
    pub fn start(&self, index: usize) -> usize {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        before.map_or(0, |end| *end as usize)
    }

    pub fn row(&self, index: usize) -> Row {
        let end = self.ends.get(index).map_or(0, |end| *end as usize);
        let bytes = self.data.get(self.start(index)..end).unwrap_or_default();
        unpack(bytes, &self.links)
    }

    /// Keeps the block for the next program, rows packed as they are.
    pub fn keep(&self, out: &mut Outgoing) -> KeptBlock {
        let segments: Vec<u8> = self
            .ends
            .iter()
            .zip(&self.metas)
            .flat_map(|(end, meta)| {
                let flags = if meta.wrapped { KEPT_WRAPPED } else { 0 }
                    | if meta.has_wide { KEPT_WIDE } else { 0 };
                let end = end.to_le_bytes().into_iter();
                end.chain(meta.cols.to_le_bytes()).chain([flags])
            })
            .collect();
        KeptBlock {
            data: out.bytes(&self.data),
            segments: out.bytes(&segments),
            links: self.links.iter().map(ToString::to_string).collect(),
        }
    }

    /// The block that was kept.
    pub fn resume(kept: &KeptBlock, incoming: &Incoming) -> Self {
        let segments = incoming.bytes(kept.segments).chunks_exact(KEPT_SEGMENT);
        let mut block = Self {
            data: incoming.bytes(kept.data).to_vec(),
            links: kept.links.iter().map(|link| link.as_str().into()).collect(),
            ..Self::default()
        };
        for segment in segments {
            if let [a, b, c, d, e, f, flags] = *segment {
                block.ends.push(u32::from_le_bytes([a, b, c, d]));
                block.metas.push(Meta {
                    cols: u16::from_le_bytes([e, f]),
                    wrapped: flags & KEPT_WRAPPED != 0,
                    has_wide: flags & KEPT_WIDE != 0,
                });
            }
        }
        block
    }
}
