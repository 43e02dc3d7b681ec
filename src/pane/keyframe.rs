//! A pane's present state as bytes that bring any emulator of its kind into it.

use bytes::Bytes;

use super::emulator::Emulator;
use super::kept::KeptKeyframe;
use crate::domain::size::Size;
use crate::runtime::handover::{Incoming, Outgoing};

/// A screen at one place of its byte stream.
///
/// Written to an emulator of this size that has just been made or reset, the bytes restore everything a program can have
/// set; the output from `seq` on then goes on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyframe {
    /// The number of the byte that comes next.
    pub seq: u64,
    /// Which one in the pane's stream it is: how many came before it, and this one where it stands in the stream.
    pub(super) number: u64,
    pub size: Size,
    pub bytes: Bytes,
}

impl Keyframe {
    /// Keeps it for another program.
    pub(super) fn keep(&self, out: &mut Outgoing) -> KeptKeyframe {
        KeptKeyframe {
            seq: self.seq,
            number: self.number,
            cols: self.size.cols(),
            rows: self.size.rows(),
            bytes: out.bytes(&self.bytes),
        }
    }

    /// The keyframe that was kept.
    pub(super) fn resume(kept: &KeptKeyframe, incoming: &Incoming) -> Self {
        Self {
            seq: kept.seq,
            number: kept.number,
            size: Size::clamped(kept.cols, kept.rows),
            bytes: Bytes::copy_from_slice(incoming.bytes(kept.bytes)),
        }
    }

    /// Takes the emulator's state with at most `history` rows that have left the screen.
    pub(super) fn of(
        emulator: &Emulator,
        size: Size,
        seq: u64,
        number: u64,
        history: usize,
    ) -> Self {
        let mut bytes = Vec::new();
        emulator.write_state(history, &mut bytes);
        Self {
            seq,
            number,
            size,
            bytes: bytes.into(),
        }
    }
}
