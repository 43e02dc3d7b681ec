//! How often a screen may be shown: at most 60 times in any second, with a little credit after a pause.

use std::time::{Duration, Instant};

/// The time between two screens while they come without a pause: with [`BURST`] 60 a second at the very most.
const FRAME: Duration = Duration::from_micros(17_500);

/// How many screens may follow each other at once after a pause: a key's echo is often followed at once by a redrawn
/// prompt, and neither should wait for the other's frame.
const BURST: u32 = 3;

/// Spaces screens out. A generic cell rate algorithm (ITU-T I.371): after a pause [`BURST`] may follow at once, then one
/// every [`FRAME`], evenly.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// When the screens so far would have been shown had they been spaced evenly, plus one [`FRAME`].
    theoretical: Option<Instant>,
}

impl Pace {
    /// The earliest moment for the next screen; None for at once.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.theoretical
            .and_then(|theoretical| theoretical.checked_sub(FRAME * (BURST - 1)))
    }

    /// A screen was shown.
    pub fn shown(&mut self, now: Instant) {
        let theoretical = self
            .theoretical
            .map_or(now, |theoretical| theoretical.max(now));
        self.theoretical = Some(theoretical + FRAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_pause_a_few_follow_at_once_and_then_one_each_frame() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut shown = Vec::new();
        let mut now = start;
        for _ in 0..6 {
            now = pace.next().map_or(now, |next| next.max(now));
            pace.shown(now);
            shown.push(now.duration_since(start));
        }
        let none = Duration::ZERO;
        assert_eq!(shown, [none, none, none, FRAME, FRAME * 2, FRAME * 3]);
    }

    #[test]
    fn never_more_than_sixty_in_a_second() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut count = 0;
        for micros in (0..1_000_000).step_by(250) {
            let now = start + Duration::from_micros(micros);
            if pace.next().is_none_or(|next| next <= now) {
                pace.shown(now);
                count += 1;
            }
        }
        assert!((57..=60).contains(&count), "{count}");
    }
}
