//! The validated configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::agent::AgentKind;
use crate::domain::keymap::Keymap;

use super::shell::user_shell;

/// Everything the configuration says, each value within its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub general: General,
    pub pty: Pty,
    pub logging: Logging,
    /// What to open at the start, in this order; empty for one shell.
    pub panes: Vec<PaneSettings>,
    /// `general.prefix` and `[keys]` over the default keys.
    pub keymap: Keymap,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct General {
    /// Program and arguments; empty for the user's own shell.
    pub shell: Vec<String>,
    pub theme: ThemeChoice,
    pub mouse: bool,
    pub unicode: UnicodeChoice,
}

impl General {
    /// Program and arguments of the shell: the configured one, else `$SHELL`, else the account's, else `/bin/sh`.
    #[must_use]
    pub fn shell_command(&self) -> Vec<String> {
        if self.shell.is_empty() {
            vec![user_shell()]
        } else {
            self.shell.clone()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    Dark,
    Light,
    #[default]
    Auto,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UnicodeChoice {
    Always,
    Never,
    #[default]
    Auto,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pty {
    /// 1 to 1000.
    pub max_ptys: usize,
    pub scrollback_lines: usize,
    /// Zero for never.
    pub idle_timeout: Duration,
    /// Zero for never.
    pub max_lifetime: Duration,
    /// The share of `max_ptys`, above 0 and up to 1, from which the gauge warns.
    pub warn_at: f64,
    pub kill_grace: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    pub level: LogLevel,
    pub format: LogFormat,
    /// Bytes.
    pub max_size: u64,
    pub keep: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// One `[[pane]]`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PaneSettings {
    pub name: Option<String>,
    /// Program and arguments; empty for the shell (or the agent's own binary, where `agent` is set).
    pub command: Vec<String>,
    /// `~` is already replaced by the home directory.
    pub cwd: Option<PathBuf>,
    pub env: BTreeMap<String, String>,
    pub agent: Option<AgentKind>,
}

impl Settings {
    /// What differs from `running` and cannot be applied before the next start.
    #[must_use]
    pub fn at_next_start(&self, running: &Self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        if self.logging.format != running.logging.format {
            keys.push("logging.format");
        }
        if self.panes != running.panes {
            keys.push("pane");
        }
        keys
    }
}
