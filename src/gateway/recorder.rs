//! Whoever keeps attempts for longer than this process lives.

use std::fmt;

use crate::domain::profile::ProfileName;
use crate::domain::usage::Attempt;

/// Hears of every attempt that asked a provider, once, as it ends; skipped profiles are not told.
///
/// It is called on the request's way and must not wait: it hands the fact on to a bounded queue and says itself what a
/// full one means. The date of an attempt is [`super::Clock::date`] of its moment.
pub trait Recorder: Send + Sync + fmt::Debug {
    fn attempt(&self, profile: &ProfileName, attempt: &Attempt);
}
