//! Waiting for something to hold.

use std::time::{Duration, Instant};

/// How long a condition may take before a test gives up: far more than any should need, for busy machines.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition that nothing announces is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a condition may answer: `bool`, or `Option` for a value to go on with.
pub trait Answer {
    type Value;
    fn held(self) -> Option<Self::Value>;
}

impl Answer for bool {
    type Value = ();
    fn held(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Answer for Option<T> {
    type Value = T;
    fn held(self) -> Option<T> {
        self
    }
}

/// Waits until `condition` holds and answers what it found; fails the test, naming it, after [`PATIENCE`].
pub fn eventually<A: Answer>(name: &str, condition: impl FnMut() -> A) -> A::Value {
    within(PATIENCE, name, condition)
}

/// As [`eventually`], with a deadline of its own.
pub fn within<A: Answer>(
    deadline: Duration,
    name: &str,
    mut condition: impl FnMut() -> A,
) -> A::Value {
    let start = Instant::now();
    loop {
        if let Some(value) = condition().held() {
            return value;
        }
        assert!(
            start.elapsed() < deadline,
            "not within {deadline:?}: {name}"
        );
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The pause between two looks, for loops that look at more than one thing.
pub fn pause() {
    std::thread::sleep(LOOK_EVERY);
}
