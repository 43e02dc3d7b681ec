//! Those who wait for a bucket or a cooldown, first come first served.

use std::collections::VecDeque;

use crate::domain::bucket::Amount;

use super::profile_state::ProfileId;

/// How many may wait. One more is refused at once: at 60 requests a minute the last of 64 would wait for a minute.
const LONGEST: usize = 64;

/// The queue. Nobody takes what somebody before them waits for, so a newcomer does not barge and nobody starves.
#[derive(Debug, Default)]
pub(super) struct WaitQueue {
    waiting: VecDeque<Waiting>,
    next_place: u64,
}

#[derive(Debug)]
struct Waiting {
    place: u64,
    tokens: u64,
    /// Whoever could take the call.
    profiles: Vec<ProfileId>,
}

impl WaitQueue {
    /// Stands at the end, unless the queue is full.
    pub fn join(&mut self, tokens: u64, profiles: Vec<ProfileId>) -> Option<u64> {
        if self.waiting.len() >= LONGEST {
            return None;
        }
        let place = self.next_place;
        self.next_place += 1;
        self.waiting.push_back(Waiting {
            place,
            tokens,
            profiles,
        });
        Some(place)
    }

    /// Answers whether it stood there.
    pub fn leave(&mut self, place: u64) -> bool {
        let at = self.waiting.iter().position(|one| one.place == place);
        at.and_then(|at| self.waiting.remove(at)).is_some()
    }

    /// What those before `place`, or everybody for a newcomer, will take of `profile`.
    pub fn ahead_of(&self, place: Option<u64>, profile: ProfileId) -> Amount {
        self.waiting
            .iter()
            .take_while(|one| place.is_none_or(|place| one.place < place))
            .filter(|one| one.profiles.contains(&profile))
            .map(|one| Amount::call(one.tokens))
            .fold(Amount::default(), Amount::and)
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}
