//! Why a command failed, with its code for programs and its exit code.

use super::exit::Exit;
use crate::app::AppError;
use crate::config::{ConfigError, PathsError};
use crate::control::ControlError;

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
    /// Nothing was taken over from elsewhere.
    #[error("{0}")]
    Import(String),
}

impl Failure {
    /// The code in `{"error":{"code","message"}}`.
    pub fn code(&self) -> &str {
        match self {
            Self::Control(error) => error.code(),
            Self::Config(_) => "config",
            Self::Paths(_) | Self::App(AppError::Paths(_)) => "paths",
            Self::App(AppError::Instance(_)) => "already_running",
            Self::App(AppError::Port(_)) => "address_in_use",
            Self::App(AppError::NotStarted(_)) => "spawn_failed",
            Self::App(_) => "internal",
            Self::Usage(_) => "usage",
            Self::NoTerminal { .. } => "no_terminal",
            Self::TimedOut(_) => "timeout",
            Self::Ended(_) => "gone",
            Self::Input(_) => "bad_request",
            Self::Import(_) => "import",
        }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Control(ControlError::NoInstance) => Exit::NO_INSTANCE,
            Self::Config(_)
            | Self::Usage(_)
            | Self::NoTerminal { .. }
            | Self::Paths(PathsError::NoHome)
            | Self::App(AppError::Paths(PathsError::NoHome)) => Exit::USAGE,
            Self::Control(_)
            | Self::Paths(_)
            | Self::App(_)
            | Self::TimedOut(_)
            | Self::Ended(_)
            | Self::Import(_)
            | Self::Input(_) => Exit::FAILURE,
        }
    }
}
