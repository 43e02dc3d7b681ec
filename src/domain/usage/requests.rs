//! The last requests of each profile, each with its attempts at all profiles.

use std::collections::{HashMap, VecDeque};

use crate::domain::caller::RequestNumber;
use crate::domain::profile::ProfileName;

use super::attempts::{Attempt, AttemptEnd};

/// How many requests are kept per profile.
const KEPT: usize = 20;
/// How many attempts of one request are kept; past them its oldest go.
const MOST_TRIES: usize = 64;

/// One attempt, and whom it was made at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    pub profile: ProfileName,
    pub attempt: Attempt,
}

/// What became of one request, profile after profile, in the order in which it was known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestTries {
    pub tries: Vec<Try>,
}

impl RequestTries {
    fn push(&mut self, profile: &ProfileName, attempt: Attempt) {
        if is_skipped(&attempt) {
            let mut known = self.tries.iter();
            if known.any(|known| known.profile == *profile && !is_skipped(&known.attempt)) {
                // How it ended there says more than that it is not asked again.
                return;
            }
            // The list before told the same, or something that is no longer so.
            self.tries.retain(|known| known.profile != *profile);
        }
        if self.tries.len() >= MOST_TRIES {
            self.tries.remove(0);
        }
        self.tries.push(Try {
            profile: profile.clone(),
            attempt,
        });
    }
}

fn is_skipped(attempt: &Attempt) -> bool {
    matches!(attempt.end, AttemptEnd::Skipped(_))
}

/// The last requests of every profile.
#[derive(Debug, Default)]
pub struct Requests {
    /// The newest last.
    of_profile: HashMap<ProfileName, VecDeque<RequestNumber>>,
    /// Those that some profile keeps, each with how many keep it.
    kept: HashMap<RequestNumber, (usize, RequestTries)>,
}

impl Requests {
    /// Keeps an attempt among its request's.
    pub fn record(&mut self, profile: &ProfileName, attempt: Attempt) {
        let number = attempt.request;
        let (keepers, request) = self.kept.entry(number).or_default();
        request.push(profile, attempt);
        let mine = match self.of_profile.get_mut(profile) {
            Some(mine) => mine,
            None => self.of_profile.entry(profile.clone()).or_default(),
        };
        // A request that is still under way is among the newest.
        if mine.contains(&number) {
            return;
        }
        *keepers += 1;
        mine.push_back(number);
        if mine.len() > KEPT
            && let Some(oldest) = mine.pop_front()
            && let Some((keepers, _)) = self.kept.get_mut(&oldest)
        {
            *keepers -= 1;
            if *keepers == 0 {
                self.kept.remove(&oldest);
            }
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// The last requests that were made at a profile or passed it over, the newest first.
    pub fn of(&self, profile: &ProfileName) -> impl Iterator<Item = &RequestTries> {
        let mine = self.of_profile.get(profile).into_iter().flatten();
        mine.rev()
            .filter_map(|number| self.kept.get(number))
            .map(|(_, request)| request)
    }
}
