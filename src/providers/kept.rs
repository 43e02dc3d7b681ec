//! The shape in which providers go over to the next program.

use serde::{Deserialize, Serialize};

use crate::gateway::KeptGateway;
use crate::supervise::KeptChildren;

/// The gateway with all that it learned, and the servers that run for it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptProviders {
    pub gateway: KeptGateway,
    pub servers: KeptChildren,
}
