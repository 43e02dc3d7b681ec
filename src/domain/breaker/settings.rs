//! What a breaker goes by.

use std::time::Duration;

/// When it opens, for how long, and what closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row that open it, at least 1.
    pub failure_threshold: u32,
    /// Timeouts in a row that open it, at least 1. Each also counts as a failure.
    pub timeout_threshold: u32,
    /// Probes that must succeed to close it, at least 1.
    pub success_threshold: u32,
    /// How long it stays open at least; up to a tenth is added.
    pub open_for: Duration,
    /// Probes at a time, at least 1.
    pub half_open_requests: u32,
    /// How long a probe's outcome is awaited before the next one may go.
    pub probe_lease: Duration,
    /// From its opening to the first early probe, and between any two; zero for none. Two seconds: an agent's client asks
    /// again within that time, and a provider that is down hears no more of it than of one impatient user.
    pub early_probe: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            timeout_threshold: 3,
            success_threshold: 1,
            open_for: Duration::from_secs(30),
            half_open_requests: 1,
            probe_lease: Duration::from_secs(40),
            early_probe: Duration::from_secs(2),
        }
    }
}

/// How much of the greatest jitter to add, from none (0) to all of it (`u16::MAX`); drawn by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter(pub u16);

impl Jitter {
    /// The jitter to add to `span`, at most a tenth of it.
    pub(super) fn of(self, span: Duration) -> Duration {
        let greatest = span / 10;
        Duration::from_nanos(
            u64::try_from(greatest.as_nanos() * u128::from(self.0) / u128::from(u16::MAX))
                .unwrap_or(u64::MAX),
        )
    }
}
