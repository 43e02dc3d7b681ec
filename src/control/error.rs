//! What can go wrong between a command and the running instance.

use std::io;

use crate::api::shapes::ErrorShape;
use crate::domain::code::Code;

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

impl From<&ControlError> for Code {
    fn from(error: &ControlError) -> Self {
        match error {
            ControlError::NoInstance => Self::NoInstance,
            ControlError::Refused(error) => error.known_code(),
            ControlError::Ipc(_) => Self::Ipc,
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
