//! The last ten minutes in slots of ten seconds.

use std::time::Duration;

use crate::domain::moment::Moment;
use crate::domain::outcome::ErrorKind;

use super::Tokens;
use super::attempts::Attempt;

pub const SLOTS: usize = 60;
/// How long a slot is.
pub const SLOT: Duration = Duration::from_secs(10);

/// What ended within one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    pub requests: u32,
    /// Rate limits included.
    pub errors: u32,
    pub rate_limited: u32,
    pub tokens: Tokens,
    /// The mean to the first byte, of those that got one.
    pub first_byte: Option<Duration>,
    answered: u32,
}

/// A ring of slots, each known by its number since the clock's origin.
#[derive(Clone, Debug)]
pub struct Timeline {
    slots: Box<[(u64, Slot); SLOTS]>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            slots: Box::new([(0, Slot::default()); SLOTS]),
        }
    }
}

impl Slot {
    /// How many got a first byte, whose mean it tells.
    #[must_use]
    pub const fn answered(&self) -> u32 {
        self.answered
    }

    /// An empty slot but for how many got a first byte.
    #[must_use]
    pub fn of_answered(answered: u32) -> Self {
        Self {
            answered,
            ..Self::default()
        }
    }
}

impl Timeline {
    /// The slots that hold something, each with its number since the clock's origin.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, &Slot)> {
        let slots = self.slots.iter();
        slots
            .filter(|(_, slot)| *slot != Slot::default())
            .map(|(number, slot)| (*number, slot))
    }

    /// The slots that another program has filled.
    #[must_use]
    pub fn of_numbered(slots: impl IntoIterator<Item = (u64, Slot)>) -> Self {
        let mut timeline = Self::default();
        for (number, slot) in slots {
            if let Some(place) = timeline.slots.get_mut(place_of(number)) {
                *place = (number, slot);
            }
        }
        timeline
    }

    pub(super) fn add(&mut self, attempt: &Attempt) {
        let number = number_of(attempt.at.after(attempt.total));
        let Some((held, slot)) = self.slots.get_mut(place_of(number)) else {
            return;
        };
        if *held > number {
            return;
        }
        if *held < number {
            (*held, *slot) = (number, Slot::default());
        }
        slot.requests += 1;
        let error = attempt.end.error();
        slot.errors += u32::from(error.is_some());
        slot.rate_limited += u32::from(error == Some(ErrorKind::RateLimited));
        slot.tokens.add(attempt.tokens.unwrap_or_default());
        if let Some(span) = attempt.first_byte {
            let before = slot.first_byte.unwrap_or_default() * slot.answered;
            slot.answered += 1;
            slot.first_byte = Some(before.saturating_add(span) / slot.answered);
        }
    }

    /// The slots up to the present one, the oldest first.
    pub fn slots(&self, now: Moment) -> impl Iterator<Item = Slot> {
        let last = number_of(now);
        (0..SLOTS as u64).rev().map(move |age| {
            last.checked_sub(age)
                .and_then(|number| {
                    let (held, slot) = self.slots.get(place_of(number))?;
                    (*held == number).then_some(*slot)
                })
                .unwrap_or_default()
        })
    }
}

fn number_of(at: Moment) -> u64 {
    at.nanos() / 10_000_000_000
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the remainder is below the number of slots"
)]
const fn place_of(number: u64) -> usize {
    (number % SLOTS as u64) as usize
}
