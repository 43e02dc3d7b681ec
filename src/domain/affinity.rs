//! Which profile a conversation stays with, so that the provider's prompt cache is of use.

use std::collections::HashMap;
use std::time::Duration;

use super::moment::Moment;
use super::profile::ProfileName;

/// Conversations that are remembered; past them those that have been silent for longest go.
const MOST: usize = 4096;

/// Names a conversation: a hash of its terminal and of what its client calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConversationId(pub u64);

/// Who answered each conversation last, and when.
#[derive(Debug, Default)]
pub struct Affinity {
    answered: HashMap<ConversationId, (ProfileName, Moment)>,
}

impl Affinity {
    /// Notes that `profile` has answered.
    pub fn note(&mut self, conversation: ConversationId, profile: &ProfileName, now: Moment) {
        if self.answered.len() >= MOST && !self.answered.contains_key(&conversation) {
            let mut times: Vec<Moment> = self.answered.values().map(|(_, at)| *at).collect();
            times.sort_unstable();
            // Half at a time, so that a full table is not searched with every answer.
            if let Some(&middle) = times.get(MOST / 2) {
                self.answered.retain(|_, (_, at)| *at > middle);
            }
        }
        self.answered.insert(conversation, (profile.clone(), now));
    }

    /// The profile that `conversation` stays with at `now`, for `span` after its last answer.
    #[must_use]
    pub fn of(
        &self,
        conversation: ConversationId,
        span: Duration,
        now: Moment,
    ) -> Option<&ProfileName> {
        let (profile, at) = self.answered.get(&conversation)?;
        (now < at.after(span)).then_some(profile)
    }

    /// Who answered each conversation last, and when, in no order.
    pub fn all(&self) -> impl Iterator<Item = (ConversationId, &ProfileName, Moment)> {
        let answered = self.answered.iter();
        answered.map(|(conversation, (profile, at))| (*conversation, profile, *at))
    }

    /// Lets every conversation go where the order says.
    pub fn clear(&mut self) {
        self.answered.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(300);

    fn at(seconds: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_conversation_stays_for_a_while_after_its_last_answer() {
        let (one, other) = (ConversationId(1), ConversationId(2));
        let (a, b) = (ProfileName::from("a"), ProfileName::from("b"));
        let mut affinity = Affinity::default();
        affinity.note(one, &a, at(0));
        assert_eq!(affinity.of(one, SPAN, at(299)), Some(&a));
        assert_eq!(affinity.of(one, SPAN, at(300)), None);
        assert_eq!(affinity.of(other, SPAN, at(0)), None);
        affinity.note(one, &b, at(200));
        assert_eq!(affinity.of(one, SPAN, at(499)), Some(&b));
        assert_eq!(affinity.of(one, Duration::ZERO, at(200)), None);
        affinity.clear();
        assert_eq!(affinity.of(one, SPAN, at(200)), None);
    }

    #[test]
    fn more_conversations_than_are_remembered_push_out_the_silent_ones() {
        let name = ProfileName::from("a");
        let mut affinity = Affinity::default();
        let most = u64::try_from(MOST).unwrap();
        for number in 0..=most {
            affinity.note(ConversationId(number), &name, at(number));
        }
        let long = Duration::from_secs(1_000_000);
        assert_eq!(affinity.of(ConversationId(0), long, at(most)), None);
        assert_eq!(
            affinity.of(ConversationId(most), long, at(most)),
            Some(&name)
        );
        assert!(affinity.answered.len() <= MOST);
    }

    #[test]
    fn a_full_table_lets_the_more_silent_half_go_and_only_for_one_more() {
        let name = ProfileName::from("a");
        let most = u64::try_from(MOST).unwrap();
        let mut affinity = Affinity::default();
        for number in 0..most {
            affinity.note(ConversationId(number), &name, at(number));
        }
        let long = Duration::from_secs(1_000_000);
        let stays = |affinity: &Affinity, number| {
            let profile = affinity.of(ConversationId(number), long, at(most));
            profile.is_some()
        };
        affinity.note(ConversationId(most - 1), &name, at(most));
        assert!(stays(&affinity, 0), "one that is known needs no room");
        affinity.note(ConversationId(most), &name, at(most));
        assert!(!stays(&affinity, most / 2));
        assert!(stays(&affinity, most / 2 + 1));
        assert!(stays(&affinity, most - 2));
    }
}
