//! When a user is told of an agent: once for each change, after a while, and not too often.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::state::AgentState;
use crate::domain::id::TerminalId;

/// What is told, and how soon and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticePolicy {
    /// The states that are worth a word.
    pub on: Vec<AgentState>,
    /// A state that is over sooner is not told.
    pub dwell: Duration,
    /// Between two notices of one terminal; what comes between is dropped.
    pub min_interval: Duration,
}

/// Tell the user that an agent has come into this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentNotice {
    pub id: TerminalId,
    pub state: AgentState,
}

/// What is to be told of which terminal, and when.
#[derive(Debug, Default)]
pub struct AgentNotices {
    terminals: HashMap<TerminalId, Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    state: Option<AgentState>,
    /// When the present state has stood long enough; None where it is not to be told, or has been.
    due: Option<Instant>,
    told_at: Option<Instant>,
}

impl AgentNotices {
    /// Takes in the state of a terminal's agent; the same one again changes nothing.
    pub fn see(
        &mut self,
        id: TerminalId,
        state: Option<AgentState>,
        policy: &NoticePolicy,
        now: Instant,
    ) {
        let watched = self.terminals.entry(id).or_default();
        if watched.state == state {
            return;
        }
        watched.state = state;
        let tells = state.is_some_and(|state| policy.on.contains(&state));
        watched.due = tells.then(|| now + policy.dwell);
    }

    /// The terminal is gone.
    pub fn forget(&mut self, id: TerminalId) {
        self.terminals.remove(&id);
    }

    /// The next moment at which [`AgentNotices::take`] has something.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.terminals.values().filter_map(|one| one.due).min()
    }

    /// What is to be told now. A terminal that its user looks at is never told of, now or later.
    pub fn take(
        &mut self,
        policy: &NoticePolicy,
        now: Instant,
        is_attended: impl Fn(TerminalId) -> bool,
    ) -> Vec<AgentNotice> {
        let mut notices = Vec::new();
        for (id, watched) in &mut self.terminals {
            if watched.due.is_none_or(|due| due > now) {
                continue;
            }
            watched.due = None;
            let too_soon = watched
                .told_at
                .is_some_and(|told| now.saturating_duration_since(told) < policy.min_interval);
            let Some(state) = watched.state.filter(|_| !too_soon && !is_attended(*id)) else {
                continue;
            };
            watched.told_at = Some(now);
            notices.push(AgentNotice { id: *id, state });
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AgentState::{Done, Idle, Waiting, Working};

    fn policy() -> NoticePolicy {
        NoticePolicy {
            on: vec![Waiting, Done],
            dwell: Duration::from_secs(2),
            min_interval: Duration::from_secs(60),
        }
    }

    struct Story {
        notices: AgentNotices,
        id: TerminalId,
        start: Instant,
    }

    impl Story {
        fn new() -> Self {
            Self {
                notices: AgentNotices::default(),
                id: TerminalId::random(),
                start: Instant::now(),
            }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.start + Duration::from_secs(seconds)
        }

        fn see(&mut self, seconds: u64, state: AgentState) {
            let now = self.at(seconds);
            self.notices.see(self.id, Some(state), &policy(), now);
        }

        fn take(&mut self, seconds: u64, attended: bool) -> Vec<AgentState> {
            let now = self.at(seconds);
            let notices = self.notices.take(&policy(), now, |_| attended);
            notices.into_iter().map(|notice| notice.state).collect()
        }
    }

    #[test]
    fn a_state_is_told_once_and_after_it_has_stood() {
        let mut story = Story::new();
        story.see(0, Waiting);
        story.see(1, Waiting);
        assert_eq!(story.notices.due(), Some(story.at(2)));
        assert_eq!(story.take(1, false), []);
        assert_eq!(story.take(2, false), [Waiting]);
        assert_eq!(story.take(3, false), []);
        assert_eq!(story.notices.due(), None);
    }

    #[test]
    fn a_state_that_is_over_soon_or_is_none_of_those_is_not_told() {
        let mut story = Story::new();
        story.see(0, Waiting);
        story.see(1, Working);
        assert_eq!(story.notices.due(), None);
        assert_eq!(story.take(5, false), []);
        story.see(6, Idle);
        assert_eq!(story.take(9, false), []);
    }

    #[test]
    fn what_comes_too_soon_is_dropped_and_not_told_later() {
        let mut story = Story::new();
        story.see(0, Waiting);
        assert_eq!(story.take(2, false), [Waiting]);
        story.see(3, Done);
        assert_eq!(story.take(61, false), []);
        assert_eq!(story.take(200, false), []);
        story.see(201, Waiting);
        assert_eq!(story.take(203, false), [Waiting]);
        story.see(204, Working);
        story.see(260, Done);
        assert_eq!(story.take(263, false), [Done], "a minute after the last");
    }

    #[test]
    fn a_terminal_that_is_looked_at_is_not_told_of_even_when_nobody_looks_any_more() {
        let mut story = Story::new();
        story.see(0, Done);
        assert_eq!(story.take(2, true), []);
        assert_eq!(story.take(5, false), []);
        story.see(6, Waiting);
        let id = story.id;
        story.notices.forget(id);
        assert_eq!((story.notices.due(), story.take(9, false)), (None, vec![]));
    }
}
