//! What goes wrong on the way from one program to the next.

use std::io;
use std::path::PathBuf;

/// Why something was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    #[error("the state cannot be written to memory: {0}")]
    Memory(#[source] io::Error),
    #[error("what `{room}` keeps cannot be written: {source}")]
    Written {
        room: &'static str,
        source: serde_json::Error,
    },
    #[error("descriptor {0} holds no state of tundra")]
    NoState(i32),
    #[error("the state has form {found}, and this tundra reads form {known}")]
    Form { found: u32, known: u32 },
    #[error("what `{room}` kept cannot be read: {source}")]
    Read {
        room: &'static str,
        source: serde_json::Error,
    },
    #[error("{} cannot be executed: {source}", .program.display())]
    Exec { program: PathBuf, source: io::Error },
}
