//! Why a profile is not asked, and what is said when none is left.

use std::fmt;
use std::time::Duration;

use crate::domain::cooldown::CoolingCause;
use crate::domain::moment::{Moment, Span};
use crate::domain::outcome::Refusal;
use crate::domain::profile::{Capability, Dialect, Profile, ProfileName};

use super::translation::Feature;

/// Told as `Retry-After` where no profile knows when it can be asked again: as long as a breaker stays open.
const UNKNOWN_RETRY: Duration = Duration::from_secs(30);

/// Why a profile is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    Disabled,
    NoKey,
    /// It serves those who bring a login that it takes.
    NeedsLogin,
    /// It costs money, which the caller's plan does not pay and its user has not agreed to.
    NeedsConsent,
    /// The caller's plan is used up.
    UsedUp {
        until: Moment,
    },
    /// Nothing answers at its address, and nobody wrote it down.
    Unreachable,
    Unsupported(Lack),
    /// The server that tundra runs for it does not take requests yet.
    Starting,
    /// That server ended by itself and is started again after a pause.
    Down,
    /// An operator sent requests elsewhere.
    Held {
        until: Moment,
    },
    /// Its provider did not take the key; `billing` where it is the credit that is missing.
    Rejected {
        until: Moment,
        billing: bool,
    },
    /// Its budget is spent.
    Exhausted {
        until: Moment,
    },
    Cooling {
        until: Moment,
        cause: CoolingCause,
    },
    /// Its breaker is open; without a time where an operator holds it so.
    Open {
        retry_at: Option<Moment>,
    },
    /// Its breaker is half-open, and the probe's place is taken at most until then.
    Probing {
        until: Moment,
    },
    /// Its buckets are empty.
    NoRoom {
        until: Moment,
    },
    /// This request has asked it already.
    Tried,
}

/// What a profile cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Dialect(Dialect),
    Capability(Capability),
    /// Something in the request that the profile's dialect has no words for.
    Content(Feature),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dialect(dialect) => dialect.as_str(),
            Self::Capability(capability) => capability.as_str(),
            Self::Content(feature) => feature.as_str(),
        })
    }
}

impl Skip {
    /// When the reason is gone; `None` where nobody knows.
    #[must_use]
    pub const fn retry_at(&self) -> Option<Moment> {
        match *self {
            Self::Held { until }
            | Self::Rejected { until, .. }
            | Self::Exhausted { until }
            | Self::Cooling { until, .. }
            | Self::Probing { until }
            | Self::UsedUp { until }
            | Self::NoRoom { until } => Some(until),
            Self::Open { retry_at } => retry_at,
            Self::Disabled
            | Self::NoKey
            | Self::NeedsLogin
            | Self::NeedsConsent
            | Self::Unreachable
            | Self::Unsupported(_)
            | Self::Starting
            | Self::Down
            | Self::Tried => None,
        }
    }

    /// Until when a request waits for it: buckets and cooldowns are worth it.
    #[must_use]
    pub const fn worth_waiting(&self) -> Option<Moment> {
        match *self {
            Self::NoRoom { until } | Self::Cooling { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Whether it is a matter of rate, which a 429 says.
    #[must_use]
    pub const fn is_rate(&self) -> bool {
        matches!(
            self,
            Self::NoRoom { .. }
                | Self::Exhausted { .. }
                | Self::UsedUp { .. }
                | Self::Cooling {
                    cause: CoolingCause::RateLimit,
                    ..
                }
        )
    }

    /// Whether the profile could serve such a request, as it came, at another time.
    #[must_use]
    pub const fn is_able(&self) -> bool {
        !matches!(
            self,
            Self::Disabled | Self::NoKey | Self::NeedsLogin | Self::Unsupported(_)
        )
    }

    /// Whether it counts when all reasons are weighed. Those of profiles that are not there for such a request, as things are
    /// set up, say nothing of when it can be served.
    #[must_use]
    pub const fn is_weighed(&self) -> bool {
        self.is_able() && !matches!(self, Self::NeedsConsent | Self::Unreachable)
    }

    /// A word for labels and lists.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::NoKey => "no_key",
            Self::NeedsLogin => "needs_login",
            Self::NeedsConsent => "needs_consent",
            Self::UsedUp { .. } => "used_up",
            Self::Unreachable => "unreachable",
            Self::Unsupported(_) => "unsupported",
            Self::Starting => "starting",
            Self::Down => "down",
            Self::Held { .. } => "held",
            Self::Rejected { billing: false, .. } => "rejected",
            Self::Rejected { billing: true, .. } | Self::Exhausted { .. } => "exhausted",
            Self::Cooling { .. } => "cooling",
            Self::Open { .. } => "open",
            Self::Probing { .. } => "half_open",
            Self::NoRoom { .. } => "no_room",
            Self::Tried => "tried",
        }
    }

    /// The reason in words, with the waits as of `now`.
    #[must_use]
    pub fn text(&self, profile: &Profile, now: Moment) -> String {
        let left = |until: Moment| until.since(now);
        match *self {
            Self::Disabled => "disabled".to_owned(),
            Self::NoKey => match &profile.key_env {
                Some(variable) => format!("no key: {variable} is not set"),
                None => "no key".to_owned(),
            },
            Self::NeedsLogin => "needs a login".to_owned(),
            Self::NeedsConsent => {
                "costs money: a failover by hand lets this login's requests go on with it"
                    .to_owned()
            }
            Self::UsedUp { until } => {
                format!("the plan is used up: asked again in {}", Span(left(until)))
            }
            Self::Unreachable => format!("nothing answers at {}", profile.base_url),
            Self::Unsupported(lack) => format!("unsupported: {lack}"),
            Self::Starting => "its server is starting".to_owned(),
            Self::Down => "its server ended and is being started again".to_owned(),
            Self::Held { until } => format!("held for {}", Span(left(until))),
            Self::Rejected { billing, until } => {
                let what = if billing {
                    "credit used up"
                } else {
                    "key rejected"
                };
                format!("{what}: asked again in {}", Span(left(until)))
            }
            Self::Exhausted { until } => {
                format!("budget spent: asked again in {}", Span(left(until)))
            }
            Self::Cooling { until, cause } => {
                let what = match cause {
                    CoolingCause::RateLimit => "rate limited",
                    CoolingCause::Overload => "overloaded",
                };
                format!("{what}: retry after {}s", Span(left(until)).seconds())
            }
            Self::Open { .. } => Refusal::CircuitOpen.to_string(),
            Self::Probing { .. } => "circuit is half-open – a probe is under way".to_owned(),
            Self::NoRoom { until } => Refusal::RateLimit {
                profile: profile.name.clone(),
                retry_after: left(until),
            }
            .to_string(),
            Self::Tried => "asked already".to_owned(),
        }
    }
}

/// Nobody can take a request, nor will in the time that it may wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingLeft {
    pub profiles: Vec<Reason>,
    /// Whether no profile that is enabled could ever take it.
    pub never: bool,
    /// Whether every reason is a matter of rate.
    pub all_rate: bool,
    /// The soonest of them; `None` where nobody knows.
    pub retry_in: Option<Duration>,
    /// How long the caller should stay away: till the soonest of them, and longer in an outage that goes on.
    pub retry_after: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub name: ProfileName,
    pub reason: String,
    pub retry_in: Option<Duration>,
    /// Whether it could serve such a request, now or at another time.
    pub able: bool,
}

impl NothingLeft {
    /// Whole seconds for `Retry-After`, at least 1.
    #[must_use]
    pub fn retry_after_s(&self) -> u64 {
        Span(self.retry_after.unwrap_or(UNKNOWN_RETRY))
            .seconds()
            .max(1)
    }
}

impl fmt::Display for NothingLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no provider can take this request")?;
        for (index, profile) in self.profiles.iter().enumerate() {
            let before = if index == 0 { ": " } else { "; " };
            write!(f, "{before}{}: {}", profile.name, profile.reason)?;
        }
        if let Some(retry_in) = self.retry_in {
            write!(
                f,
                " (soonest retry in {})",
                Span(retry_in.max(Duration::from_nanos(1)))
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for NothingLeft {}
