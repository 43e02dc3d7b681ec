//! A circuit breaker: closed passes, open refuses, half-open lets a probe through.
//!
//! Every change of state begins a new generation, and a ticket is worth something in its own generation alone: a late
//! outcome neither prolongs an open breaker nor frees or closes a probe that is not its own. A probe is leased, so one
//! whose outcome never comes cannot wedge the breaker. Nothing here allocates.

mod kept;
mod settings;
mod state;

use std::time::Duration;

use super::moment::Moment;
use super::outcome::{Fault, Outcome};

pub use kept::{KeptBreaker, KeptPhase};
pub use settings::{BreakerSettings, Jitter};
pub use state::{BreakerRefusal, BreakerState, BreakerStatus, Cause, Forced, Transition};

/// The right to make one call. Settle it exactly once; it is neither copied nor cloned for that reason.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a ticket that is not settled holds a probe's place until its lease ends"]
pub struct BreakerTicket {
    generation: u64,
    role: Role,
}

/// What a call is to its breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Ordinary,
    /// Decides whether a half-open breaker closes.
    Probe,
    /// Asks before an open breaker's time: its success closes it, its failure changes nothing.
    EarlyProbe,
}

impl BreakerTicket {
    /// Whether this call decides if the breaker closes.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        !matches!(self.role, Role::Ordinary)
    }
}

/// A circuit breaker: it stops asking a provider that fails, and tries again after a while.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    generation: u64,
    failures: u32,
    timeouts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Open {
        opened_at: Moment,
        retry_at: Moment,
        /// When the last early probe went, or else when it opened.
        early_since: Moment,
        /// Until when the outcome of an early probe under way is awaited.
        early_lease: Option<Moment>,
    },
    HalfOpen {
        /// Probes under way.
        live: u32,
        /// Probes that succeeded.
        succeeded: u32,
        /// When the last of them counts as lost.
        lease_ends: Moment,
    },
    Forced(Forced),
}

impl Phase {
    const fn state(self) -> BreakerState {
        match self {
            Self::Closed | Self::Forced(Forced::Closed) => BreakerState::Closed,
            Self::Open { .. } | Self::Forced(Forced::Open) => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub const fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            phase: Phase::Closed,
            generation: 0,
            failures: 0,
            timeouts: 0,
        }
    }

    /// What goes over to another program.
    #[must_use]
    pub const fn keep(&self) -> KeptBreaker {
        KeptBreaker {
            failures: self.failures,
            timeouts: self.timeouts,
            phase: match self.phase {
                Phase::Closed => KeptPhase::Closed,
                Phase::Open {
                    opened_at,
                    retry_at,
                    early_since,
                    early_lease: _,
                } => KeptPhase::Open {
                    opened_at,
                    retry_at,
                    early_since,
                },
                Phase::HalfOpen { succeeded, .. } => KeptPhase::HalfOpen { succeeded },
                Phase::Forced(forced) => KeptPhase::Forced(forced),
            },
        }
    }

    /// Goes on as another program left it.
    pub const fn resume(&mut self, kept: &KeptBreaker) {
        self.failures = kept.failures;
        self.timeouts = kept.timeouts;
        self.phase = match kept.phase {
            KeptPhase::Closed => Phase::Closed,
            KeptPhase::Open {
                opened_at,
                retry_at,
                early_since,
            } => Phase::Open {
                opened_at,
                retry_at,
                early_since,
                early_lease: None,
            },
            KeptPhase::HalfOpen { succeeded } => Phase::HalfOpen {
                live: 0,
                succeeded,
                lease_ends: Moment::ORIGIN,
            },
            KeptPhase::Forced(forced) => Phase::Forced(forced),
        };
    }

    /// Takes other thresholds; the present state stays, and counts against the new ones from the next outcome on.
    pub const fn reconfigure(&mut self, settings: BreakerSettings) {
        self.settings = settings;
    }

    /// Whether a call would be let through at `now`; changes nothing.
    ///
    /// # Errors
    /// [`BreakerRefusal`] with the moment from which it is worth asking again, where that is known.
    pub fn check(&self, now: Moment) -> Result<(), BreakerRefusal> {
        match self.phase {
            Phase::Forced(Forced::Open) => Err(BreakerRefusal::Open { retry_at: None }),
            Phase::Open { retry_at, .. } if now < retry_at => Err(BreakerRefusal::Open {
                retry_at: Some(retry_at),
            }),
            Phase::Open {
                early_lease: Some(until),
                ..
            } if now < until => Err(BreakerRefusal::Probing { until }),
            Phase::HalfOpen {
                live, lease_ends, ..
            } if live >= self.settings.half_open_requests && now < lease_ends => {
                Err(BreakerRefusal::Probing { until: lease_ends })
            }
            _ => Ok(()),
        }
    }

    /// Lets a call through, as a probe where the breaker is not closed.
    ///
    /// # Errors
    /// As [`Breaker::check`]; nothing is taken then.
    pub fn admit(
        &mut self,
        now: Moment,
    ) -> Result<(BreakerTicket, Option<Transition>), BreakerRefusal> {
        self.check(now)?;
        let lease_ends = now.after(self.settings.probe_lease);
        let mut transition = None;
        let probe = match self.phase {
            Phase::Closed | Phase::Forced(_) => false,
            Phase::Open { .. } => {
                let first = Phase::HalfOpen {
                    live: 1,
                    succeeded: 0,
                    lease_ends,
                };
                transition = Some(self.enter(first, Cause::RetryDue, now));
                true
            }
            Phase::HalfOpen {
                live, succeeded, ..
            } if live < self.settings.half_open_requests => {
                self.phase = Phase::HalfOpen {
                    live: live + 1,
                    succeeded,
                    lease_ends,
                };
                true
            }
            Phase::HalfOpen { succeeded, .. } => {
                let next = Phase::HalfOpen {
                    live: 1,
                    succeeded,
                    lease_ends,
                };
                transition = Some(self.enter(next, Cause::ProbeLost, now));
                true
            }
        };
        let ticket = BreakerTicket {
            generation: self.generation,
            role: if probe { Role::Probe } else { Role::Ordinary },
        };
        Ok((ticket, transition))
    }

    /// When an open breaker may be asked before its time; `None` where it may not.
    #[must_use]
    pub fn early_probe_at(&self) -> Option<Moment> {
        match self.phase {
            Phase::Open {
                early_since,
                early_lease,
                ..
            } if !self.settings.early_probe.is_zero() => {
                let due = early_since.after(self.settings.early_probe);
                Some(early_lease.map_or(due, |lease| lease.max(due)))
            }
            _ => None,
        }
    }

    /// When it opened, if it is open.
    #[must_use]
    pub const fn opened_at(&self) -> Option<Moment> {
        match self.phase {
            Phase::Open { opened_at, .. } => Some(opened_at),
            _ => None,
        }
    }

    /// Lets one call through an open breaker before its time, if none is under way and one is due.
    pub fn admit_early(&mut self, now: Moment) -> Option<BreakerTicket> {
        self.early_probe_at().filter(|due| *due <= now)?;
        if let Phase::Open {
            early_since,
            early_lease,
            ..
        } = &mut self.phase
        {
            *early_since = now;
            *early_lease = Some(now.after(self.settings.probe_lease));
        }
        Some(BreakerTicket {
            generation: self.generation,
            role: Role::EarlyProbe,
        })
    }

    /// Judges a probe at its answer's first valid event, long before a stream ends; its ticket then stands for an
    /// ordinary call of the generation that begins. Nothing happens to any other ticket.
    pub fn confirm(&mut self, ticket: &mut BreakerTicket, now: Moment) -> Option<Transition> {
        if !ticket.is_probe() || ticket.generation != self.generation {
            return None;
        }
        let transition = match ticket.role {
            Role::EarlyProbe => self.early_probe_succeeded(now),
            Role::Probe | Role::Ordinary => self.probe_succeeded(now),
        };
        ticket.role = Role::Ordinary;
        ticket.generation = self.generation;
        transition
    }

    /// Counts a call's outcome, once. One of an earlier generation changes nothing.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a ticket that was settled is gone"
    )]
    /// Takes how a call ended. A ticket of an earlier generation changes nothing.
    pub fn settle(
        &mut self,
        ticket: BreakerTicket,
        outcome: Outcome,
        now: Moment,
        jitter: Jitter,
    ) -> Option<Transition> {
        if ticket.generation != self.generation {
            return None;
        }
        if ticket.role == Role::EarlyProbe {
            return self.settle_early(outcome, now);
        }
        match (self.phase, outcome) {
            (Phase::Open { .. } | Phase::Forced(_), _) | (Phase::Closed, Outcome::Ignored) => None,
            (Phase::Closed, Outcome::Success) => {
                self.failures = 0;
                self.timeouts = 0;
                None
            }
            (Phase::Closed, Outcome::Failure(fault)) => self.count(fault, now, jitter),
            (Phase::HalfOpen { .. }, Outcome::Failure(fault)) => {
                self.note(fault);
                Some(self.open(Cause::ProbeFailed(fault), now, jitter))
            }
            (Phase::HalfOpen { .. }, _) if !ticket.is_probe() => None,
            (Phase::HalfOpen { .. }, Outcome::Success) => self.probe_succeeded(now),
            (
                Phase::HalfOpen {
                    live,
                    succeeded,
                    lease_ends,
                },
                Outcome::Ignored,
            ) => {
                self.phase = Phase::HalfOpen {
                    live: live.saturating_sub(1),
                    succeeded,
                    lease_ends,
                };
                None
            }
        }
    }

    /// Closes it and forgets what was counted, calls under way included.
    pub fn reset(&mut self, now: Moment) -> Option<Transition> {
        let changed = self.phase != Phase::Closed;
        let transition = self.enter(Phase::Closed, Cause::Reset, now);
        changed.then_some(transition)
    }

    /// Holds it open or closed until it is reset.
    pub fn force(&mut self, forced: Forced, now: Moment) -> Option<Transition> {
        let changed = self.phase != Phase::Forced(forced);
        changed.then(|| self.enter(Phase::Forced(forced), Cause::Forced, now))
    }

    /// What there is to see at `now`; changes nothing.
    #[must_use]
    pub fn status(&self, now: Moment) -> BreakerStatus {
        let (state, retry_in) = match self.phase {
            Phase::Open { retry_at, .. } if now >= retry_at => {
                (BreakerState::HalfOpen, Duration::ZERO)
            }
            Phase::Open { retry_at, .. } => (BreakerState::Open, retry_at.since(now)),
            phase => (phase.state(), Duration::ZERO),
        };
        BreakerStatus {
            state,
            failures: self.failures,
            timeouts: self.timeouts,
            retry_in,
            generation: self.generation,
            forced: match self.phase {
                Phase::Forced(forced) => Some(forced),
                _ => None,
            },
        }
    }

    fn count(&mut self, fault: Fault, now: Moment, jitter: Jitter) -> Option<Transition> {
        self.note(fault);
        let cause = if self.timeouts >= self.settings.timeout_threshold {
            Cause::Timeouts {
                count: self.timeouts,
            }
        } else if self.failures >= self.settings.failure_threshold {
            Cause::Failures {
                count: self.failures,
                last: fault,
            }
        } else {
            return None;
        };
        Some(self.open(cause, now, jitter))
    }

    fn note(&mut self, fault: Fault) {
        self.failures = self.failures.saturating_add(1);
        self.timeouts = match fault {
            Fault::Timeout => self.timeouts.saturating_add(1),
            _ => 0,
        };
    }

    fn open(&mut self, cause: Cause, now: Moment, jitter: Jitter) -> Transition {
        let open_for = self.settings.open_for;
        let retry_at = now.after(open_for.saturating_add(jitter.of(open_for)));
        let open = Phase::Open {
            opened_at: now,
            retry_at,
            early_since: now,
            early_lease: None,
        };
        self.enter(open, cause, now)
    }

    /// Ends an early probe of the present generation.
    fn settle_early(&mut self, outcome: Outcome, now: Moment) -> Option<Transition> {
        match outcome {
            Outcome::Success => self.early_probe_succeeded(now),
            Outcome::Failure(_) | Outcome::Ignored => {
                if let Phase::Open { early_lease, .. } = &mut self.phase {
                    *early_lease = None;
                }
                None
            }
        }
    }

    fn early_probe_succeeded(&mut self, now: Moment) -> Option<Transition> {
        matches!(self.phase, Phase::Open { .. })
            .then(|| self.enter(Phase::Closed, Cause::ProbeSucceeded, now))
    }

    fn probe_succeeded(&mut self, now: Moment) -> Option<Transition> {
        let Phase::HalfOpen {
            live,
            succeeded,
            lease_ends,
        } = self.phase
        else {
            return None;
        };
        let succeeded = succeeded.saturating_add(1);
        if succeeded >= self.settings.success_threshold {
            return Some(self.enter(Phase::Closed, Cause::ProbeSucceeded, now));
        }
        self.phase = Phase::HalfOpen {
            live: live.saturating_sub(1),
            succeeded,
            lease_ends,
        };
        None
    }

    fn enter(&mut self, phase: Phase, cause: Cause, now: Moment) -> Transition {
        let from = self.phase.state();
        self.phase = phase;
        self.generation += 1;
        if phase == Phase::Closed {
            self.failures = 0;
            self.timeouts = 0;
        }
        Transition {
            from,
            to: phase.state(),
            cause,
            generation: self.generation,
            at: now,
            retry_at: match phase {
                Phase::Open { retry_at, .. } => Some(retry_at),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests;
