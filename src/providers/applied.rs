//! What of the configuration concerns providers, in the form in which they take it.

use std::path::Path;
use std::time::Duration;

use crate::config::Settings;
use crate::domain::profile::Profile;
use crate::domain::route::RouteSettings;
use crate::gateway::{KeySource, Options, key_variables};
use crate::supervise::{Address, Begin, Probe, Spec, StandIn};

/// What is in force, so that a change of other settings is no change here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Applied {
    pub options: Options,
    pub profiles: Vec<Profile>,
    /// The variable that holds the store's password.
    pub store_secret: Option<String>,
}

impl Applied {
    pub fn of(settings: &Settings, keys: &KeySource) -> Self {
        Self {
            options: options_of(settings),
            profiles: profiles_of(settings, keys),
            store_secret: settings.dolt.password_env.clone(),
        }
    }

    pub fn key_variables(&self) -> impl Iterator<Item = String> {
        key_variables(&self.profiles).map(str::to_owned)
    }

    /// Variables that no child may see.
    pub fn secrets(&self) -> Vec<String> {
        let keys = self.key_variables();
        keys.chain(self.store_secret.clone()).collect()
    }
}

fn options_of(settings: &Settings) -> Options {
    Options {
        route: RouteSettings {
            breaker: settings.breaker,
            max_wait: settings.gateway.max_wait,
            translation: settings.gateway.translation,
            affinity: settings.gateway.affinity,
            spill: settings.gateway.spill,
        },
        timeouts: settings.timeouts,
        max_body: settings.gateway.max_body,
        ..Options::default()
    }
}

fn profiles_of(settings: &Settings, keys: &KeySource) -> Vec<Profile> {
    settings.effective_profiles(|name| keys(name).is_some_and(|key| !key.trim().is_empty()))
}

/// The servers of local profiles that have a command. They see none of the variables `without`.
pub(super) fn server_specs(
    profiles: &[Profile],
    logs: &Path,
    without: &[String],
    grace: Duration,
) -> Vec<Spec> {
    let with_server = profiles
        .iter()
        .filter(|profile| !profile.command.is_empty());
    let specs = with_server.map(|profile| {
        let name = profile.name.as_str();
        Spec {
            without: without.to_vec(),
            probe: Address::of(&profile.base_url).map_or(Probe::Never, Probe::Http),
            // A server that the user started by hand is as good.
            stand_in: StandIn::Accepted,
            grace,
            begin: if profile.enabled {
                Begin::Running
            } else {
                Begin::Stopped
            },
            ..Spec::new(name, profile.command.clone(), Spec::log_in(logs, name))
        }
    });
    specs.collect()
}
