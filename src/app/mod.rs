//! The composition root: wires the rooms and picks the mode.

use crate::cli::exit::Exit;
use crate::config::{ConfigSource, Paths, Settings};

/// What an instance is started with.
#[derive(Debug)]
pub struct Launch {
    pub paths: Paths,
    pub settings: Settings,
    pub config_file: ConfigSource,
    /// What the first pane runs; empty for the configured panes, else the shell.
    pub command: Vec<String>,
}

/// Runs with the front end.
pub fn front(_launch: Launch) -> Exit {
    Exit::FAILURE
}

/// Runs without one.
pub fn serve(_launch: Launch, _print_ready: bool) -> Exit {
    Exit::FAILURE
}
