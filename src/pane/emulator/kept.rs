//! The shapes in which an emulator goes over to the next program.
//!
//! What a keyframe can say is said by one, as escape sequences; the rest stands beside it.

use serde::{Deserialize, Serialize};

use crate::runtime::handover::KeptBytes;

/// An emulator. The default is a new one of no size, which is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptEmulator {
    pub cols: u16,
    pub rows: u16,
    pub version: u64,
    pub history_lines: usize,
    /// A keyframe without history.
    pub(super) keyframe: KeptBytes,
    pub(super) history: KeptHistory,
    pub(super) beyond: KeptBeyond,
}

/// What a program may have set that no keyframe tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptBeyond {
    /// Of the primary and of the alternate screen.
    pub joins: [KeptJoins; 2],
    pub rewraps: u64,
    /// Absolute row and column of a cursor that a resize left no room for.
    pub lost_cursor: Option<(u64, u16)>,
    pub lent_rows: u16,
    /// The last character printed, for REP.
    pub last: String,
    pub columns_changed: bool,
    pub saved_modes: Vec<(u16, bool)>,
    pub colors: Vec<KeptColor>,
    /// The parts of a notification that have come so far.
    pub notification: String,
}

/// Which rows of a screen go on in the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptJoins {
    pub wrapped: Vec<u16>,
    pub with_history: bool,
}

/// A colour that the program set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptColor {
    /// `foreground`, `background`, `cursor`, or the number of an indexed one.
    pub slot: String,
    pub rgb: [u8; 3],
}

/// Rows that have left the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptHistory {
    /// How rows are packed.
    pub packing: u32,
    pub cols: u16,
    pub start: u64,
    pub first_segment: u64,
    pub segments: usize,
    pub dropped: usize,
    pub limit: usize,
    pub held: usize,
    pub blocks: Vec<KeptBlock>,
    pub old: Vec<KeptOldLine>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptBlock {
    pub data: KeptBytes,
    /// The end of each segment and what is known of it.
    pub segments: KeptBytes,
    pub links: Vec<String>,
}

/// The row and the segment after the last of a line that was wrapped at another width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptOldLine(pub u64, pub u64);
