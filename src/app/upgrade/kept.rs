//! The shape of a whole instance on its way to the next program.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::control::{KeptControl, KeptLock};
use crate::pane::KeptPool;
use crate::providers::KeptProviders;
use crate::remote::KeptRemote;
use crate::runtime::handover::{HandoverError, Incoming, KeptDescriptor, Outgoing};
use crate::store::KeptStore;
use crate::tui::KeptFront;

/// What each room keeps.
#[derive(Debug, Default)]
pub struct KeptRooms {
    pub app: KeptApp,
    pub lock: KeptLock,
    pub control: KeptControl,
    pub panes: KeptPool,
    pub providers: KeptProviders,
    pub remote: KeptRemote,
    pub store: KeptStore,
    pub front: KeptFront,
}

/// What is nobody's but the composition root's.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptApp {
    pub started_at: Timestamp,
    /// Whether it ends with its last pane.
    pub ends_with_last_pane: bool,
    /// A signal that came when nobody listened any more: the next program is to end on it.
    pub ended_by: Option<i32>,
    /// The configuration's text when this program began, for it alone: where another one cannot go on, this one needs the
    /// rooms that it had.
    pub config_text: Option<String>,
    /// Variables that were taken out of the environment, with their values.
    pub secrets: BTreeMap<String, String>,
    /// The limits on open files and core files as they were, for children.
    pub open_files: Option<(u64, u64)>,
    pub core_files: KeptCore,
    /// The local socket of viewers: its listener and its file's inode.
    pub attach: Option<(KeptDescriptor, u64)>,
}

/// The limit on core files that children get.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptCore {
    pub is_known: bool,
    /// None for no limit.
    pub limit: Option<u64>,
}

impl std::fmt::Debug for KeptApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptApp")
            .field("started_at", &self.started_at)
            .finish_non_exhaustive()
    }
}

impl KeptRooms {
    /// Puts all of it down.
    ///
    /// # Errors
    /// [`HandoverError::Written`] where a shape has no form.
    pub fn write(&self, out: &mut Outgoing) -> Result<(), HandoverError> {
        out.room("app", &self.app)?;
        out.room("lock", &self.lock)?;
        out.room("control", &self.control)?;
        out.room("panes", &self.panes)?;
        out.room("providers", &self.providers)?;
        out.room("remote", &self.remote)?;
        out.room("store", &self.store)?;
        out.room("front", &self.front)
    }

    /// Reads all of it, before any of it is taken up.
    ///
    /// # Errors
    /// [`HandoverError::Read`] where a room's is of another shape than this program knows.
    pub fn read(incoming: &Incoming) -> Result<Self, HandoverError> {
        Ok(Self {
            app: incoming.room("app")?,
            lock: incoming.room("lock")?,
            control: incoming.room("control")?,
            panes: incoming.room("panes")?,
            providers: incoming.room("providers")?,
            remote: incoming.room("remote")?,
            store: incoming.room("store")?,
            front: incoming.room("front")?,
        })
    }

    /// Reads what can be read of it, for a program that has nobody to go back to; what cannot is told.
    pub fn salvage(incoming: &Incoming) -> (Self, Vec<String>) {
        let mut lost = Vec::new();
        let rooms = Self {
            app: salvaged(incoming, "app", &mut lost),
            lock: salvaged(incoming, "lock", &mut lost),
            control: salvaged(incoming, "control", &mut lost),
            panes: salvaged(incoming, "panes", &mut lost),
            providers: salvaged(incoming, "providers", &mut lost),
            remote: salvaged(incoming, "remote", &mut lost),
            store: salvaged(incoming, "store", &mut lost),
            front: salvaged(incoming, "front", &mut lost),
        };
        (rooms, lost)
    }
}

fn salvaged<T: DeserializeOwned + Default>(
    incoming: &Incoming,
    room: &'static str,
    lost: &mut Vec<String>,
) -> T {
    incoming.room(room).unwrap_or_else(|error| {
        lost.push(error.to_string());
        T::default()
    })
}
