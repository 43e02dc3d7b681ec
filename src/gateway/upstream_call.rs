//! The right to make one call to one profile, and what is known of the call so far.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use super::price;
use super::router::RouterHandle;
use super::wire::TokenUsage;
use crate::domain::bucket::{Remaining, Used};
use crate::domain::caller::{Caller, RequestNumber};
use crate::domain::fact::{Fact, What};
use crate::domain::login::{LoginId, Plans};
use crate::domain::moment::Moment;
use crate::domain::outcome::CallError;
use crate::domain::plan::{UsedUp, Window, Windows};
use crate::domain::profile::{Auth, Dialect, Profile, ProfileName};
use crate::domain::route::{
    Admission, Call, Choice, Cool, NothingLeft, Permit, PlanNews, Run, Settlement,
};
use crate::domain::usage::{Attempt, AttemptEnd, Tokens, Usage};

/// One call to one profile. [`UpstreamCall::succeed`] and [`UpstreamCall::fail`] end it; dropped before, it counts as
/// given up by the caller: the breaker hears nothing, a probe's place is free again, and what was not used goes back.
#[derive(Debug)]
#[must_use = "a call that is dropped has ended"]
pub struct UpstreamCall {
    router: RouterHandle,
    /// `None` once settled.
    permit: Option<Permit>,
    profile: Arc<Profile>,
    /// What is known of the call so far; its end is written when it is settled.
    attempt: Attempt,
    /// When the request began to leave; `None` as long as nothing has.
    sent_at: Option<Moment>,
    /// The caller's own, where the profile holds none.
    login: Option<LoginId>,
}

/// Here and not beside the handle, which knows nothing of calls.
impl RouterHandle {
    /// Finds a profile for the call's next attempt, waiting in the queue up to `max_wait` where none has room.
    ///
    /// Dropped while it waits, it leaves the queue and nothing behind.
    ///
    /// # Errors
    /// [`NothingLeft`] with each profile's reason, once no profile can serve or `max_wait` is over.
    pub async fn admit(&self, call: &Call, run: &mut Run) -> Result<UpstreamCall, NothingLeft> {
        let began = self.clock().now();
        let waiting = Waiting { router: self, run };
        loop {
            let capacity_changed = self.capacity_changed();
            tokio::pin!(capacity_changed);
            // From here on no change is missed, though the router is only looked at next.
            capacity_changed.as_mut().enable();
            let (admission, now) = self.with(|state, now| {
                let standing = call.login.map(|_| state.as_it_stands(call, now));
                let call = standing.as_ref().unwrap_or(call);
                let admission = state.router.admit(call, waiting.run, now);
                if let Admission::Go(permit) = &admission {
                    note_skipped(&mut state.usage, call, waiting.run, permit, now);
                }
                (admission, now)
            });
            match admission {
                Admission::Go(permit) => {
                    let waited = now.since(began);
                    let number = waiting.run.number();
                    let router = self.clone();
                    return Ok(UpstreamCall::new(
                        router,
                        permit,
                        (call, number),
                        waited,
                        now,
                    ));
                }
                Admission::Refused(nothing_left) => return Err(nothing_left),
                Admission::Wait { until } => {
                    tokio::select! {
                        () = tokio::time::sleep(until.since(now)) => {}
                        () = capacity_changed => {}
                    }
                }
            }
        }
    }
}

impl UpstreamCall {
    fn new(
        router: RouterHandle,
        permit: Permit,
        (call, number): (&Call, RequestNumber),
        waited: Duration,
        now: Moment,
    ) -> Self {
        Self {
            router,
            profile: Arc::clone(&permit.profile),
            attempt: Attempt {
                request: number,
                at: now,
                caller: call.caller,
                model: Arc::clone(&call.model),
                sent_model: Arc::clone(&call.model),
                dialect: permit.dialect,
                translated: permit.dialect != call.dialect,
                without: Vec::new(),
                choice: Some(permit.choice),
                end: AttemptEnd::Cancelled,
                waited,
                first_byte: None,
                total: Duration::ZERO,
                tokens: None,
                estimated: false,
                nanodollars: None,
            },
            login: call
                .login
                .filter(|_| permit.profile.auth == Auth::Caller)
                .map(|brought| brought.login.id),
            permit: Some(permit),
            sent_at: None,
        }
    }

    /// Who is asked.
    #[must_use]
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// The login that goes with it, which is the caller's own.
    #[must_use]
    pub const fn login(&self) -> Option<LoginId> {
        self.login
    }

    /// The dialect to speak upstream, which need not be the caller's.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.attempt.dialect
    }

    /// Why this profile was chosen.
    #[must_use]
    pub const fn choice(&self) -> Option<Choice> {
        self.attempt.choice
    }

    /// What of the request the upstream's dialect has no words for, and is left out.
    pub fn leaving_out(&mut self, features: &[String]) {
        self.attempt.without = features.to_vec();
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
        let Some(permit) = &self.permit else {
            return false;
        };
        self.router
            .with(|state, _| state.router.may_reconnect(permit))
    }

    /// The answer's first byte is here.
    pub fn first_byte(&mut self) {
        let sent_at = self.sent_at.unwrap_or(self.attempt.at);
        let now = self.router.clock().now();
        self.attempt.first_byte.get_or_insert(now.since(sent_at));
    }

    /// The answer's headers tell what is left of the provider's limits, and of its login's plan.
    pub fn learn(&mut self, remaining: Remaining, headers: &HeaderMap) {
        let permit = self.permit.as_ref();
        let permit = permit.filter(|_| remaining != Remaining::default());
        if permit.is_none() && self.login.is_none() {
            return;
        }
        let profile = &self.profile.name;
        self.router.with(|state, now| {
            if let Some(permit) = permit {
                state.router.learn(permit, remaining, now);
            }
            if let Some(login) = self.login {
                state.change_plan(profile, now, |plans, wall| {
                    plans.see(login, profile);
                    let windows = windows(headers, wall);
                    let near = plans.learn(login, profile, windows, wall).into_iter();
                    near.map(|warning| near_end(warning.window)).collect()
                });
            }
        });
    }

    /// Its login was told to wait, or that its plan is used up, which concerns no other login.
    pub fn refuse_login(mut self, error: &CallError, used_up: Option<UsedUp>) {
        let model = Arc::clone(&self.attempt.model);
        let refused = |plans: &mut Plans, login, profile: &ProfileName, wall: Timestamp| {
            let Some(used_up) = used_up else {
                if let CallError::RateLimited { retry_after } = error {
                    let until = wall.saturating_add(*retry_after).unwrap_or(wall);
                    plans.cool(login, profile, until);
                }
                return None;
            };
            let is_news = plans.standing(login, &model, wall).used_up.is_none();
            plans.use_up(login, profile, used_up.clone(), wall);
            is_news.then_some(PlanNews::UsedUp(used_up))
        };
        let used = self.towards_limit(Used::Tokens(0));
        let settlement = Settlement::failed(error, used).of_login_alone();
        let end = AttemptEnd::Failed {
            kind: error.kind(),
            message: error.to_string(),
        };
        self.settle_with_plan(settlement, end, refused);
    }

    /// The answer's first valid event is here: a probe has succeeded, whatever becomes of the rest.
    pub fn confirm(&mut self) {
        if let Some(permit) = self.permit.as_mut().filter(|permit| permit.is_probe()) {
            self.router
                .with(|state, now| state.router.confirm(permit, now));
        }
    }

    /// What the call has used so far, in place of what was said before.
    pub fn used(&mut self, usage: TokenUsage, estimated: bool) {
        self.attempt.tokens = Some(Tokens {
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
        });
        self.attempt.estimated = estimated;
        self.attempt.nanodollars = match self.login {
            // Its plan pays.
            Some(_) => Some(0),
            None => price::nanodollars(self.profile.provider, &self.attempt.sent_model, usage),
        };
    }

    /// The answer is whole.
    pub fn succeed(mut self) {
        let model = Arc::clone(&self.attempt.model);
        let serves = |plans: &mut Plans, login, _: &ProfileName, wall| {
            plans.serves(login, &model, wall);
            None
        };
        let used = self.towards_limit(Used::AsReserved);
        self.settle_with_plan(Settlement::success(used), AttemptEnd::Success, serves);
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
        let used = self.towards_limit(if refused {
            Used::Tokens(0)
        } else {
            Used::AsReserved
        });
        let settlement = Settlement::failed(error, used);
        let end = AttemptEnd::Failed {
            kind: error.kind(),
            message: error.to_string(),
        };
        let settlement = match cool {
            Some(cool) => settlement.with(cool),
            None => settlement,
        };
        self.settle(settlement, end);
    }

    /// What to set the reservation off against; `unknown` where the answer has told nothing.
    fn towards_limit(&self, unknown: Used) -> Used {
        match (self.sent_at, self.attempt.tokens) {
            (None, _) => Used::Nothing,
            (_, Some(tokens)) => Used::Tokens(tokens.towards_limit()),
            (_, None) => unknown,
        }
    }

    fn settle(&mut self, settlement: Settlement, end: AttemptEnd) {
        self.settle_with_plan(settlement, end, |_, _, _, _| None);
    }

    /// Settles the call and, in one step with it, notes on the plan of its login, where it has one, what its end means.
    fn settle_with_plan(
        &mut self,
        settlement: Settlement,
        end: AttemptEnd,
        change: impl FnOnce(&mut Plans, LoginId, &ProfileName, Timestamp) -> Option<PlanNews>,
    ) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        let mut attempt = self.attempt.clone();
        attempt.end = end;
        // One that was given up before anything left has asked nobody.
        let counts = self.sent_at.is_some() || attempt.end != AttemptEnd::Cancelled;
        attempt.total = self.router.clock().now().since(attempt.at);
        // Told before what follows from it: a breaker that opens, a route that moves.
        if let Some(recorder) = self.router.recorder().filter(|_| counts) {
            recorder.record(Fact::at(
                Timestamp::now(),
                What::Attempted {
                    profile: self.profile.name.clone(),
                    attempt: Box::new(attempt.clone()),
                },
            ));
        }
        let (profile, login) = (&self.profile.name, self.login);
        self.router.with(|state, now| {
            if let Some(login) = login {
                state.change_plan(profile, now, |plans, wall| {
                    change(plans, login, profile, wall).into_iter().collect()
                });
            }
            state.router.settle(permit, settlement, now);
            if counts {
                if let (Caller::Terminal(id), Some(tokens)) = (attempt.caller, attempt.tokens) {
                    state.accounts.add(id, tokens, attempt.nanodollars);
                }
                state.usage.record(profile, attempt);
            }
        });
    }
}

fn windows(headers: &HeaderMap, wall: Timestamp) -> Windows {
    let told = headers.iter();
    let told = told.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    Windows::told(told, wall)
}

fn near_end(window: Window) -> PlanNews {
    PlanNews::NearEnd {
        percent: window.percent(),
        window: window.name,
        resets_at: window.resets_at,
    }
}

impl Drop for UpstreamCall {
    fn drop(&mut self) {
        let used = self.towards_limit(Used::AsReserved);
        self.settle(Settlement::ignored(used), AttemptEnd::Cancelled);
    }
}

/// Leaves the queue when the wait is given up.
struct Waiting<'a> {
    router: &'a RouterHandle,
    run: &'a mut Run,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.run.waits() {
            self.router
                .with(|state, _| state.router.leave_queue(self.run));
        }
    }
}

/// Keeps among their attempts that the profiles before the chosen one were skipped.
fn note_skipped(usage: &mut Usage, call: &Call, run: &Run, permit: &Permit, now: Moment) {
    for (name, skip) in run.skipped() {
        let attempt = Attempt {
            request: run.number(),
            at: now,
            caller: call.caller,
            model: Arc::clone(&call.model),
            sent_model: Arc::clone(&call.model),
            dialect: permit.dialect,
            translated: false,
            without: Vec::new(),
            choice: None,
            end: AttemptEnd::Skipped(*skip),
            waited: Duration::ZERO,
            first_byte: None,
            total: Duration::ZERO,
            tokens: None,
            estimated: false,
            nanodollars: None,
        };
        usage.record(name, attempt);
    }
}
