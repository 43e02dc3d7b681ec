//! What was asked, by whom, of whom, and how it went: counters, latencies, the last ten minutes, the last attempts.
//!
//! Kept in memory and bounded in every direction. Money is in nanodollars; what nobody knows the price of is counted
//! as unknown, never as nothing.

mod attempts;
mod latency;
mod requests;
mod timeline;
mod tokens;

use std::collections::HashMap;
use std::sync::Arc;

use super::caller::Caller;
use super::moment::Moment;
use super::outcome::ErrorKind;
use super::profile::{Dialect, ProfileName};

pub use attempts::{Attempt, AttemptEnd};
pub use latency::{LATENCY_BOUNDS_MS, Latency, Percentiles};
use requests::Requests;
pub use requests::{RequestTries, Try};
pub use timeline::{SLOT, SLOTS, Slot, Timeline};
pub use tokens::Tokens;

/// How many rows of usage are kept; beyond, a model that is new is counted as [`OTHER_MODEL`].
const MOST_ROWS: usize = 4096;
/// The model under which usage beyond the last free row is counted.
pub const OTHER_MODEL: &str = "other";

/// Money for a number of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Of those whose price is known.
    pub nanodollars: u64,
    /// How many requests have no known price.
    pub unknown: u64,
}

impl Cost {
    /// US dollars; `None` where something in it is unknown.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum of money past 9 million dollars may lose a nanodollar"
    )]
    pub fn dollars(self) -> Option<f64> {
        (self.unknown == 0).then_some(self.nanodollars as f64 / 1e9)
    }
}

/// Errors by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errors([u64; ErrorKind::ALL.len()]);

impl Errors {
    /// How many were of `kind`.
    #[must_use]
    pub fn of(&self, kind: ErrorKind) -> u64 {
        self.0.get(kind as usize).copied().unwrap_or(0)
    }

    /// How many there were of any kind.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Counts some more of a kind.
    pub fn add(&mut self, kind: ErrorKind, more: u64) {
        if let Some(count) = self.0.get_mut(kind as usize) {
            *count += more;
        }
    }
}

/// One line of counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests that left, however they ended.
    pub requests: u64,
    pub errors: Errors,
    pub tokens: Tokens,
    /// Requests whose tokens are estimated.
    pub estimated: u64,
    /// Requests that were asked in another dialect than the caller's.
    pub translated: u64,
    /// What was paid, as far as prices are known.
    pub cost: Cost,
}

impl Counters {
    /// Adds another line's counts.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        for (count, more) in self.errors.0.iter_mut().zip(other.errors.0) {
            *count += more;
        }
        self.tokens.add(other.tokens);
        self.estimated += other.estimated;
        self.translated += other.translated;
        self.cost.nanodollars = self.cost.nanodollars.saturating_add(other.cost.nanodollars);
        self.cost.unknown += other.cost.unknown;
    }

    fn add(&mut self, attempt: &Attempt) {
        self.requests += 1;
        self.translated += u64::from(attempt.translated);
        if let Some(kind) = attempt.end.error() {
            self.errors.add(kind, 1);
        }
        let Some(tokens) = attempt.tokens else {
            return;
        };
        self.tokens.add(tokens);
        self.estimated += u64::from(attempt.estimated);
        match attempt.nanodollars {
            Some(money) => self.cost.nanodollars = self.cost.nanodollars.saturating_add(money),
            None => self.cost.unknown += 1,
        }
    }
}

/// Whose usage a row counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowKey {
    pub caller: Caller,
    pub profile: ProfileName,
    /// As it was sent to the provider.
    pub model: Arc<str>,
}

/// The error that a profile answered with last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    pub at: Moment,
    pub kind: ErrorKind,
    pub message: String,
}

/// The latest request that was asked in another dialect than the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastTranslated {
    /// The dialect that it was asked in.
    pub dialect: Dialect,
    /// What of it was left out.
    pub without: Vec<String>,
}

/// What is known of one profile's use.
#[derive(Clone, Debug, Default)]
pub struct ProfileUsage {
    pub counters: Counters,
    /// From sending to the first byte of the answer.
    pub first_byte: Latency,
    /// From sending to the end.
    pub total: Latency,
    /// The last ten minutes.
    pub timeline: Timeline,
    pub last_error: Option<LastError>,
    pub last_translated: Option<LastTranslated>,
}

/// Everything counted.
#[derive(Debug, Default)]
pub struct Usage {
    rows: HashMap<RowKey, Counters>,
    profiles: HashMap<ProfileName, ProfileUsage>,
    requests: Requests,
    /// Who gave the last whole answer.
    last_answered: Option<ProfileName>,
}

impl Usage {
    /// Counts an attempt that has ended, and keeps it with its request among the profile's last.
    pub fn record(&mut self, profile: &ProfileName, attempt: Attempt) {
        if matches!(attempt.end, AttemptEnd::Skipped(_)) {
            self.requests.record(profile, attempt);
            return;
        }
        if attempt.end == AttemptEnd::Success && self.last_answered.as_ref() != Some(profile) {
            self.last_answered = Some(profile.clone());
        }
        self.row(profile, &attempt).add(&attempt);
        let usage = self.profile_mut(profile);
        usage.counters.add(&attempt);
        usage.timeline.add(&attempt);
        if let Some(first_byte) = attempt.first_byte {
            usage.first_byte.add(first_byte);
        }
        usage.total.add(attempt.total);
        if let (Some(kind), Some(message)) = (attempt.end.error(), attempt.end.message()) {
            usage.last_error = Some(LastError {
                at: attempt.at.after(attempt.total),
                kind,
                message: message.to_owned(),
            });
        }
        if attempt.translated {
            usage.last_translated = Some(LastTranslated {
                dialect: attempt.dialect,
                without: attempt.without.clone(),
            });
        }
        self.requests.record(profile, attempt);
    }

    /// Lets a profile's counters go on from what was counted before. Its rows and latencies begin afresh.
    pub fn resume(&mut self, profile: &ProfileName, counters: &Counters) {
        self.profile_mut(profile).counters.merge(counters);
    }

    /// Goes on with a row that another program has counted.
    pub fn resume_row(&mut self, key: RowKey, counters: Counters) {
        self.rows.insert(key, counters);
    }

    /// Goes on with what another program has counted of a profile.
    pub fn resume_profile(&mut self, name: ProfileName, usage: ProfileUsage) {
        self.profiles.insert(name, usage);
    }

    /// Goes on with an attempt that another program has counted, among those of its request; the oldest comes first.
    pub fn resume_attempt(&mut self, profile: &ProfileName, attempt: Attempt) {
        self.requests.record(profile, attempt);
    }

    /// Goes on with who gave the last whole answer.
    pub fn resume_answered(&mut self, profile: Option<ProfileName>) {
        self.last_answered = profile;
    }

    /// Every profile that has counted something, in no order.
    pub fn profiles(&self) -> impl Iterator<Item = (&ProfileName, &ProfileUsage)> {
        self.profiles.iter()
    }

    /// The rows that have counted something, in no order.
    pub fn rows(&self) -> impl Iterator<Item = (&RowKey, &Counters)> {
        self.rows.iter()
    }

    /// What is counted of a profile; `None` where nothing is yet.
    #[must_use]
    pub fn profile(&self, name: &ProfileName) -> Option<&ProfileUsage> {
        self.profiles.get(name)
    }

    /// The last requests that were made at a profile or passed it over, the newest first.
    pub fn requests(&self, name: &ProfileName) -> impl Iterator<Item = &RequestTries> {
        self.requests.of(name)
    }

    /// Who gave the last whole answer.
    #[must_use]
    pub const fn last_answered(&self) -> Option<&ProfileName> {
        self.last_answered.as_ref()
    }

    fn profile_mut(&mut self, profile: &ProfileName) -> &mut ProfileUsage {
        self.profiles.entry(profile.clone()).or_default()
    }

    fn row(&mut self, profile: &ProfileName, attempt: &Attempt) -> &mut Counters {
        let mut key = RowKey {
            caller: attempt.caller,
            profile: profile.clone(),
            model: Arc::clone(&attempt.sent_model),
        };
        if self.rows.len() >= MOST_ROWS && !self.rows.contains_key(&key) {
            key.caller = Caller::Outside;
            key.model = OTHER_MODEL.into();
        }
        self.rows.entry(key).or_default()
    }
}

#[cfg(test)]
mod tests;
