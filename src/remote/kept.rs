//! The shapes in which attaching goes over to the next program: who was let in, what each client has typed and where it
//! stood, and the sockets.

use serde::{Deserialize, Serialize};

use crate::runtime::handover::KeptDescriptor;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptRemote {
    /// None where nothing listens on the network.
    pub(super) listener: Option<KeptDescriptor>,
    pub(super) auth: KeptAuth,
    pub(super) registry: KeptRegistry,
}

/// Hashes of secrets, each with how long it is still good for.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptAuth {
    pub sessions: Vec<KeptSession>,
    /// Hash and milliseconds left.
    pub one_time: Vec<(String, u64)>,
    /// Peer, and how many milliseconds ago each wrong token came.
    pub failures: Vec<(String, Vec<u64>)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptSession {
    pub cookie: String,
    pub page_key: String,
    pub left_ms: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptRegistry {
    /// Names the numbering of bytes; empty for none.
    pub epoch: String,
    pub panes: Vec<KeptClients>,
}

/// The clients of one terminal.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptClients {
    pub terminal: String,
    /// The one seen last at the end.
    pub clients: Vec<KeptClient>,
    /// The plain viewer that was cut off last.
    pub cut_plain: Option<u64>,
    /// How long a terminal that everybody left is still waited for.
    pub grace_ms: Option<u64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptClient {
    pub name: String,
    pub input_id: u64,
    pub attempt: u64,
    /// The number of the viewer that it was last.
    pub viewer: Option<u64>,
}
