//! What can go wrong with a terminal.

use crate::domain::adapter::UnknownAgent;
use crate::domain::code::Code;
use crate::domain::id::TerminalId;
use crate::runtime::programs::ProgramError;

/// Errors of the pool and its panes; the texts are part of the public contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaneError {
    #[error("pty pool is at capacity ({max})")]
    AtCapacity { max: usize },
    /// Nothing goes by that id, id prefix or name.
    #[error("pty handle not found: {0}")]
    NotFound(String),
    /// An id prefix or a name that fits several terminals.
    #[error("{given:?} fits several terminals: {}", .ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Ambiguous { given: String, ids: Vec<TerminalId> },
    #[error("pty spawn failed: {0}")]
    SpawnFailed(String),
    #[error(transparent)]
    UnknownAgent(#[from] UnknownAgent),
    /// The program in the pane does not read and the pane's input queue is full.
    #[error("pty I/O error: the program does not read its input and {pending} bytes are waiting")]
    InputFull { pending: usize },
    /// The terminal has ended.
    #[error("terminal is dead: {0}")]
    Dead(TerminalId),
    /// Tundra is ending.
    #[error("tundra is shutting down")]
    ShuttingDown,
}

impl From<&PaneError> for Code {
    fn from(error: &PaneError) -> Self {
        match error {
            PaneError::AtCapacity { .. } => Self::AtCapacity,
            PaneError::NotFound(_) => Self::NotFound,
            PaneError::Ambiguous { .. } => Self::BadRequest,
            PaneError::SpawnFailed(_) => Self::SpawnFailed,
            PaneError::UnknownAgent(_) => Self::UnknownAgent,
            PaneError::InputFull { .. } => Self::InputFull,
            PaneError::Dead(_) => Self::Gone,
            PaneError::ShuttingDown => Self::ShuttingDown,
        }
    }
}

impl From<ProgramError> for PaneError {
    fn from(error: ProgramError) -> Self {
        Self::SpawnFailed(error.to_string())
    }
}
