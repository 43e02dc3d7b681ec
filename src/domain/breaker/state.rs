//! What a breaker tells of itself: where it stands, how it came there, and why it lets nothing through.

use std::time::Duration;

use crate::domain::moment::Moment;
use crate::domain::outcome::Fault;

/// As it is shown; a breaker whose wait is over is half-open from the first look on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// None goes through.
    Open,
    /// Probes go through, and decide.
    HalfOpen,
}

impl BreakerState {
    /// Its name in JSON and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// A state that an operator holds the breaker in; outcomes do not move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forced {
    Closed,
    Open,
}

/// Why a call is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerRefusal {
    /// Open until then; without a time where an operator holds it open.
    Open { retry_at: Option<Moment> },
    /// Every probe's place is taken; at the latest then one is free.
    Probing { until: Moment },
}

/// A change of state, told exactly once. `from` is the `to` of the one before, and `generation` rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    pub from: BreakerState,
    pub to: BreakerState,
    pub cause: Cause,
    /// The one that begins here.
    pub generation: u64,
    /// When it changed.
    pub at: Moment,
    /// For an open breaker, when it may be probed.
    pub retry_at: Option<Moment>,
}

/// Why it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// That many failures in a row, the last of this kind.
    Failures { count: u32, last: Fault },
    /// That many timeouts in a row.
    Timeouts { count: u32 },
    /// A first probe goes.
    RetryDue,
    /// Enough probes succeeded.
    ProbeSucceeded,
    /// A probe failed, and how.
    ProbeFailed(Fault),
    /// A probe's outcome did not come within its lease.
    ProbeLost,
    /// An operator reset it.
    Reset,
    /// An operator holds it.
    Forced,
}

/// What a panel shows; reading it changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerStatus {
    /// Half-open from `retry_at` on, though the first probe may be yet to come.
    pub state: BreakerState,
    /// Failures in a row, those that opened it included.
    pub failures: u32,
    /// Timeouts in a row.
    pub timeouts: u32,
    /// Zero but for an open breaker.
    pub retry_in: Duration,
    pub generation: u64,
    /// What an operator holds it in.
    pub forced: Option<Forced>,
}
