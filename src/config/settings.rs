//! The validated configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::adapter::{Adapters, AgentName};
use crate::domain::agent::NoticePolicy;
use crate::domain::breaker::BreakerSettings;
use crate::domain::budget::Budget;
use crate::domain::keymap::Keymap;
use crate::domain::login::Spill;
use crate::domain::offer::Offers;
use crate::domain::profile::Profile;
use crate::domain::route::Translation;
use crate::domain::timeouts::Timeouts;

use super::shell::user_shell;

/// Between the priorities of profiles that nobody configured.
const FOUND_APART: i64 = 10;

/// Everything the configuration says, each value within its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub general: General,
    pub pty: Pty,
    pub remote: Remote,
    pub gateway: Gateway,
    pub breaker: BreakerSettings,
    /// None is zero.
    pub timeouts: Timeouts,
    /// As configured; [`Settings::effective_profiles`] is what there is to ask.
    pub profiles: Vec<Profile>,
    pub store: Store,
    pub dolt: Dolt,
    pub logging: Logging,
    pub notify: Notify,
    /// The agents there are.
    pub agents: Adapters,
    /// What to open at the start, in this order; empty for one shell.
    pub panes: Vec<PaneSettings>,
    /// `general.prefix` and `[keys]` over the default keys.
    pub keymap: Keymap,
}

/// `[general]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct General {
    /// Program and arguments; empty for the user's own shell.
    pub shell: Vec<String>,
    pub theme: ThemeChoice,
    /// Whether the front end takes mouse events; programs get theirs either way.
    pub mouse: bool,
    pub unicode: UnicodeChoice,
    pub on_close: OnClose,
    /// How long requests under way may go on, once another program is to take over.
    pub drain: Duration,
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

/// Which colours the front end takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    Dark,
    Light,
    #[default]
    Auto,
}

/// What becomes of an instance whose terminal's window is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnClose {
    #[default]
    Detach,
    Quit,
}

/// Whether lines and marks are drawn with more than ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UnicodeChoice {
    Always,
    Never,
    #[default]
    Auto,
}

/// `[pty]`
#[derive(Clone, Debug, PartialEq)]
pub struct Pty {
    /// 1 to 1000.
    pub max_ptys: usize,
    /// Lines of history of each terminal.
    pub scrollback_lines: usize,
    /// Zero for never.
    pub idle_timeout: Duration,
    /// Zero for never.
    pub max_lifetime: Duration,
    /// The share of `max_ptys`, above 0 and up to 1, from which the gauge warns.
    pub warn_at: f64,
    /// From the HUP that ends a terminal to the KILL.
    pub kill_grace: Duration,
    /// Whether terminals are kept from the instance's sockets and files.
    pub confine: bool,
}

/// Attaching over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    pub enabled: bool,
    pub bind: SocketAddr,
    /// The user chose `bind`, so that no other port will do.
    pub bind_named: bool,
    /// How long a terminal opened over the network outlives its last viewer, and a viewer's place is kept.
    pub reconnect_grace: Duration,
    /// Bytes of output kept for each terminal's viewers.
    pub replay_bytes: usize,
    pub idle_timeout: Duration,
    /// Between two pings to a viewer.
    pub heartbeat_interval: Duration,
    /// From a ping to the end of a viewer of which nothing was heard.
    pub pong_timeout: Duration,
    /// Origins besides its own, each as `scheme://host[:port]` in lower case.
    pub allowed_origins: Vec<String>,
    /// PEM files of certificate chain and private key; both or none.
    pub tls: Option<TlsFiles>,
    /// Viewers of all terminals together.
    pub max_viewers: usize,
}

/// A certificate chain and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// `[gateway]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    pub enabled: bool,
    /// A loopback address; port 0 is any free one.
    pub bind: SocketAddr,
    /// The user chose `bind`, so that no other port will do.
    pub bind_named: bool,
    /// How long a request waits for room.
    pub max_wait: Duration,
    /// Bytes of the largest request, decoded.
    pub max_body: usize,
    pub translation: Translation,
    /// Whether a login's requests may go on to providers that cost money.
    pub spill: Spill,
    /// How long a conversation stays with the profile that answered it last; zero for not at all.
    pub affinity: Duration,
}

/// The journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// How long events are kept; more than none.
    pub retention: Duration,
}

/// The journal's versioned copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dolt {
    pub enabled: bool,
    pub host: String,
    pub port: u16,
    pub user: String,
    /// The variable that holds the password; None where there is none.
    pub password_env: Option<String>,
    pub database: String,
    /// tundra runs the server itself, on a port of its own.
    pub managed: bool,
    /// The folder of a server that tundra runs; None for `data/dolt`.
    pub dir: Option<PathBuf>,
    /// At least a second.
    pub commit_every: Duration,
}

/// `[logging]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    pub level: LogLevel,
    pub format: LogFormat,
    /// Bytes.
    pub max_size: u64,
    /// How many files that were set aside are kept.
    pub keep: usize,
    /// Lines go to systemd's journal, too.
    pub journald: bool,
    /// The collector of traces (OTLP over HTTP); None for no traces.
    pub otlp_endpoint: Option<String>,
}

/// What is logged, from this level up; from the gravest on: what is less grave is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The level of a name in either case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(name))
    }
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// How the user is told of agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    pub bell: bool,
    /// By which sequence the outer terminal is told; None for not at all.
    pub osc: Option<OscKind>,
    /// Program and arguments; empty for none.
    pub command: Vec<String>,
    pub policy: NoticePolicy,
}

/// A sequence by which a terminal shows a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OscKind {
    /// iTerm2, `WezTerm`, Windows Terminal, ghostty and others.
    Osc9,
    /// kitty.
    Osc99,
    /// rxvt-unicode, foot, VTE.
    Osc777,
}

/// One `[[pane]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaneSettings {
    pub name: Option<String>,
    /// Program and arguments; empty for the shell (or the agent's own command, where `agent` is set).
    pub command: Vec<String>,
    /// `~` is already replaced by the home directory.
    pub cwd: Option<PathBuf>,
    pub env: BTreeMap<String, String>,
    pub agent: Option<AgentName>,
    /// What its requests may use; a limit that it does not name is its agent's.
    pub budget: Budget,
    /// Whether its programs are pointed at the gateway; without it their environment stays as it is.
    pub gateway: bool,
    /// Whether its programs are kept from the instance's sockets and files; None: as its agent says, else `pty.confine`.
    pub confine: Option<bool>,
}

impl Default for PaneSettings {
    fn default() -> Self {
        Self {
            name: None,
            command: Vec::new(),
            cwd: None,
            env: BTreeMap::new(),
            agent: None,
            budget: Budget::default(),
            gateway: true,
            confine: None,
        }
    }
}

impl Settings {
    /// The configured profiles; where there are none, those of [`Profile::discovered`].
    #[must_use]
    pub fn effective_profiles(&self, is_set: impl Fn(&str) -> bool) -> Vec<Profile> {
        if self.profiles.is_empty() {
            Profile::discovered(is_set, FOUND_APART)
        } else {
            self.profiles.clone()
        }
    }

    /// What an instance with these settings offers each vendor's clients; `is_set` tells which variables hold something.
    #[must_use]
    pub fn offers(&self, is_set: impl Fn(&str) -> bool) -> Offers {
        let profiles = self.effective_profiles(&is_set);
        let has_key = |profile: &&Profile| {
            let key = profile.key_env.as_deref();
            profile.enabled && key.is_none_or(&is_set)
        };
        let usable: Vec<&Profile> = profiles.iter().filter(has_key).collect();
        Offers::of(&usable, self.gateway.translation)
    }

    /// What differs from `running` and cannot be applied before the next start.
    #[must_use]
    pub fn at_next_start(&self, running: &Self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        if self.logging.format != running.logging.format {
            keys.push("logging.format");
        }
        let listener = |settings: &Self| {
            let remote = &settings.remote;
            (remote.enabled, remote.bind, remote.tls.clone())
        };
        if listener(self) != listener(running) {
            keys.push("remote");
        }
        if self.gateway.enabled != running.gateway.enabled {
            keys.push("gateway.enabled");
        }
        if self.gateway.bind != running.gateway.bind {
            keys.push("gateway.bind");
        }
        if self.panes != running.panes {
            keys.push("pane");
        }
        keys
    }
}
