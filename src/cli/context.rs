//! What the commands share: where things are, and the way to the running instance.

use std::path::PathBuf;

use super::args::Globals;
use super::failure::Failure;
use super::output::ColorChoice;
use crate::config::{ConfigSource, Paths, PathsError};
use crate::control::Client;

pub struct Context {
    home: Option<PathBuf>,
    config: Option<PathBuf>,
    pub color: ColorChoice,
}

impl Context {
    pub fn new(globals: Globals) -> Self {
        Self {
            color: globals.color,
            ..Self::of(globals.home, globals.config)
        }
    }

    /// Of the places that a command line names.
    pub fn of(home: Option<PathBuf>, config: Option<PathBuf>) -> Self {
        Self {
            home: path(home, "TUNDRA_HOME"),
            config: path(config, "TUNDRA_CONFIG"),
            color: ColorChoice::Auto,
        }
    }

    pub fn paths(&self) -> Result<Paths, PathsError> {
        Paths::find(self.home.as_deref())
    }

    pub fn config_source(&self, paths: &Paths) -> ConfigSource {
        ConfigSource::new(self.config.clone(), paths)
    }

    pub fn client(&self) -> Result<Client, Failure> {
        Ok(Client::connect(&self.paths()?)?)
    }
}

/// A path from the command line, else from the environment. An empty one is none.
fn path(given: Option<PathBuf>, variable: &str) -> Option<PathBuf> {
    given
        .or_else(|| std::env::var_os(variable).map(PathBuf::from))
        .filter(|path| !path.as_os_str().is_empty())
}
