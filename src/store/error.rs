//! What can go wrong with the journal and its copy.

use std::io;
use std::path::PathBuf;

use crate::domain::code::Code;

/// Why the journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Written by a newer tundra, and left alone.
    #[error("Schema version mismatch: expected v{expected}, found v{found}")]
    SchemaNewer { expected: u32, found: u32 },
    #[error("Migration failed: {0}")]
    Migration(String),
    #[error("{} is no database: tundra moves it aside when it starts", .0.display())]
    NoDatabase(PathBuf),
    #[error("{} cannot be used: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the journal: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The instance keeps no journal, so there is nothing to ask it for.
    #[error("the journal is {0}")]
    NotKept(String),
}

/// Whether a fault of SQLite says that the file is none of its own, or broken beyond use.
pub(super) fn is_no_database(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt)
    )
}

impl From<&StoreError> for Code {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::SchemaNewer { .. } => Self::SchemaNewer,
            StoreError::NotKept(_) => Self::Unavailable,
            StoreError::Migration(_)
            | StoreError::NoDatabase(_)
            | StoreError::File { .. }
            | StoreError::Sql(_) => Self::Internal,
        }
    }
}
