//! The right to a call, and how it ended.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::affinity::ConversationId;
use crate::domain::breaker::BreakerTicket;
use crate::domain::bucket::{Reservation, Used};
use crate::domain::moment::Moment;
use crate::domain::outcome::{CallError, Outcome, is_rejection};
use crate::domain::profile::{Dialect, Profile};

use super::choice::Choice;
use super::profile_state::{ProfileId, Rejection};
use super::skip::NothingLeft;

/// The right to make one call to one profile. Settle it exactly once.
#[derive(Debug)]
#[must_use = "a permit that is not settled keeps its place and its tokens"]
pub struct Permit {
    pub(super) id: ProfileId,
    pub(super) breaker: BreakerTicket,
    pub(super) reservation: Reservation,
    /// It looks whether a budget is still spent.
    pub(super) asks_again: bool,
    pub profile: Arc<Profile>,
    /// The dialect to speak upstream.
    pub dialect: Dialect,
    pub choice: Choice,
    pub(super) conversation: Option<ConversationId>,
}

impl Permit {
    /// Whether the call decides if the profile's breaker closes.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.breaker.is_probe()
    }
}

/// What to do with a call.
#[derive(Debug)]
pub enum Admission {
    Go(Permit),
    /// Nobody can take it now, somebody may then; ask again with the same run, or leave the queue.
    Wait {
        until: Moment,
    },
    Refused(NothingLeft),
}

/// How a call ended, in all that the rules need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub(super) outcome: Outcome,
    pub(super) used: Used,
    pub(super) cool: Option<Cool>,
    /// Whether the provider gave an answer that a spent budget would not give.
    pub(super) answered: bool,
}

/// What a provider's answer asks for besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cool {
    /// A 429.
    RateLimit(Duration),
    /// A 5xx or 529 that names a time.
    Overload(Duration),
    /// A 429 that speaks of a spent budget, and how long until it is there again where it tells.
    Spent(Option<Duration>),
    /// A 401, 402 or 403 to a key of tundra's.
    Rejected(Rejection),
}

impl Settlement {
    /// A whole answer. `used` are the tokens that count towards the limit.
    #[must_use]
    pub const fn success(used: Used) -> Self {
        Self {
            outcome: Outcome::Success,
            used,
            cool: None,
            answered: true,
        }
    }

    /// An error, with the cooldown that a 429 brings.
    #[must_use]
    pub fn failed(error: &CallError, used: Used) -> Self {
        let cool = match error {
            CallError::RateLimited { retry_after } => Some(Cool::RateLimit(*retry_after)),
            _ => None,
        };
        let refused = matches!(error, CallError::Api { status, .. } if *status < 500 && !is_rejection(*status));
        Self {
            outcome: error.outcome(),
            used,
            answered: refused || cool.is_some(),
            cool,
        }
    }

    /// The caller left, or tundra gave the attempt up for a reason of its own.
    #[must_use]
    pub const fn ignored(used: Used) -> Self {
        Self {
            outcome: Outcome::Ignored,
            used,
            cool: None,
            answered: false,
        }
    }

    /// The same where the profile is not to blame: what was asked for concerns one caller's login alone.
    #[must_use]
    pub fn of_login_alone(mut self) -> Self {
        self.cool = None;
        self
    }

    /// The same with another cooldown.
    #[must_use]
    pub fn with(mut self, cool: Cool) -> Self {
        self.cool = Some(cool);
        self
    }
}
