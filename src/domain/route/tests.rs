use std::num::NonZeroU64;

use super::fixtures::{call, keyed, limited, profile};
use super::*;
use crate::domain::breaker::BreakerState;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Capabilities, Capability, Dialect, ProviderKind};

mod bookkeeping;
mod callers;
mod resort;
mod run;
mod steering;
mod story;
mod walk;

fn at(seconds: u64) -> Moment {
    Moment::ORIGIN.after(Duration::from_secs(seconds))
}

fn named(name: &str) -> ProfileName {
    ProfileName::from(name)
}

fn router(profiles: impl IntoIterator<Item = Profile>) -> Router {
    Router::new(RouteSettings::default(), keyed(profiles), 7, at(0))
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
