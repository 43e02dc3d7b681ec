//! One call to one profile: the permit for it, and what is known of its use.

use std::sync::Arc;

use super::permit::Permit;
use super::price;
use super::tap::Tap;
use super::wire::TokenUsage;
use crate::domain::bucket::Remaining;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Dialect, Profile};
use crate::domain::route::Cool;
use crate::domain::usage::Tokens;

/// Settled exactly once, by whichever of its ends comes first; dropped, it is a call that its caller gave up.
#[derive(Debug)]
pub struct UpstreamCall {
    permit: Permit,
    model: Arc<str>,
    input_estimate: u64,
}

impl UpstreamCall {
    /// `input_estimate` stands in for the input tokens where the provider tells none.
    pub fn new(permit: Permit, model: Arc<str>, input_estimate: u64) -> Self {
        Self {
            permit,
            model,
            input_estimate,
        }
    }

    pub fn profile(&self) -> &Arc<Profile> {
        self.permit.profile()
    }

    pub fn dialect(&self) -> Dialect {
        self.permit.dialect()
    }

    /// The model name that is sent.
    pub fn model(&self) -> &str {
        &self.model
    }

    pub fn sending(&mut self) {
        self.permit.sending(Arc::clone(&self.model));
    }

    pub fn never_left(&mut self) {
        self.permit.never_left();
    }

    pub fn first_byte(&mut self) {
        self.permit.first_byte();
    }

    pub fn may_reconnect(&mut self) -> bool {
        self.permit.may_reconnect()
    }

    pub fn learn(&mut self, remaining: Remaining) {
        if remaining != Remaining::default() {
            self.permit.learn(remaining);
        }
    }

    /// The answer is one of the API's: a probe has succeeded.
    pub fn confirm(&mut self) {
        self.permit.confirm();
    }

    /// Notes what a stream used so far.
    pub fn used(&mut self, tap: &Tap) {
        let (told, estimated) = tap.usage(self.input_estimate);
        self.note(told, estimated);
    }

    /// Notes what a whole answer used; `output` stands in for the output tokens.
    pub fn used_whole(&mut self, told: Option<TokenUsage>, output: u64) {
        let estimate = TokenUsage {
            input: self.input_estimate,
            output,
            ..TokenUsage::default()
        };
        self.note(told.unwrap_or(estimate), told.is_none());
    }

    pub fn succeed(self) {
        self.permit.succeed();
    }

    pub fn fail(self, error: &CallError) {
        self.permit.fail(error);
    }

    pub fn fail_and_cool(self, error: &CallError, cool: Option<Cool>) {
        self.permit.fail_and_cool(error, cool);
    }

    /// The caller went away, or tundra ends.
    pub fn leave(self) {
        drop(self.permit);
    }

    fn note(&mut self, told: TokenUsage, estimated: bool) {
        let tokens = Tokens {
            input: told.input,
            output: told.output,
            cache_read: told.cache_read,
            cache_write: told.cache_write,
        };
        let cost = price::nanodollars(self.permit.profile().provider, &self.model, told);
        self.permit.tokens(tokens, estimated, cost);
    }
}
