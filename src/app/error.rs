//! Why an instance could not be started or had to end.

use std::io;
use std::path::PathBuf;

use crate::config::PathsError;
use crate::control::{ControlError, InstanceError};
use crate::demo::ClientError;
use crate::domain::code::Code;
use crate::remote::{RemoteError, TransportError};
use crate::runtime::handover::HandoverError;
use crate::runtime::ports::BindError;
use crate::store::StoreError;
use crate::tui::TuiError;

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// Another instance holds this home.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    #[error("the control socket {} cannot be bound: {source}", .path.display())]
    Socket { path: PathBuf, source: io::Error },
    /// A listener got no port.
    #[error(transparent)]
    Port(#[from] BindError),
    #[error("the gateway's key {} cannot be kept: {source}", .path.display())]
    Key { path: PathBuf, source: io::Error },
    #[error("the runtime cannot be started: {0}")]
    Runtime(io::Error),
    #[error("the demonstration cannot be played: {0}")]
    Demo(io::Error),
    #[error(transparent)]
    DemoClient(#[from] ClientError),
    /// Nobody would ever learn that the instance accepts.
    #[error("stdout cannot be written: {0}")]
    Ready(io::Error),
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A viewer has no way to its pane.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A viewer named no terminal that there is.
    #[error("{0}")]
    NoTerminal(String),
    /// What the front end was to show could not be started.
    #[error("{0}")]
    NotStarted(String),
    /// The instance cannot be asked, or takes no terminal.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The instance has left the terminal, for this reason.
    #[error("{message}")]
    Left { code: Code, message: String },
    /// The instance that was started ended before it was up.
    #[error("tundra could not be started; {} may tell why", .log.display())]
    Stillborn { log: PathBuf },
    #[error("tundra with pid {pid} does not show anything: it may be stopped or busy")]
    Silent { pid: u32 },
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Front(TuiError),
    /// Nothing went over to another program, or from one.
    #[error("this tundra cannot go on: {0}")]
    Handover(#[from] HandoverError),
}

impl From<TuiError> for AppError {
    fn from(error: TuiError) -> Self {
        match error {
            TuiError::NotStarted(why) => Self::NotStarted(why),
            error => Self::Front(error),
        }
    }
}

impl From<&AppError> for Code {
    fn from(error: &AppError) -> Self {
        match error {
            AppError::Paths(error) => Self::from(error),
            AppError::Instance(error) => Self::from(error),
            AppError::Port(error) => Self::from(error),
            AppError::Remote(error) => Self::from(error),
            AppError::Transport(error) => Self::from(error),
            AppError::NoTerminal(_) => Self::NotFound,
            AppError::NotStarted(_) => Self::SpawnFailed,
            AppError::Control(error) => Self::from(error),
            AppError::Store(error) => Self::from(error),
            AppError::Left { code, .. } => *code,
            AppError::Stillborn { .. } => Self::BrokeOff,
            AppError::Silent { .. } => Self::Timeout,
            AppError::Socket { .. }
            | AppError::Key { .. }
            | AppError::Runtime(_)
            | AppError::Demo(_)
            | AppError::DemoClient(_)
            | AppError::Ready(_)
            | AppError::Handover(_)
            | AppError::Front(_) => Self::Internal,
        }
    }
}
