//! The shapes in which children go over to the next program.

use serde::{Deserialize, Serialize};

/// The children of one keeper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptChildren(pub(super) Vec<KeptChild>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptChild {
    pub name: String,
    /// What it was started as.
    pub command: Vec<String>,
    /// None while it does not run.
    pub pid: Option<u32>,
    pub ready: bool,
    pub restarts: u64,
    /// It is only ever asked to end.
    pub never_killed: bool,
}
