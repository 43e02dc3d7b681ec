//! How profiles are chosen, as configured.

use std::time::Duration;

use crate::domain::breaker::BreakerSettings;
use crate::domain::login::Spill;

use super::translation::Translation;

/// What the configuration says of all profiles together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSettings {
    pub breaker: BreakerSettings,
    /// How long a request waits for a bucket or a cooldown, all its waits together.
    pub max_wait: Duration,
    /// When profiles that do not speak the caller's dialect are asked.
    pub translation: Translation,
    /// How long a conversation stays with the profile that answered it last; zero for not at all.
    pub affinity: Duration,
    /// Whether a login's requests may cost money.
    pub spill: Spill,
}

impl Default for RouteSettings {
    fn default() -> Self {
        Self {
            breaker: BreakerSettings::default(),
            max_wait: Duration::from_secs(10),
            translation: Translation::default(),
            affinity: Duration::from_secs(300),
            spill: Spill::default(),
        }
    }
}
