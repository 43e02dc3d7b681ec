//! The right to one call to one profile, settled exactly once however the call ends.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::bucket::{Remaining, Used};
use crate::domain::moment::Moment;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Dialect, Profile};
use crate::domain::route::{Call, Choice, Cool, Grant, Settlement, Ticket};
use crate::domain::usage::{Attempt, AttemptEnd, Tokens};

use super::router::RouterHandle;

/// One call to one profile. [`Permit::succeed`] and [`Permit::fail`] end it; dropped before, it counts as given up by
/// the caller: the breaker hears nothing, a probe's place is free again, and what was not used goes back.
#[derive(Debug)]
#[must_use = "a permit that is dropped has ended its call"]
pub struct Permit {
    router: RouterHandle,
    /// `None` once settled.
    ticket: Option<Ticket>,
    profile: Arc<Profile>,
    /// What is known of the call so far; its end is written when it is settled.
    attempt: Attempt,
    /// When the request began to leave; `None` as long as nothing has.
    sent_at: Option<Moment>,
}

impl Permit {
    pub(super) fn new(
        router: RouterHandle,
        grant: Grant,
        call: &Call,
        waited: Duration,
        now: Moment,
    ) -> Self {
        Self {
            router,
            ticket: Some(grant.ticket),
            profile: grant.profile,
            attempt: Attempt {
                at: now,
                caller: call.caller,
                model: Arc::clone(&call.model),
                sent_model: Arc::clone(&call.model),
                dialect: grant.dialect,
                choice: Some(grant.choice),
                end: AttemptEnd::Cancelled,
                waited,
                first_byte: None,
                total: Duration::ZERO,
                tokens: None,
                estimated: false,
                nanodollars: None,
            },
            sent_at: None,
        }
    }

    #[must_use]
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// The dialect to speak upstream.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.attempt.dialect
    }

    /// Why this profile was chosen.
    #[must_use]
    pub const fn choice(&self) -> Option<Choice> {
        self.attempt.choice
    }

    /// The request leaves now, for `model`. From here on its tokens count as used until something else is known.
    pub fn sending(&mut self, model: Arc<str>) {
        self.attempt.sent_model = model;
        self.sent_at = Some(self.router.clock().now());
    }

    /// The request did not leave after all: no connection came about.
    pub const fn never_left(&mut self) {
        self.sent_at = None;
    }

    /// Whether a connection that turned out closed may be replaced once; the profile's retry budget pays.
    #[must_use]
    pub fn may_reconnect(&mut self) -> bool {
        let Some(ticket) = &self.ticket else {
            return false;
        };
        self.router.with(|router, _| router.may_reconnect(ticket))
    }

    /// The answer's first byte is here.
    pub fn first_byte(&mut self) {
        let sent_at = self.sent_at.unwrap_or(self.attempt.at);
        let now = self.router.clock().now();
        self.attempt.first_byte.get_or_insert(now.since(sent_at));
    }

    /// The answer's headers tell what is left of the provider's limits.
    pub fn learn(&mut self, remaining: Remaining) {
        if let Some(ticket) = &self.ticket {
            self.router
                .with(|router, now| router.learn(ticket, remaining, now));
        }
    }

    /// The answer's first valid event is here: a probe has succeeded, whatever becomes of the rest.
    pub fn confirm(&mut self) {
        if let Some(ticket) = self.ticket.as_mut().filter(|ticket| ticket.is_probe()) {
            self.router.with(|router, now| router.confirm(ticket, now));
        }
    }

    /// What the call has used so far, in place of what was said before. A price that is not known is `None`.
    pub const fn tokens(&mut self, tokens: Tokens, estimated: bool, nanodollars: Option<u64>) {
        self.attempt.tokens = Some(tokens);
        self.attempt.estimated = estimated;
        self.attempt.nanodollars = nanodollars;
    }

    /// The answer is whole.
    pub fn succeed(mut self) {
        let used = self.used(Used::AsReserved);
        self.settle(Settlement::success(used), AttemptEnd::Success);
    }

    /// The call failed. A 429 cools the profile down for as long as the error says.
    pub fn fail(self, error: &CallError) {
        self.fail_and_cool(error, None);
    }

    /// The call failed, and the answer asks for `cool` in place of what the error itself brings.
    pub fn fail_and_cool(mut self, error: &CallError, cool: Option<Cool>) {
        let refused = matches!(
            error,
            CallError::Api { .. } | CallError::RateLimited { .. } | CallError::Unsupported(_)
        );
        let used = self.used(if refused {
            Used::Tokens(0)
        } else {
            Used::AsReserved
        });
        let settlement = Settlement::failed(error, used);
        let end = AttemptEnd::Failed {
            kind: error.kind(),
            message: error.to_string(),
        };
        self.settle(cool.map_or(settlement, |cool| settlement.with(cool)), end);
    }

    /// What to set the reservation off against; `unknown` where the answer has told nothing.
    fn used(&self, unknown: Used) -> Used {
        match (self.sent_at, self.attempt.tokens) {
            (None, _) => Used::Nothing,
            (_, Some(tokens)) => Used::Tokens(tokens.towards_limit()),
            (_, None) => unknown,
        }
    }

    fn settle(&mut self, settlement: Settlement, end: AttemptEnd) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        let mut attempt = self.attempt.clone();
        attempt.end = end;
        // One that was given up before anything left has asked nobody.
        let counts = self.sent_at.is_some() || attempt.end != AttemptEnd::Cancelled;
        self.router.with(|router, now| {
            router.settle(ticket, settlement, now);
            attempt.total = now.since(attempt.at);
            if counts {
                router
                    .usage_mut()
                    .record(&self.profile.name, attempt.clone());
            }
        });
        if let Some(recorder) = self.router.recorder().filter(|_| counts) {
            recorder.attempt(&self.profile.name, &attempt);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let used = self.used(Used::AsReserved);
        self.settle(Settlement::ignored(used), AttemptEnd::Cancelled);
    }
}
