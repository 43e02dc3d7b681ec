//! Profiles and calls that tests of the router and of its handle begin with.

use std::num::{NonZeroU32, NonZeroU64};

use super::{Call, KeyState};
use crate::domain::caller::Caller;
use crate::domain::profile::{Dialect, Limits, Profile, ProviderKind};

/// A profile that speaks Messages and Chat, with no limit.
pub fn profile(name: &str, priority: i64) -> Profile {
    let mut profile = Profile::new(name, ProviderKind::Local);
    profile.priority = priority;
    profile
}

/// A profile that takes so many requests a minute, `burst` of them at once.
pub fn limited(name: &str, priority: i64, rpm: u32, burst: u32) -> Profile {
    let mut profile = profile(name, priority);
    profile.limits = Limits {
        rpm: NonZeroU32::new(rpm),
        burst: NonZeroU32::new(burst),
        tpm: None::<NonZeroU64>,
    };
    profile
}

/// The profiles, each with its key.
pub fn keyed(profiles: impl IntoIterator<Item = Profile>) -> Vec<(Profile, KeyState)> {
    let profiles = profiles.into_iter();
    profiles
        .map(|profile| (profile, KeyState::Present))
        .collect()
}

/// A call of a program outside, in Messages.
pub fn call() -> Call {
    Call::new(Caller::Outside, "m".into(), Dialect::Messages)
}
