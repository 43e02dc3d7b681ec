//! When a visible pane publishes: at the common pace, and not in the middle of a repaint.

use std::time::{Duration, Instant};

use crate::domain::pace::Pace;

/// How long a burst may go on before its screen is shown all the same.
const PATIENCE: Duration = Duration::from_millis(16);

/// How long a burst is given to go on before its first screen is shown, so that a program which clears and repaints
/// in several writes is not shown half painted.
const GATHER: Duration = Duration::from_millis(3);

/// Output of at most this many bytes at once is shown without gathering, unless it erases: the echo of a key.
const SMALL: usize = 256;

/// How long a synchronized update (mode 2026) may hold the screen back.
const UPDATE_LIMIT: Duration = Duration::from_millis(150);

/// Decides when the next screen is due. Time is an argument.
#[derive(Debug, Default)]
pub(super) struct FrameClock {
    due: Option<Instant>,
    pace: Pace,
    /// When the first change came that is not yet shown.
    dirty_since: Option<Instant>,
    update_since: Option<Instant>,
}

impl FrameClock {
    /// `bytes` of output changed the screen; `update_open` tells whether the program holds an update open.
    pub fn output(&mut self, bytes: &[u8], update_open: bool, now: Instant) {
        let echo = bytes.len() <= SMALL && !erases_display(bytes);
        self.change(echo, update_open, now);
    }

    /// Something other than output changed the screen.
    pub fn changed(&mut self, update_open: bool, now: Instant) {
        self.change(true, update_open, now);
    }

    /// `at_once`: there is nothing to gather.
    fn change(&mut self, at_once: bool, update_open: bool, now: Instant) {
        let dirty_since = *self.dirty_since.get_or_insert(now);
        let earliest = self.pace.next().unwrap_or(now);
        if update_open {
            let since = *self.update_since.get_or_insert(now);
            self.due = Some(earliest.max(since + UPDATE_LIMIT));
            return;
        }
        let was_held = self.update_since.take().is_some();
        let gathered = if was_held || at_once {
            now
        } else {
            (now + GATHER).min(dirty_since + PATIENCE)
        };
        self.due = Some(earliest.max(gathered));
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
        self.pace.shown(now);
    }
}

/// Whether the output has an ED (`CSI J`, ECMA-48 8.3.39): what comes next repaints.
fn erases_display(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == 0x1b).skip(1).any(|sequence| {
        let parameters = sequence.strip_prefix(b"[").unwrap_or_default();
        let end = parameters
            .iter()
            .find(|byte| !(0x30..=0x3f).contains(*byte));
        end == Some(&b'J')
    })
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
        clock.output(b"x", false, start);
        assert!(clock.is_due(start));
    }

    #[test]
    fn a_flood_is_shown_every_frame_however_long_it_lasts() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        for millis in 0..=16 {
            clock.output(&[b'x'; 4096], false, at(start, millis));
        }
        assert!(clock.is_due(at(start, 16)));
    }

    #[test]
    fn an_open_update_holds_the_screen_until_it_closes() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        clock.output(b"x", true, start);
        assert!(!clock.is_due(at(start, 50)));
        clock.output(b"x", false, at(start, 51));
        assert!(clock.is_due(at(start, 51)));
    }

    #[test]
    fn an_update_that_never_closes_is_shown_after_its_limit() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        for millis in (0..=150).step_by(10) {
            clock.output(b"x", true, at(start, millis));
        }
        assert!(clock.is_due(at(start, 150)));
    }

    #[test]
    fn a_cleared_screen_is_not_shown_before_it_is_repainted() {
        let start = Instant::now();
        let mut clock = FrameClock::default();
        clock.output(b"\x1b[H\x1b[2J", false, start);
        assert_eq!(clock.due(), Some(start + GATHER));
        clock.output(b"hello", false, at(start, 1));
        assert!(clock.is_due(at(start, 1)));
    }

    #[test]
    fn only_an_erase_of_the_display_counts_as_one() {
        assert!(erases_display(b"\x1b[J"));
        assert!(erases_display(b"ab\x1b[1m\x1b[?2Jcd"));
        assert!(!erases_display(b"J \x1b[K J \x1b[mJ"));
    }
}
