//! What is examined: a home, its configuration, and the instance that runs in it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::shapes::{ProviderShape, StatusShape};
use crate::config::{self, ConfigError, ConfigSource, Paths, Settings};
use crate::control::{Client, ControlError};
use crate::domain::profile::Profile;
use crate::runtime::secrets;

/// No check takes longer.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// An instance that hangs must not hang the doctor.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether providers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Everything,
    /// Nothing leaves this machine.
    Offline,
}

/// The terminal that the doctor was called in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuterTerminal {
    pub cols: u16,
    pub rows: u16,
    /// Whether it answered that it speaks kitty's keyboard protocol; `None` where nobody asked it.
    pub keyboard: Option<bool>,
}

/// The running instance, as far as it answers.
#[derive(Debug)]
pub enum Instance {
    Running {
        status: Box<StatusShape>,
        /// The ids of its terminals whose programs live.
        terminals: BTreeSet<String>,
    },
    None,
    /// Something holds the socket and does not answer as an instance does.
    Silent(ControlError),
}

/// What the checks look at; read once, at the beginning.
#[derive(Debug)]
pub struct Subject {
    pub paths: Paths,
    pub source: ConfigSource,
    /// What the file says, or why it is refused.
    pub settings: Result<Settings, ConfigError>,
    pub instance: Instance,
    pub scope: Scope,
    pub terminal: Option<OuterTerminal>,
}

impl Subject {
    /// Reads the configuration and asks the instance, which may take three seconds.
    #[must_use]
    pub fn read(
        paths: Paths,
        source: ConfigSource,
        scope: Scope,
        terminal: Option<OuterTerminal>,
    ) -> Self {
        Self {
            settings: config::load(&source),
            instance: instance(&paths),
            paths,
            source,
            scope,
            terminal,
        }
    }

    /// The settings, or the defaults where the file is refused.
    #[must_use]
    pub fn settings_or_default(&self) -> Option<Settings> {
        match &self.settings {
            Ok(settings) => Some(settings.clone()),
            Err(_) => config::parse("defaults", "").ok(),
        }
    }

    /// Every profile that there is to ask; none where the configuration is refused.
    #[must_use]
    pub fn profiles(&self) -> Vec<Profile> {
        let is_set = |name: &str| secrets::value(name).is_some_and(|value| !value.is_empty());
        match &self.settings {
            Ok(settings) => settings.effective_profiles(is_set),
            Err(_) => Vec::new(),
        }
    }

    #[must_use]
    pub fn status(&self) -> Option<&StatusShape> {
        match &self.instance {
            Instance::Running { status, .. } => Some(status),
            Instance::None | Instance::Silent(_) => None,
        }
    }

    /// How the running instance sees a profile.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&ProviderShape> {
        let providers = &self.status()?.providers;
        providers.iter().find(|provider| provider.name == name)
    }
}

fn instance(paths: &Paths) -> Instance {
    let asked = Client::connect(paths).and_then(|client| {
        let mut client = client.within(PATIENCE);
        let status = client.status()?;
        // One request a connection.
        let terminals = Client::connect(paths)?.within(PATIENCE).list()?;
        Ok((status, terminals))
    });
    match asked {
        Ok((status, terminals)) => Instance::Running {
            status: Box::new(status),
            // One that has ended stays listed for a while.
            terminals: terminals
                .into_iter()
                .filter(|terminal| terminal.exit.is_none())
                .map(|terminal| terminal.id)
                .collect(),
        },
        Err(ControlError::NoInstance) => Instance::None,
        Err(error) => Instance::Silent(error),
    }
}
