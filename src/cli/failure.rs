//! Why a command failed, with its code for programs and its exit code.

use std::io;

use super::exit::Exit;
use crate::app::AppError;
use crate::config::{ConfigError, PathsError};
use crate::control::ControlError;
use crate::doctor::bundle::BundleError;
use crate::domain::code::Code;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Paths(#[from] PathsError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("stdout cannot be written: {0}")]
    Output(#[from] io::Error),
    /// What was asked for cannot be.
    #[error("{0}")]
    Usage(String),
    #[error("{what}\nwithout one: {instead}")]
    NoTerminal {
        what: &'static str,
        instead: &'static str,
    },
    #[error("{0}")]
    TimedOut(String),
    /// The terminal ended before what was waited for.
    #[error("{0}")]
    Ended(String),
    #[error("{0}")]
    Input(String),
    /// Nothing goes by what was given.
    #[error("{0}")]
    Unknown(String),
    /// Nothing was taken over from elsewhere.
    #[error("{0}")]
    Import(String),
}

impl Failure {
    /// The code's text in `{"error":{"code","message"}}`; one that only the running instance knows passes as it is.
    pub fn code(&self) -> &str {
        match self {
            Self::Control(ControlError::Refused(error)) => &error.code,
            failure => Code::from(failure).as_str(),
        }
    }

    pub fn exit(&self) -> Exit {
        Exit::of(Code::from(self))
    }
}

impl From<&Failure> for Code {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Control(error) => Self::from(error),
            Failure::Config(error) => Self::from(error),
            Failure::Paths(error) => Self::from(error),
            Failure::App(error) => Self::from(error),
            Failure::Store(error) => Self::from(error),
            Failure::Bundle(error) => Self::from(error),
            Failure::Output(_) => Self::Internal,
            Failure::Usage(_) => Self::Usage,
            Failure::NoTerminal { .. } => Self::NoTerminal,
            Failure::TimedOut(_) => Self::Timeout,
            Failure::Ended(_) => Self::Gone,
            Failure::Input(_) => Self::BadRequest,
            Failure::Unknown(_) => Self::NotFound,
            Failure::Import(_) => Self::Import,
        }
    }
}
