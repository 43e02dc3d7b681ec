//! How far a client is behind what was sent to it, and how much more may be on its way.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::remote::protocol::WINDOW;

/// What any client may have on its way: with a screen on top of it still little to read for one that has stopped.
const LEAST_WINDOW: u64 = 64 * 1024;
/// Bytes a second at which a far client is kept busy, its way there and back included.
const RATE: u64 = 32 << 20;

/// What the reading and the writing side of a session tell each other.
#[derive(Default)]
pub(super) struct Flow {
    acked: Mutex<Acked>,
    pub changed: Notify,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Acked {
    /// The number after the last byte sent.
    pub sent: u64,
    pub seq: u64,
    /// Since when something is unacknowledged without any news.
    pub waiting_since: Option<Instant>,
    /// What the next round trip is measured by.
    probe: Option<(u64, Instant)>,
    /// The shortest so far.
    round_trip: Option<Duration>,
    /// The most that one acknowledgement was for.
    step: u64,
    /// Numbers up to here were skipped by a snapshot.
    skipped: u64,
}

impl Flow {
    pub fn ack(&self, seq: u64) {
        let now = Instant::now();
        let mut acked = self.acked();
        let seq = acked.seq.max(seq.min(acked.sent));
        if acked.seq >= acked.skipped {
            acked.step = acked.step.max(seq - acked.seq);
        }
        acked.seq = seq;
        acked.waiting_since = (acked.seq < acked.sent).then_some(now);
        if let Some((_, at)) = acked.probe.take_if(|(probe, _)| *probe <= seq) {
            let took = now - at;
            acked.round_trip = Some(acked.round_trip.map_or(took, |least| least.min(took)));
        }
        drop(acked);
        self.changed.notify_one();
    }

    /// Output up to `next` is on its way.
    pub fn sent(&self, next: u64) {
        let mut acked = self.acked();
        acked.sent = next;
        if acked.seq < next {
            let now = Instant::now();
            acked.waiting_since.get_or_insert(now);
            acked.probe.get_or_insert((next, now));
        }
    }

    /// A screen is on its way, and nothing of what came before it.
    pub fn skipped(&self, next: u64) {
        self.acked().skipped = next;
        self.sent(next);
    }

    /// Begins at a place without anything on its way.
    pub fn begin(&self, seq: u64) {
        *self.acked() = Acked {
            sent: seq,
            seq,
            skipped: seq,
            ..Acked::default()
        };
    }

    pub fn now(&self) -> Acked {
        *self.acked()
    }

    fn acked(&self) -> MutexGuard<'_, Acked> {
        self.acked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Acked {
    /// How much may be on its way; None while nothing has ever been acknowledged.
    ///
    /// As much as keeps the client busy over its distance, and twice what it gathers before it answers. More would
    /// only be stale when one that has stopped reading reads on.
    pub fn window(&self) -> Option<u64> {
        let micros = u64::try_from(self.round_trip?.as_micros()).unwrap_or(u64::MAX);
        let distance = micros.saturating_mul(RATE) / 1_000_000;
        let needed = distance.max(self.step.saturating_mul(2));
        Some(needed.clamp(LEAST_WINDOW, WINDOW))
    }

    /// What is on its way.
    pub fn unacked(&self) -> u64 {
        self.sent - self.seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn after(time: Duration, flow: &Flow, seq: u64) -> Option<u64> {
        tokio::time::advance(time).await;
        flow.ack(seq);
        flow.now().window()
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_is_what_the_shortest_round_trip_needs() {
        let flow = Flow::default();
        flow.begin(1000);
        flow.sent(2000);
        assert_eq!(flow.now().window(), None);
        assert_eq!(
            after(Duration::from_millis(50), &flow, 2000).await,
            Some(WINDOW)
        );
        flow.sent(3000);
        // 32 MiB/s for 4 ms.
        assert_eq!(
            after(Duration::from_millis(4), &flow, 3000).await,
            Some(134_217)
        );
        flow.sent(4000);
        assert_eq!(
            after(Duration::from_millis(50), &flow, 4000).await,
            Some(134_217)
        );
        flow.sent(5000);
        let least = after(Duration::from_micros(100), &flow, 5000).await;
        assert_eq!(least, Some(LEAST_WINDOW));
        assert_eq!(flow.now().unacked(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_gathers_before_it_answers_is_not_starved() {
        let flow = Flow::default();
        flow.begin(0);
        flow.sent(50_000);
        assert_eq!(
            after(Duration::from_micros(100), &flow, 50_000).await,
            Some(100_000)
        );
        // A screen's number says nothing of how much the client gathers.
        flow.skipped(10_000_000);
        assert_eq!(
            after(Duration::from_micros(100), &flow, 10_000_000).await,
            Some(100_000)
        );
    }
}
