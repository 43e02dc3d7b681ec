//! What is wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

use crate::domain::code::Code;
use crate::domain::printable::printable;

/// One thing wrong at one place of the configuration file.
///
/// Its text form is part of the public contract: `config error: config.toml:12: pty.max_ptys: must be at least 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's name without its folder.
    pub file: String,
    /// Counts from 1.
    pub line: usize,
    /// Where in the document, as `section.key` or `section[index].key`; `syntax` where it cannot be parsed.
    pub key: String,
    /// What would be right.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            key,
            message,
        } = self;
        let (key, message) = (printable(key), printable(message));
        write!(f, "config error: {file}:{line}: {key}: {message}")
    }
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file was read and is wrong; at least one fault, in the order of the file.
    #[error("{}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults { path: PathBuf, faults: Vec<Fault> },
    /// The file could not be read at all.
    #[error("config error: {}: {details}", .path.display())]
    Unreadable { path: PathBuf, details: String },
}

impl ConfigError {
    /// Each thing that is wrong, as one line.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        match self {
            Self::Faults { faults, .. } => faults.iter().map(ToString::to_string).collect(),
            Self::Unreadable { .. } => vec![self.to_string()],
        }
    }
}

impl From<&ConfigError> for Code {
    fn from(_: &ConfigError) -> Self {
        Self::Config
    }
}
