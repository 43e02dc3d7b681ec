//! When a visible pane publishes: at once after a pause, then at most 60 times a second.

use std::time::{Duration, Instant};

/// The shortest time between two published screens.
const FRAME: Duration = Duration::from_millis(16);

/// How long a burst is given to go on before its first screen is shown, so that a program which clears and repaints
/// in several writes is not shown half painted.
const GATHER: Duration = Duration::from_millis(3);

/// Output of at most this many bytes at once is shown without gathering: the echo of a key.
const SMALL: usize = 256;

/// How long a synchronized update (mode 2026) may hold the screen back.
const UPDATE_LIMIT: Duration = Duration::from_millis(150);

/// Decides when the next screen is due. Time is an argument.
#[derive(Debug, Default)]
pub(super) struct FrameClock {
    due: Option<Instant>,
    last: Option<Instant>,
    /// When the first change came that is not yet shown.
    dirty_since: Option<Instant>,
    update_since: Option<Instant>,
}

impl FrameClock {
    /// `bytes` of output changed the screen; `update_open` tells whether the program holds an update open.
    pub fn output(&mut self, bytes: usize, update_open: bool, now: Instant) {
        let dirty_since = *self.dirty_since.get_or_insert(now);
        let earliest = self.last.map_or(now, |last| last + FRAME);
        if update_open {
            let since = *self.update_since.get_or_insert(now);
            self.due = Some(earliest.max(since + UPDATE_LIMIT));
            return;
        }
        let was_held = self.update_since.take().is_some();
        let gathered = if was_held || bytes <= SMALL {
            now
        } else {
            (now + GATHER).min(dirty_since + FRAME)
        };
        self.due = Some(earliest.max(gathered));
    }

    /// Something other than output changed the screen: show it as soon as the rate allows.
    pub fn changed(&mut self, now: Instant) {
        self.output(0, false, now);
    }

    /// When the next screen is due, if one is.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// A screen was published, or nobody is there to see it.
    pub fn published(&mut self, now: Instant) {
        self.due = None;
        self.dirty_since = None;
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn the_echo_of_a_key_after_a_pause_is_shown_at_once() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        clock.output(1, false, start);
        assert!(clock.is_due(start));
    }

    #[test]
    fn two_screens_are_at_least_a_frame_apart() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        clock.output(1, false, start);
        clock.published(start);
        clock.output(1, false, at(start, 1));
        assert_eq!(clock.due(), Some(start + FRAME));
    }

    #[test]
    fn a_flood_is_shown_every_frame_however_long_it_lasts() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        for millis in 0..=16 {
            clock.output(65_536, false, at(start, millis));
        }
        assert!(clock.is_due(at(start, 16)));
    }

    #[test]
    fn an_open_update_holds_the_screen_until_it_closes() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        clock.output(100, true, start);
        assert!(!clock.is_due(at(start, 50)));
        clock.output(8, false, at(start, 51));
        assert!(clock.is_due(at(start, 51)));
    }

    #[test]
    fn an_update_that_never_closes_is_shown_after_its_limit() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        for millis in (0..=150).step_by(10) {
            clock.output(100, true, at(start, millis));
        }
        assert!(clock.is_due(at(start, 150)));
    }
}
