//! What is known of the providers, as of the last look.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::breaker::BreakerState;
use crate::domain::bucket::Gauge;
use crate::domain::budget::Account;
use crate::domain::id::TerminalId;
use crate::domain::moment::Moment;
use crate::domain::profile::ProfileName;
use crate::domain::route::{ProviderState, ProviderStatus};
use crate::domain::usage::LastError;
use crate::providers::ProvidersStatus;
use crate::supervise::ProcessStatus;

/// A full second, the step of everything that counts down.
const SECOND: Duration = Duration::from_secs(1);
/// How long the words of an error stand beside its provider.
const FRESH: Duration = Duration::from_secs(60);
/// Lands after the moment at which a countdown changes, not right before it.
const AFTER: Duration = Duration::from_millis(2);

#[derive(Debug, Default)]
pub struct Providers {
    seen: Option<(Arc<ProvidersStatus>, Instant)>,
}

impl Providers {
    pub fn see(&mut self, status: Arc<ProvidersStatus>, at: Instant) {
        self.seen = Some((status, at));
    }

    #[must_use]
    pub fn status(&self) -> Option<&ProvidersStatus> {
        self.seen.as_ref().map(|(status, _)| status.as_ref())
    }

    /// The date of what is seen; of nothing where nothing is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.status().map_or(Timestamp::UNIX_EPOCH, |status| {
            status.date(status.router.at)
        })
    }

    /// In the order in which they are asked, each with the server that tundra runs for it.
    pub fn each(&self) -> impl Iterator<Item = (&ProviderStatus, Option<ProcessStatus>)> {
        self.status().into_iter().flat_map(ProvidersStatus::each)
    }

    /// What a terminal has used, and may; None where it is not known.
    #[must_use]
    pub fn account(&self, id: TerminalId) -> Option<&Account> {
        self.status()?.accounts.get(&id)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.status()
            .map_or(0, |status| status.router.providers.len())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[must_use]
    pub fn named(&self, name: &ProfileName) -> Option<&ProviderStatus> {
        self.each()
            .map(|(provider, _)| provider)
            .find(|provider| provider.profile.name == *name)
    }

    /// Whether tundra runs a server for it.
    #[must_use]
    pub fn has_server(&self, name: &ProfileName) -> bool {
        let mut each = self.each();
        each.any(|(provider, process)| provider.profile.name == *name && process.is_some())
    }

    /// Whether programs in the panes can reach them.
    #[must_use]
    pub fn are_served(&self) -> bool {
        self.status()
            .is_some_and(|status| status.endpoint.is_some())
    }

    /// Those that take no requests though they should.
    #[must_use]
    pub fn stuck(&self) -> Vec<&ProviderStatus> {
        self.each()
            .map(|(provider, _)| provider)
            .filter(|provider| {
                !matches!(
                    provider.state,
                    ProviderState::Ready | ProviderState::Disabled
                )
            })
            .collect()
    }

    /// What went wrong at a provider within the last minute.
    #[must_use]
    pub fn fresh_error<'a>(&self, provider: &'a ProviderStatus) -> Option<&'a LastError> {
        let now = self.status()?.router.at;
        let error = provider.usage.last_error.as_ref()?;
        // Of a plan that is used up it is said until when.
        let is_told = provider.plan.used_up.is_some();
        (!is_told && now.since(error.at) < FRESH).then_some(error)
    }

    /// When something that is shown changes by itself: the next second of a countdown, or a bucket that fills.
    #[must_use]
    pub fn next_change(&self) -> Option<Instant> {
        let (status, at) = self.seen.as_ref()?;
        let now = status.router.at;
        let providers = status.router.providers.iter();
        let steps = providers.flat_map(|provider| steps(provider, now));
        Some(*at + steps.min()? + AFTER)
    }
}

/// After how long each of a provider's countdowns shows another second.
fn steps(provider: &ProviderStatus, now: Moment) -> impl Iterator<Item = Duration> {
    let open = provider.breaker.state == BreakerState::Open;
    let breaker = (open && provider.breaker.forced.is_none()).then_some(provider.breaker.retry_in);
    let last_error = provider.usage.last_error.as_ref();
    let error_ages = last_error.and_then(|error| FRESH.checked_sub(now.since(error.at)));
    let filling =
        |gauge: Option<Gauge>| gauge.is_some_and(|gauge| gauge.available < gauge.capacity);
    let fills = filling(provider.requests_bucket) || filling(provider.tokens_bucket);
    [breaker, provider.cooldown, provider.held]
        .into_iter()
        .flatten()
        .map(|left| {
            // Waits are shown rounded up, so the next one shows when the part of a second is over.
            let part = Duration::from_nanos(u64::from(left.subsec_nanos()));
            if part.is_zero() { SECOND } else { part }
        })
        .chain(fills.then_some(SECOND))
        .chain(error_ages.filter(|left| !left.is_zero()))
}
