//! When a terminal is ended by itself.

use std::time::{Duration, Instant};

/// A terminal's limits. Zero means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// From the last output or input.
    pub idle_timeout: Duration,
    /// From the start.
    pub max_lifetime: Duration,
    pub kill_grace: Duration,
}

impl Limits {
    /// The next time at which a limit is reached, and its name in the configuration.
    pub fn due(self, born: Instant, last_activity: Instant) -> Option<(Instant, &'static str)> {
        [
            ("idle_timeout", last_activity, self.idle_timeout),
            ("max_lifetime", born, self.max_lifetime),
        ]
        .into_iter()
        .filter(|(_, _, limit)| !limit.is_zero())
        .filter_map(|(name, since, limit)| Some((since.checked_add(limit)?, name)))
        .min()
    }
}
