//! What all viewers together may be sent in a second, so that a flood to many of them leaves the processors to the panes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes a second: more than one viewer can take in, and a fraction of what a hundred would.
const RATE: u64 = 96 << 20;
/// What may be sent at once after a pause.
const BURST: i64 = 1 << 20;
/// What a timer can tell apart.
const LEAST_WAIT: Duration = Duration::from_millis(1);
/// Less than this that waits for a viewer is an echo or a line, and is sent at once whatever the others get.
pub(super) const EXEMPT: u64 = 4096;

/// A bucket of bytes that every session draws from. It may be overdrawn by what was being sent already.
#[derive(Debug)]
pub(super) struct SendRate(Mutex<State>);

#[derive(Debug)]
struct State {
    left: i64,
    at: Instant,
}

impl SendRate {
    pub fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            left: BURST,
            at: now,
        }))
    }

    /// How long a session that has much to send has to wait; None where it need not.
    pub fn delay(&self, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        state.refill(now);
        let missing = u64::try_from(-state.left).ok()?;
        (missing > 0).then(|| Duration::from_micros(missing * 1_000_000 / RATE).max(LEAST_WAIT))
    }

    /// Notes what was sent.
    pub fn count(&self, bytes: usize, now: Instant) {
        let mut state = self.state();
        state.refill(now);
        state.left = state.left.saturating_sub_unsigned(bytes as u64);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refill(&mut self, now: Instant) {
        let micros = now.saturating_duration_since(self.at).as_micros();
        let more = u64::try_from(micros)
            .unwrap_or(u64::MAX)
            .saturating_mul(RATE)
            / 1_000_000;
        if more > 0 {
            self.at = now;
            self.left = self.left.saturating_add_unsigned(more).min(BURST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_waits_for_what_was_overdrawn() {
        let start = Instant::now();
        let rate = SendRate::new(start);
        assert_eq!(rate.delay(start), None);
        rate.count(1 << 20, start);
        assert_eq!(rate.delay(start), None);
        rate.count(48 << 20, start);
        assert_eq!(rate.delay(start), Some(Duration::from_millis(500)));
        let later = start + Duration::from_millis(400);
        assert_eq!(rate.delay(later), Some(Duration::from_millis(100)));
        assert_eq!(rate.delay(start + Duration::from_millis(501)), None);
        // A pause saves up no more than a burst.
        let much_later = start + Duration::from_secs(60);
        rate.count(2 << 20, much_later);
        assert!(rate.delay(much_later).is_some());
    }
}
