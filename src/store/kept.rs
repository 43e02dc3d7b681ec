//! The shape in which the store goes over to the next program: what is written stays in its file.

use serde::{Deserialize, Serialize};

use crate::supervise::KeptChildren;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptStore {
    /// The instance's own id in all tables, whose row goes on.
    pub(super) instance_id: String,
    /// A server of tundra's own for the copy, which runs on.
    pub(super) dolt: Option<KeptManaged>,
}

/// A managed server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptManaged {
    /// Where it listens on loopback.
    pub port: u16,
    pub children: KeptChildren,
}
