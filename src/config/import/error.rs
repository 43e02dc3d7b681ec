//! Why the predecessor's files give nothing.

use std::io;
use std::path::PathBuf;

use crate::config::error::Fault;

/// Why nothing can be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{} has neither api_profiles.json nor harness.toml, in itself or in its folder config", .0.display())]
    Nothing(PathBuf),
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {message}", .path.display())]
    Malformed { path: PathBuf, message: String },
    #[error("these profiles are configured already: {}; rename or remove them first", .0.join(", "))]
    Exists(Vec<String>),
    /// The files hold values that no configuration may have.
    #[error("what was read cannot be a configuration: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Impossible(Vec<Fault>),
}
