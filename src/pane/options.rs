//! What the pool goes by.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::limits::Limits;
use crate::domain::adapter::Adapters;

/// What the pool goes by; may be replaced while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Terminals that may live at once, 1 to 1000.
    pub max_ptys: usize,
    /// Lines of history of each terminal, of those opened from now on.
    pub scrollback_lines: usize,
    /// Zero for never.
    pub idle_timeout: Duration,
    /// Zero for never.
    pub max_lifetime: Duration,
    /// From the HUP that ends a terminal to the KILL; TERM goes after a quarter of it.
    pub kill_grace: Duration,
    /// Bytes of output kept for the viewers of each terminal.
    pub replay_bytes: usize,
    /// Program and arguments of a terminal that names none.
    pub shell: Vec<String>,
    /// The agents that a terminal may name.
    pub agents: Adapters,
    /// Variables of every terminal, which its own go before.
    pub env: Vec<(String, OsString)>,
    /// Whether terminals are confined that do not say so themselves.
    pub confine: bool,
    pub private: PrivateFolders,
}

/// What a confined terminal's programs are kept from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PrivateFolders {
    /// A folder that they see and cannot put another one in the place of.
    pub pinned: Option<PathBuf>,
    /// Folders that they do not see.
    pub covered: Vec<PathBuf>,
}

impl PoolOptions {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            idle_timeout: self.idle_timeout,
            max_lifetime: self.max_lifetime,
            kill_grace: self.kill_grace,
        }
    }
}
