//! What shapes are made of that JSON has no form for.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A descriptor that goes over, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptDescriptor(pub(super) i32);

impl std::fmt::Display for KeptDescriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A run of bytes behind the JSON; the default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptBytes {
    pub(super) at: usize,
    pub(super) length: usize,
}

impl KeptBytes {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// How long ago a moment of this process was, in milliseconds: the clock itself cannot be handed over.
#[must_use]
pub fn millis_since(at: Instant) -> u64 {
    u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The moment that was so many milliseconds ago; now, where this process's clock does not reach back so far.
#[must_use]
pub fn since_millis(millis: u64) -> Instant {
    let now = Instant::now();
    now.checked_sub(Duration::from_millis(millis))
        .unwrap_or(now)
}
