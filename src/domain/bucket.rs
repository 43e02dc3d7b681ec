//! A token bucket in two dimensions: requests and tokens, taken together or not at all.
//!
//! Amounts are counted in grains of 1/(60·10⁹) unit, of which a limit of `n` per minute brings in exactly `n` each
//! nanosecond: nothing is ever rounded, and a wait that is told is the exact one. A balance stays within plus and
//! minus the capacity. A bucket grants at most `burst + rate·W` in any window `W`, not `rate·W`.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::moment::Moment;
use super::profile::Limits;

/// Nanoseconds in a minute: grains in a unit.
const GRAINS: i128 = 60_000_000_000;

/// The room of one profile in requests and in tokens, refilled evenly over each minute.
#[derive(Debug)]
pub struct Bucket {
    requests: Option<Level>,
    tokens: Option<Level>,
    /// Reserved and not yet settled.
    outstanding: Amount,
}

/// A bucket as it goes over to another program: each dimension's grains, and as of when. Nothing is reserved then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptBucket {
    pub requests: Option<(i128, Moment)>,
    pub tokens: Option<(i128, Moment)>,
}

/// Room that a call takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub requests: u64,
    pub tokens: u64,
}

impl Amount {
    /// One request with so many tokens.
    #[must_use]
    pub const fn call(tokens: u64) -> Self {
        Self {
            requests: 1,
            tokens,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }
}

/// What one call has taken. Settle it exactly once; it is neither copied nor cloned for that reason.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a reservation that is not settled keeps its tokens"]
pub struct Reservation {
    taken: Amount,
}

impl Reservation {
    /// What it took, and gives back where it was not used.
    #[must_use]
    pub const fn taken(&self) -> Amount {
        self.taken
    }
}

/// What a call has really used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// It never left: everything goes back.
    Nothing,
    /// So many tokens; the request stays taken.
    Tokens(u64),
    /// Unknown: what was reserved stays taken.
    AsReserved,
}

/// What the provider says is left of its own limits; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remaining {
    pub requests: Option<u64>,
    pub tokens: Option<u64>,
}

/// One gauge: whole units, rounded down; in debt it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// The most that is taken at once.
    pub capacity: u64,
    /// What may be taken now.
    pub available: u64,
}

/// A call that must wait so long, and not a nanosecond less, if nobody else takes or returns anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// At least 1 ns.
    pub wait: Duration,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn new(limits: Limits, now: Moment) -> Self {
        Self {
            requests: limits
                .rpm
                .map(|rpm| Level::full(request_capacity(rpm, limits.burst), rpm.into(), now)),
            tokens: limits.tpm.map(|tpm| Level::full(tpm, tpm, now)),
            outstanding: Amount::default(),
        }
    }

    /// What goes over to another program.
    #[must_use]
    pub fn keep(&self) -> KeptBucket {
        let kept = |level: &Level| (level.balance, level.at);
        KeptBucket {
            requests: self.requests.as_ref().map(kept),
            tokens: self.tokens.as_ref().map(kept),
        }
    }

    /// Goes on with the balances that another program left, as far as there are limits for them.
    pub fn resume(&mut self, kept: &KeptBucket) {
        for (level, kept) in [
            (&mut self.requests, kept.requests),
            (&mut self.tokens, kept.tokens),
        ] {
            if let (Some(level), Some((balance, at))) = (level, kept) {
                level.at = at;
                level.set(balance);
            }
        }
    }

    /// Takes other limits. What is reserved stays so; a dimension that is new begins full, one that shrinks is cut.
    pub fn reconfigure(&mut self, limits: Limits, now: Moment) {
        let fresh = Self::new(limits, now);
        self.requests = Level::carried(self.requests, fresh.requests, now);
        self.tokens = Level::carried(self.tokens, fresh.tokens, now);
    }

    /// Whether `amount` could be taken at `now`, once `ahead` has been taken by those who came before; changes nothing.
    /// More than the capacity needs a full bucket.
    ///
    /// # Errors
    /// [`NoRoom`] with how long to wait for it.
    pub fn check(&self, amount: Amount, ahead: Amount, now: Moment) -> Result<(), NoRoom> {
        let wait = |level: Option<Level>, units, ahead| {
            level.map_or(0, |level| level.wait(units, ahead, now))
        };
        let requests = wait(self.requests, amount.requests, ahead.requests);
        let tokens = wait(self.tokens, amount.tokens, ahead.tokens);
        match requests.max(tokens) {
            0 => Ok(()),
            nanos => Err(NoRoom {
                wait: Duration::from_nanos(nanos),
            }),
        }
    }

    /// Takes `amount` in both dimensions, or nothing.
    ///
    /// # Errors
    /// As [`Bucket::check`]; nothing is taken then.
    pub fn reserve(&mut self, amount: Amount, now: Moment) -> Result<Reservation, NoRoom> {
        self.check(amount, Amount::default(), now)?;
        let take = |level: &mut Option<Level>, units| match level {
            Some(level) => level.take(units, now),
            None => units,
        };
        let taken = Amount {
            requests: take(&mut self.requests, amount.requests),
            tokens: take(&mut self.tokens, amount.tokens),
        };
        self.outstanding = self.outstanding.and(taken);
        Ok(Reservation { taken })
    }

    /// Sets what was reserved off against what was used.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a reservation that was settled is gone"
    )]
    /// Sets what was reserved off against what was used. More than was reserved puts the bucket in debt, which later calls wait
    /// for; less goes back at once.
    pub fn settle(&mut self, reservation: Reservation, used: Used, now: Moment) {
        let taken = reservation.taken;
        self.outstanding = Amount {
            requests: self.outstanding.requests.saturating_sub(taken.requests),
            tokens: self.outstanding.tokens.saturating_sub(taken.tokens),
        };
        let used = match used {
            Used::Nothing => Amount::default(),
            Used::Tokens(tokens) => Amount { tokens, ..taken },
            Used::AsReserved => taken,
        };
        if let Some(level) = &mut self.requests {
            level.correct(taken.requests, used.requests, now);
        }
        if let Some(level) = &mut self.tokens {
            level.correct(taken.tokens, used.tokens, now);
        }
    }

    /// Lowers the balances to what the provider says is left, less what others have under way, which it may not have
    /// counted yet. `own` is the reservation of the call that the provider's word came with.
    pub fn learn(&mut self, own: &Reservation, remaining: Remaining, now: Moment) {
        let others = Amount {
            requests: self.outstanding.requests.saturating_sub(own.taken.requests),
            tokens: self.outstanding.tokens.saturating_sub(own.taken.tokens),
        };
        if let (Some(level), Some(left)) = (&mut self.requests, remaining.requests) {
            level.lower(i128::from(left) - i128::from(others.requests), now);
        }
        if let (Some(level), Some(left)) = (&mut self.tokens, remaining.tokens) {
            level.lower(i128::from(left) - i128::from(others.tokens), now);
        }
    }

    /// How many requests there is room for at `now`; `None` without a limit.
    #[must_use]
    pub fn requests(&self, now: Moment) -> Option<Gauge> {
        self.requests.map(|level| level.gauge(now))
    }

    /// How many tokens there is room for at `now`; `None` without a limit.
    #[must_use]
    pub fn tokens(&self, now: Moment) -> Option<Gauge> {
        self.tokens.map(|level| level.gauge(now))
    }
}

fn request_capacity(rpm: NonZeroU32, burst: Option<NonZeroU32>) -> NonZeroU64 {
    burst.unwrap_or(rpm).into()
}

/// One dimension.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// Units, at most.
    capacity: NonZeroU64,
    /// Units a minute, which is grains a nanosecond.
    rate: NonZeroU64,
    /// Grains, as of `at`.
    balance: i128,
    at: Moment,
}

impl Level {
    fn full(capacity: NonZeroU64, rate: NonZeroU64, now: Moment) -> Self {
        Self {
            capacity,
            rate,
            balance: grains(capacity.get()),
            at: now,
        }
    }

    /// `new`'s limits with `old`'s balance.
    fn carried(old: Option<Self>, new: Option<Self>, now: Moment) -> Option<Self> {
        let (Some(old), Some(mut new)) = (old, new) else {
            return new;
        };
        new.at = old.at.max(now);
        new.set(old.balance_at(now));
        Some(new)
    }

    /// Grains at `now`. A clock that has stepped back has brought nothing in.
    fn balance_at(&self, now: Moment) -> i128 {
        let elapsed = now.nanos().saturating_sub(self.at.nanos());
        let gained = i128::from(elapsed).saturating_mul(i128::from(self.rate.get()));
        self.balance
            .saturating_add(gained)
            .min(grains(self.capacity.get()))
    }

    fn refill(&mut self, now: Moment) {
        self.balance = self.balance_at(now);
        self.at = self.at.max(now);
    }

    /// Nanoseconds until `units`, or as much as there can be, are there beyond `ahead`.
    fn wait(&self, units: u64, ahead: u64, now: Moment) -> u64 {
        let wanted = grains(units.min(self.capacity.get())) + grains(ahead);
        let missing = wanted - self.balance_at(now);
        if missing <= 0 {
            return 0;
        }
        let rate = i128::from(self.rate.get());
        let nanos = u64::try_from((missing + rate - 1) / rate).unwrap_or(u64::MAX);
        // Time that a clock which has stepped back must first make up for.
        nanos.saturating_add(self.at.nanos().saturating_sub(now.nanos()))
    }

    /// Takes `units`, at most the capacity; answers how many.
    fn take(&mut self, units: u64, now: Moment) -> u64 {
        let units = units.min(self.capacity.get());
        self.refill(now);
        self.set(self.balance - grains(units));
        units
    }

    fn correct(&mut self, taken: u64, used: u64, now: Moment) {
        self.refill(now);
        self.set(self.balance + grains(taken) - grains(used));
    }

    fn lower(&mut self, units: i128, now: Moment) {
        self.refill(now);
        self.set(self.balance.min(units.saturating_mul(GRAINS)));
    }

    fn set(&mut self, balance: i128) {
        let most = grains(self.capacity.get());
        self.balance = balance.clamp(-most, most);
    }

    fn gauge(&self, now: Moment) -> Gauge {
        Gauge {
            capacity: self.capacity.get(),
            available: u64::try_from(self.balance_at(now) / GRAINS).unwrap_or(0),
        }
    }
}

fn grains(units: u64) -> i128 {
    i128::from(units) * GRAINS
}

#[cfg(test)]
mod tests;
