//! Why an instance could not be started or had to end.

use std::io;
use std::path::PathBuf;

use crate::config::PathsError;
use crate::control::InstanceError;
use crate::runtime::ports::BindError;
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
    #[error(transparent)]
    Front(#[from] TuiError),
}
