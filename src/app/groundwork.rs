//! What an instance is made from, before there is any room.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use jiff::Timestamp;

use super::upgrade::Resumed;
use crate::runtime::handover::KeptDescriptor;
use crate::store::Store;
use crate::telemetry::{Telemetry, TraceExporter};
use crate::tui::Life;

/// Where an instance comes from.
#[derive(Default)]
pub(super) struct Origin {
    /// A connection that somebody has to it already.
    pub first: Option<UnixStream>,
    /// What another program in this process has left.
    pub resumed: Option<Box<Resumed>>,
}

/// What is there before the store is.
pub(super) struct Foundation {
    pub telemetry: Option<Arc<Telemetry>>,
    pub open_files: Option<(u64, u64)>,
    pub life: Life,
    pub started_at: Timestamp,
    /// The local socket of viewers that another program has left.
    pub attach: Option<(KeptDescriptor, u64)>,
    /// A signal that came to it when it listened no more.
    pub ended_by: Option<i32>,
}

/// What is there before the rooms are made.
pub(super) struct Groundwork {
    pub foundation: Foundation,
    pub store: Store,
    pub traces: TraceExporter,
}
