//! A breaker on its way to another program.

use super::state::Forced;
use crate::domain::moment::Moment;

/// A breaker as it goes over to another program, with no probe under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptBreaker {
    pub failures: u32,
    pub timeouts: u32,
    pub phase: KeptPhase,
}

/// Where it stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeptPhase {
    #[default]
    Closed,
    Open {
        opened_at: Moment,
        retry_at: Moment,
        early_since: Moment,
    },
    HalfOpen {
        /// Probes that succeeded.
        succeeded: u32,
    },
    Forced(Forced),
}
