use std::num::{NonZeroU32, NonZeroU64};

use super::*;
use crate::domain::breaker::BreakerState;
use crate::domain::caller::Caller;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Capabilities, Capability, Dialect, Limits, ProviderKind};

mod resort;
mod steering;
mod story;
mod walk;

fn at(seconds: u64) -> Moment {
    Moment::ORIGIN.after(Duration::from_secs(seconds))
}

fn named(name: &str) -> ProfileName {
    ProfileName::from(name)
}

/// A profile that speaks Messages and Chat, with no limit.
fn profile(name: &str, priority: i64) -> Profile {
    let mut profile = Profile::new(name, ProviderKind::Local);
    profile.priority = priority;
    profile
}

fn limited(name: &str, priority: i64, rpm: u32, burst: u32) -> Profile {
    let mut profile = profile(name, priority);
    profile.limits = Limits {
        rpm: NonZeroU32::new(rpm),
        burst: NonZeroU32::new(burst),
        tpm: None::<NonZeroU64>,
    };
    profile
}

fn router(profiles: impl IntoIterator<Item = Profile>) -> Router {
    let profiles = profiles
        .into_iter()
        .map(|profile| (profile, KeyState::Present))
        .collect();
    Router::new(RouteSettings::default(), profiles, 7, at(0))
}

fn call() -> Call {
    Call {
        caller: Caller::Outside,
        model: "m".into(),
        dialect: Dialect::Messages,
        capabilities: Capabilities::NONE,
        tokens: 0,
        only: None,
        foreign: Foreign::Never,
        login: None,
        conversation: None,
    }
}

fn go(router: &mut Router, run: &mut Run, now: Moment) -> Permit {
    match router.admit(&call(), run, now) {
        Admission::Go(permit) => permit,
        other => panic!("no permit but {other:?}"),
    }
}

/// Whom a fresh request goes to; its call is given back at once.
fn goes_to(router: &mut Router, now: Moment) -> Option<String> {
    match router.admit(&call(), &mut Run::default(), now) {
        Admission::Go(permit) => {
            let name = permit.profile.name.to_string();
            router.settle(permit, Settlement::ignored(Used::Nothing), now);
            Some(name)
        }
        _ => None,
    }
}

fn refused(router: &mut Router, run: &mut Run, now: Moment) -> NothingLeft {
    match router.admit(&call(), run, now) {
        Admission::Refused(nothing_left) => nothing_left,
        other => panic!("not refused but {other:?}"),
    }
}

fn http() -> CallError {
    CallError::Http("connection refused".into())
}

fn rate_limited(seconds: u64) -> CallError {
    CallError::RateLimited {
        retry_after: Duration::from_secs(seconds),
    }
}

/// One call to whoever is first, ending with `error`.
fn fail(router: &mut Router, error: &CallError, now: Moment) -> ProfileName {
    let permit = go(router, &mut Run::default(), now);
    let settlement = Settlement::failed(error, Used::AsReserved);
    let name = permit.profile.name.clone();
    router.settle(permit, settlement, now);
    name
}

/// Opens the breaker of whoever is first.
fn open_first(router: &mut Router, now: Moment) {
    for _ in 0..5 {
        fail(router, &http(), now);
    }
}
