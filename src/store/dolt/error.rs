//! Why the copy cannot be reached or written, each with its cure, and which state that is.

use std::io;

use crate::domain::code::Code;
use crate::store::status::DoltState;

/// Why the copy is not there, in words for `store status`.
#[derive(Debug, thiserror::Error)]
pub enum DoltError {
    /// It is not configured.
    #[error("dolt is disabled: set dolt.enabled = true")]
    Disabled,
    #[error(
        "connection refused: {0} (start `dolt sql-server` there, correct dolt.host and dolt.port, or set \
         dolt.managed = true)"
    )]
    Refused(String),
    #[error("no answer from {address} in {seconds}s")]
    NoAnswer { address: String, seconds: u64 },
    #[error("{address} cannot be reached: {why}")]
    Unreachable { address: String, why: String },
    #[error("port {0} does not speak MySQL (another program has it: set dolt.port to Dolt's own)")]
    NotMysql(u16),
    #[error(
        "port {port} is {server}, not Dolt (set dolt.port to Dolt's own, or dolt.managed = true)"
    )]
    NotDolt { port: u16, server: String },
    #[error("access denied for user '{user}'{} ({detail})", .beside.as_deref().unwrap_or_default())]
    AuthFailed {
        user: String,
        /// What else is known of the server.
        beside: Option<String>,
        detail: String,
    },
    #[error("{0}")]
    WrongDatabase(String),
    #[error("Schema version mismatch: expected v{expected}, found v{found}")]
    SchemaNewer { expected: u32, found: u32 },
    #[error("Migration failed: {0}")]
    Migration(String),
    /// The server that tundra runs itself.
    #[error("{0}")]
    Managed(String),
    /// A commit or a branch that there is not, or another wish that the server does not understand.
    #[error("{0}")]
    BadRevision(String),
    /// As the server numbers and words it.
    #[error("{message} (error {code})")]
    Server { code: u16, message: String },
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The instance ends.
    #[error("tundra is ending")]
    Ending,
    #[error("the journal cannot be read: {0}")]
    Journal(String),
    #[error("nothing is shipped: no journal is kept")]
    NoJournal,
}

/// A lock that could not be had, and a row that somebody else changed meanwhile: both are over at the next try.
const PASSING: [u16; 2] = [1205, 1213];

impl DoltError {
    /// Whether the same transaction may well succeed when it is tried again at once.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Server { code, .. } if *code == PASSING[0] || *code == PASSING[1])
    }

    /// Whether the connection is still good.
    #[must_use]
    pub const fn is_the_servers(&self) -> bool {
        matches!(self, Self::Server { .. } | Self::BadRevision(_))
    }

    /// The state that it leaves the copy in.
    #[must_use]
    pub const fn state(&self) -> DoltState {
        match self {
            Self::Disabled => DoltState::Disabled,
            Self::NotMysql(_) | Self::NotDolt { .. } => DoltState::NotDolt,
            Self::AuthFailed { .. } => DoltState::AuthFailed,
            Self::WrongDatabase(_) => DoltState::WrongDatabase,
            Self::SchemaNewer { .. } => DoltState::SchemaNewer,
            Self::Refused(_)
            | Self::NoAnswer { .. }
            | Self::Unreachable { .. }
            | Self::Migration(_)
            | Self::Managed(_)
            | Self::BadRevision(_)
            | Self::Server { .. }
            | Self::Io(_)
            | Self::Ending
            | Self::Journal(_)
            | Self::NoJournal => DoltState::Backoff,
        }
    }
}

impl From<&DoltError> for Code {
    fn from(error: &DoltError) -> Self {
        match error {
            DoltError::BadRevision(_) => Self::BadRequest,
            DoltError::Ending => Self::ShuttingDown,
            DoltError::SchemaNewer { .. } => Self::SchemaNewer,
            DoltError::AuthFailed { .. }
            | DoltError::WrongDatabase(_)
            | DoltError::NotDolt { .. }
            | DoltError::NotMysql(_)
            | DoltError::Migration(_)
            | DoltError::Server { .. } => Self::Refused,
            DoltError::Disabled
            | DoltError::Refused(_)
            | DoltError::NoAnswer { .. }
            | DoltError::Unreachable { .. }
            | DoltError::Managed(_)
            | DoltError::Io(_)
            | DoltError::Journal(_)
            | DoltError::NoJournal => Self::Unavailable,
        }
    }
}
