//! The shapes in which the local socket goes over to the next program.

use serde::{Deserialize, Serialize};

use crate::runtime::handover::{KeptBytes, KeptDescriptor};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptControl {
    pub(super) listener: Option<KeptDescriptor>,
    /// Of the socket's file.
    pub(super) inode: u64,
    pub(super) connections: Vec<KeptConnection>,
}

/// A connection between two lines.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptConnection {
    pub stream: KeptDescriptor,
    /// What has been read of the next line.
    #[serde(default)]
    pub read: KeptBytes,
    /// What came along with it: a terminal that is being offered.
    #[serde(default)]
    pub descriptors: Vec<KeptDescriptor>,
    /// A request that is still to be answered.
    #[serde(default)]
    pub request: Option<String>,
    /// The rest of an answer that is still to be written.
    #[serde(default)]
    pub answer: KeptBytes,
    /// It asked for what is happening.
    #[serde(default)]
    pub upgrade: bool,
}

/// Both locks of a home.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptLock {
    pub(super) file: Option<KeptDescriptor>,
    pub(super) folder: Option<KeptDescriptor>,
}
