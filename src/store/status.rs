//! How the store stands, for whoever shows it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

/// The journal and its copy, as of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreStatus {
    pub path: PathBuf,
    /// Bytes on the disk.
    pub size: u64,
    /// The version of the database's schema; None where there is none.
    pub schema: Option<u32>,
    /// Steps that the next start would carry out.
    pub pending: Vec<String>,
    pub state: StoreState,
    /// Why it is not ready, and what helps.
    pub message: Option<String>,
    /// Facts in memory that are not written yet.
    pub waiting: usize,
    /// Rows of events, and of usage; None where nobody could count.
    pub events: Option<u64>,
    pub usage_hours: Option<u64>,
    /// Rows that wait for Dolt.
    pub outbox: u64,
    pub dolt: DoltStatus,
}

impl StoreStatus {
    /// Of a journal of which nothing is known yet.
    pub(super) fn unknown(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            size: 0,
            schema: None,
            pending: Vec::new(),
            state: StoreState::default(),
            message: None,
            waiting: 0,
            events: None,
            usage_hours: None,
            outbox: 0,
            dolt: DoltStatus::default(),
        }
    }
}

/// How the journal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StoreState {
    Ready,
    /// The disk is full, fails or is held by another; facts wait in memory.
    Degraded,
    /// Written by a newer tundra: nothing is kept.
    SchemaNewer,
    /// Nothing is kept, or nothing was yet.
    #[default]
    Off,
}

impl StoreState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::SchemaNewer => "schema_newer",
            Self::Off => "off",
        }
    }
}

/// The versioned copy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DoltStatus {
    pub state: DoltState,
    pub message: Option<String>,
    /// `host:port`; None where it is disabled.
    pub server: Option<String>,
    /// As the server tells it.
    pub version: Option<String>,
    pub database: Option<String>,
    pub last_commit: Option<Commit>,
    /// When it is tried again.
    pub retry_at: Option<Timestamp>,
    pub is_managed: bool,
    /// Of a server that tundra runs.
    pub pid: Option<u32>,
}

impl DoltStatus {
    /// The time until the next try.
    #[must_use]
    pub fn retry_in(&self, now: Timestamp) -> Option<Duration> {
        let left = self.retry_at?.duration_since(now);
        Some(Duration::try_from(left).unwrap_or_default())
    }
}

/// How the copy stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DoltState {
    #[default]
    Disabled,
    Connecting,
    /// Another server answers on the port.
    NotDolt,
    /// The database is another store's, or no store's at all.
    WrongDatabase,
    AuthFailed,
    SchemaNewer,
    Ready,
    /// It failed and is tried again.
    Backoff,
}

impl DoltState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Connecting => "connecting",
            Self::NotDolt => "not_dolt",
            Self::WrongDatabase => "wrong_database",
            Self::AuthFailed => "auth_failed",
            Self::SchemaNewer => "schema_newer",
            Self::Ready => "ready",
            Self::Backoff => "backoff",
        }
    }
}

/// A commit of the versioned copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub hash: String,
    pub at: Timestamp,
    pub author: String,
    pub message: String,
}
