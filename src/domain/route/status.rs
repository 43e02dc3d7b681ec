//! What panels, commands and scrapers see of the router, as of one moment.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::breaker::{BreakerState, BreakerStatus};
use crate::domain::bucket::{Amount, Gauge};
use crate::domain::login::PlanStatus;
use crate::domain::moment::Moment;
use crate::domain::profile::Profile;
use crate::domain::usage::{ProfileUsage, Usage};

use super::call::Wants;
use super::entry::Entry;
use super::skip::Skip;
use super::substitute::Substitute;

/// All profiles as of one moment.
#[derive(Clone, Debug)]
pub struct RouterStatus {
    pub at: Moment,
    /// In the order in which they are asked, the pinned one apart.
    pub providers: Vec<ProviderStatus>,
    /// Calls under way.
    pub in_flight: u64,
    /// Requests that wait for room.
    pub waiting: usize,
    /// Rises with every change.
    pub revision: u64,
}

/// A profile as of one moment.
#[derive(Clone, Debug)]
pub struct ProviderStatus {
    pub profile: Arc<Profile>,
    /// As configured, unless an operator said otherwise since.
    pub enabled: bool,
    /// Whether the next request would go here.
    pub active: bool,
    /// Whether it gave the last whole answer.
    pub answered_last: bool,
    pub pinned: bool,
    pub state: ProviderState,
    /// Why it is not asked, in words; `None` where it is ready.
    pub reason: Option<String>,
    /// Why it is not asked; `None` where it is ready.
    pub skip: Option<Skip>,
    pub breaker: BreakerStatus,
    /// Until it may be asked again, after a 429 or with its budget spent.
    pub cooldown: Option<Duration>,
    /// How long an operator still sends its requests elsewhere.
    pub held: Option<Duration>,
    /// `None` without a limit.
    pub requests_bucket: Option<Gauge>,
    /// `None` without a limit.
    pub tokens_bucket: Option<Gauge>,
    pub in_flight: u64,
    pub usage: ProfileUsage,
    /// Of a profile for callers: what is left of the plan of the login that came last.
    pub plan: PlanStatus,
    /// Who takes its callers' requests while their plan is used up.
    pub substitute: Option<Substitute>,
}

impl ProviderStatus {
    /// How a profile stands, with what `usage` counts of it.
    pub(super) fn of(
        entry: &Entry,
        active: bool,
        pinned: bool,
        usage: &Usage,
        now: Moment,
    ) -> Self {
        let skip = entry
            .verdict(&Wants::default(), Amount::default(), now)
            .err();
        let breaker = entry.breaker.status(now);
        let counted = usage
            .profile(&entry.profile.name)
            .cloned()
            .unwrap_or_default();
        Self {
            enabled: entry.enabled,
            active,
            answered_last: usage.last_answered() == Some(&entry.profile.name),
            pinned,
            state: ProviderState::of(skip, breaker.state),
            reason: skip.map(|skip| match (skip, &counted.last_error) {
                // What opened it tells more than that it is open.
                (Skip::Open { .. } | Skip::Probing { .. }, Some(error)) => error.message.clone(),
                _ => entry.reason(&skip, now),
            }),
            skip,
            breaker,
            cooldown: entry.cooldown.left(now),
            held: entry.held_for(now),
            requests_bucket: entry.bucket.requests(now),
            tokens_bucket: entry.bucket.tokens(now),
            in_flight: entry.in_flight,
            usage: counted,
            plan: PlanStatus::default(),
            substitute: None,
            profile: Arc::clone(&entry.profile),
        }
    }
}

/// The one word for how a profile stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderState {
    /// It takes requests, perhaps after a wait for room.
    Ready,
    /// Its breaker is open.
    Open,
    /// Its breaker lets a probe through.
    HalfOpen,
    /// It answered 429, or an overload that named a time.
    Cooling,
    /// An operator sends its requests elsewhere, or its server does not take any yet.
    Held,
    /// Its budget, credit or plan is used up.
    Exhausted,
    /// It is switched off.
    Disabled,
    /// The variable that holds its key is not set.
    NoKey,
    /// No login came in this run.
    NoLogin,
    /// Nothing answers at its address.
    Down,
    /// Its provider did not take the key.
    Rejected,
}

impl ProviderState {
    /// Its name in JSON and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Cooling => "cooling",
            Self::Held => "held",
            Self::Exhausted => "exhausted",
            Self::Disabled => "disabled",
            Self::NoKey => "no_key",
            Self::NoLogin => "no_login",
            Self::Down => "down",
            Self::Rejected => "rejected",
        }
    }

    /// The state of a profile that is skipped for `skip` and whose breaker is in `breaker`. One that merely has no
    /// room is ready: its gauge says the rest.
    pub(super) const fn of(skip: Option<Skip>, breaker: BreakerState) -> Self {
        match (skip, breaker) {
            (Some(Skip::Disabled), _) => Self::Disabled,
            (Some(Skip::NoKey), _) => Self::NoKey,
            (Some(Skip::Held { .. } | Skip::Starting | Skip::Down), _) => Self::Held,
            (Some(Skip::NeedsLogin), _) => Self::NoLogin,
            (Some(Skip::Unreachable), _) => Self::Down,
            (Some(Skip::Rejected { billing: false, .. }), _) => Self::Rejected,
            (
                Some(
                    Skip::Rejected { billing: true, .. }
                    | Skip::Exhausted { .. }
                    | Skip::UsedUp { .. },
                ),
                _,
            ) => Self::Exhausted,
            (Some(Skip::Cooling { .. }), _) => Self::Cooling,
            (Some(Skip::Open { .. }), _) => Self::Open,
            (_, BreakerState::HalfOpen) | (Some(Skip::Probing { .. }), _) => Self::HalfOpen,
            _ => Self::Ready,
        }
    }
}
