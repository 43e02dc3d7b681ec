//! What ends a front end against its will.

use std::io;

use crate::domain::code::Code;

#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    #[error("standard input and output must be a terminal: use `tundra serve` without one")]
    NotATerminal,
    #[error("cannot set up the terminal: {0}")]
    Setup(io::Error),
    /// What was to be shown could not be started.
    #[error("{0}")]
    NotStarted(String),
    /// A bug of ours; the terminal was restored when it happened.
    #[error("the front end panicked: {0}")]
    Panicked(String),
}

impl From<&TuiError> for Code {
    fn from(error: &TuiError) -> Self {
        match error {
            TuiError::NotATerminal => Self::NoTerminal,
            TuiError::NotStarted(_) => Self::SpawnFailed,
            TuiError::Setup(_) | TuiError::Panicked(_) => Self::Internal,
        }
    }
}
