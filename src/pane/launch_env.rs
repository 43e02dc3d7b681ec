//! What a terminal is given besides what was asked for.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use crate::domain::adapter::Adapter;
use crate::domain::budget::Budget;
use crate::domain::id::TerminalId;

/// Gives terminals variables and arguments of another room's, and hears when they are over.
///
/// Called on the pane's own thread; must not block.
pub trait LaunchEnvSource: fmt::Debug + Send + Sync {
    /// Before the program is started.
    fn launch_env(&self, id: TerminalId, request: LaunchRequest<'_>) -> LaunchEnv;

    /// After its last process is gone, or where it could not be started.
    fn ended(&self, id: TerminalId);
}

/// What a terminal is to be.
#[derive(Clone, Copy, Debug)]
pub struct LaunchRequest<'a> {
    pub agent: Option<&'a Adapter>,
    /// Whether its programs are to be pointed at the gateway; else their environment is to be as their user has it.
    pub gateway: bool,
    /// What their requests may use.
    pub budget: Budget,
}

/// What a source adds to a terminal and takes from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchEnv {
    /// Variables, which those that were asked for go before.
    pub env: Vec<(String, OsString)>,
    /// For an agent's own program alone, right after its command.
    pub args: Vec<String>,
    /// Whether the agent's requests will pass the gateway.
    pub is_observed: bool,
    /// Variables of tundra's own that the program must not see.
    pub without: Vec<String>,
}

/// Tells the source of the end when dropped.
#[derive(Debug)]
pub(super) struct LaunchEnvLease {
    launch_envs: Option<Arc<dyn LaunchEnvSource>>,
    id: TerminalId,
}

impl LaunchEnvLease {
    pub fn new(launch_envs: Option<Arc<dyn LaunchEnvSource>>, id: TerminalId) -> Self {
        Self { launch_envs, id }
    }

    pub fn id(&self) -> TerminalId {
        self.id
    }

    pub fn launch_env(&self, request: LaunchRequest<'_>) -> LaunchEnv {
        match &self.launch_envs {
            Some(launch_envs) => launch_envs.launch_env(self.id, request),
            None => LaunchEnv::default(),
        }
    }
}

impl Drop for LaunchEnvLease {
    fn drop(&mut self) {
        if let Some(launch_envs) = &self.launch_envs {
            launch_envs.ended(self.id);
        }
    }
}
