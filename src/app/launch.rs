//! What an instance is started with, what it tells once it is up, and how it ends.

use std::path::PathBuf;

use crate::config::{ConfigSource, Paths, Settings};
use crate::runtime::signals::Termination;

/// What an instance is started with.
#[derive(Clone, Debug)]
pub struct Launch {
    pub paths: Paths,
    pub settings: Settings,
    pub config: ConfigSource,
    /// The text that the settings were read from.
    pub config_text: ConfigText,
    pub beginning: Beginning,
    pub version: String,
}

/// The text of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigText {
    /// As it stood in its file.
    Read(String),
    /// As another program had read it when it began; its file may say something else by now.
    Kept(String),
}

impl ConfigText {
    #[must_use]
    pub fn as_str(&self) -> &str {
        let (Self::Read(text) | Self::Kept(text)) = self;
        text
    }
}

/// What an instance begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// What one before it has left that ended without being asked to.
    Restored,
    Fresh,
}

impl Beginning {
    /// By whether `--fresh` was given.
    #[must_use]
    pub const fn of(fresh: bool) -> Self {
        if fresh { Self::Fresh } else { Self::Restored }
    }
}

/// What `serve` tells once everything accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    pub pid: u32,
    pub version: String,
    pub control_socket: PathBuf,
    /// The address for browsers, without a token; None where it is disabled.
    pub remote_url: Option<String>,
    /// None where the gateway is disabled.
    pub gateway_url: Option<String>,
    /// What does not work as it should and yet stops nothing, for people.
    pub notices: Vec<String>,
}

/// How an instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The user left.
    Quit,
    Signal(Termination),
}
