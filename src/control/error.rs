//! What can go wrong between a command and the running instance.

use std::io;

use super::shapes::ErrorShape;
use crate::pane::PaneError;

/// Why a command got no answer, or not the one it asked for.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error(
        "no tundra is running here: start one with `tundra` in a terminal, or without one with `tundra serve`"
    )]
    NoInstance,
    /// The instance said no; its code and its words.
    #[error("{}", .0.message)]
    Refused(ErrorShape),
    #[error("IPC error: {0}")]
    Ipc(String),
}

impl ControlError {
    /// The code of section 9's error shape.
    pub fn code(&self) -> &str {
        match self {
            Self::NoInstance => "no_instance",
            Self::Refused(error) => &error.code,
            Self::Ipc(_) => "ipc",
        }
    }
}

impl From<io::Error> for ControlError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Self::Ipc("the running tundra does not answer".to_owned())
            }
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof => {
                Self::Ipc("the running tundra closed the connection".to_owned())
            }
            _ => Self::Ipc(error.to_string()),
        }
    }
}

impl From<&PaneError> for ErrorShape {
    fn from(error: &PaneError) -> Self {
        let code = match error {
            PaneError::AtCapacity { .. } => "at_capacity",
            PaneError::NotFound(_) => "not_found",
            PaneError::Ambiguous { .. } => "bad_request",
            PaneError::SpawnFailed(_) => "spawn_failed",
            PaneError::InputFull { .. } => "input_full",
            PaneError::Dead(_) => "gone",
            PaneError::ShuttingDown => "shutting_down",
        };
        Self::new(code, error.to_string())
    }
}

impl From<PaneError> for ErrorShape {
    fn from(error: PaneError) -> Self {
        Self::from(&error)
    }
}
