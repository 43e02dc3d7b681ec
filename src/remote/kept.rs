//! The shapes in which attaching goes over to the next program: who was let in, what each client has typed and where it
//! stood, and the sockets.

use serde::{Deserialize, Serialize};

use crate::runtime::handover::{KeptBytes, KeptDescriptor};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptRemote {
    /// None where nothing listens on the network.
    pub(super) listener: Option<KeptDescriptor>,
    pub(super) auth: KeptAuth,
    pub(super) registry: KeptRegistry,
    /// Viewers whose sockets go over.
    pub(super) viewers: Vec<KeptViewer>,
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

/// A viewer whose socket goes over. To a program that does not know of it, it was cut off.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptViewer {
    pub socket: Option<KeptDescriptor>,
    /// Of the local socket.
    pub is_local: bool,
    pub terminal: String,
    /// Its number at the terminal.
    pub viewer: u64,
    pub read_only: bool,
    /// The number after the last byte that it was sent; None before anything was.
    pub next: Option<u64>,
    /// Its client's name; None for one that speaks plainly.
    pub client: Option<String>,
    /// Read of the socket and not dealt with.
    pub read: KeptBytes,
    /// To be written before anything else.
    pub unsent: KeptBytes,
}
