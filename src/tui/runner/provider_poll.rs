//! When the providers are looked at: at once after a pause, and else a little later, since a busy gateway changes hundreds of
//! times a second.

use std::time::{Duration, Instant};

/// The least time between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// When the providers were looked at, or are to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum ProviderPoll {
    Done(Instant),
    /// They changed right after the last look.
    Due(Instant),
}

impl ProviderPoll {
    /// They changed; whether to look at once.
    pub fn changed(&mut self, now: Instant) -> bool {
        match *self {
            Self::Done(at) if now.saturating_duration_since(at) < LOOK_AGAIN => {
                *self = Self::Due(at + LOOK_AGAIN);
                false
            }
            Self::Done(_) => true,
            Self::Due(_) => false,
        }
    }

    /// When to look; until then changes need not be heard of.
    pub fn due(self) -> Option<Instant> {
        match self {
            Self::Due(at) => Some(at),
            Self::Done(_) => None,
        }
    }
}
