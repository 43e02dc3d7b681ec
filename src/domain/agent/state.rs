//! What an agent is doing, and what that rests on.

use std::fmt;

use jiff::Timestamp;

use crate::domain::adapter::AgentName;

/// What an agent is doing, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AgentState {
    /// Nothing told yet.
    #[default]
    Unknown,
    Working,
    /// It asks the user for something.
    Waiting,
    /// It finished and nobody has looked since.
    Done,
    Idle,
    /// Every provider refused it for want of quota.
    Quota,
    /// Its last request failed for a reason that no waiting mends.
    Failed,
}

impl AgentState {
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::Working,
        Self::Waiting,
        Self::Done,
        Self::Idle,
        Self::Quota,
        Self::Failed,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Idle => "idle",
            Self::Quota => "quota",
            Self::Failed => "failed",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// How much it needs the user: higher comes first in lists.
    #[must_use]
    pub const fn urgency(self) -> u8 {
        match self {
            Self::Waiting => 6,
            Self::Failed => 5,
            Self::Quota => 4,
            Self::Done => 3,
            Self::Working => 2,
            Self::Idle => 1,
            Self::Unknown => 0,
        }
    }

    /// Whether it asks for the user: somebody who goes from one such to the next comes by it.
    #[must_use]
    pub const fn wants_user(self) -> bool {
        match self {
            Self::Waiting | Self::Failed | Self::Quota | Self::Done => true,
            Self::Unknown | Self::Working | Self::Idle => false,
        }
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The evidence an agent's state rests on, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The pane has been quiet, or has not.
    Output,
    /// The title (OSC 0, 2), progress (OSC 9;4) or a prompt's mark (OSC 133).
    Title,
    /// A notification (BEL, OSC 9, 99, 777).
    Notification,
    /// What its requests came to at the gateway.
    Wire,
}

impl Evidence {
    pub const ALL: [Self; 4] = [Self::Output, Self::Title, Self::Notification, Self::Wire];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Title => "title",
            Self::Notification => "notification",
            Self::Wire => "wire",
        }
    }
}

/// What stands for words where an agent's requests do not pass the gateway.
pub(super) const NOT_OBSERVED: &str = "not observed";

/// An agent in a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its adapter's name.
    pub kind: AgentName,
    pub state: AgentState,
    pub since: Timestamp,
    pub by: Evidence,
    /// When [`AgentState::Quota`] is over, where that is known.
    pub until: Option<Timestamp>,
    /// What it says, or what was said to it.
    pub message: Option<String>,
    /// Whether its requests pass the gateway. One whose requests do not is judged by weaker signs alone.
    pub observed: bool,
}

impl Agent {
    /// What it says, or what was said to it, and not what stands in the place of that.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        let words = self.message.as_deref();
        words.filter(|words| *words != NOT_OBSERVED)
    }

    /// One of which nothing is known yet.
    #[must_use]
    pub const fn new(kind: AgentName, since: Timestamp, observed: bool) -> Self {
        Self {
            kind,
            state: AgentState::Unknown,
            since,
            by: Evidence::Output,
            until: None,
            message: None,
            observed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_evidence_have_the_names_of_the_contract() {
        let states = AgentState::ALL.map(AgentState::name);
        let names = [
            "unknown", "working", "waiting", "done", "idle", "quota", "failed",
        ];
        assert_eq!(states, names);
        for state in AgentState::ALL {
            assert_eq!(AgentState::parse(&state.to_string()), Some(state));
        }
        assert_eq!(AgentState::parse("sleepy"), None);
        assert_eq!(
            Evidence::ALL.map(Evidence::name),
            ["output", "title", "notification", "wire"]
        );
    }

    #[test]
    fn the_order_is_by_who_needs_the_user() {
        let mut states = AgentState::ALL;
        states.sort_by_key(|state| std::cmp::Reverse(state.urgency()));
        let names = states.map(AgentState::name);
        assert_eq!(
            names,
            [
                "waiting", "failed", "quota", "done", "working", "idle", "unknown"
            ]
        );
        let wanting = states.into_iter().filter(|state| state.wants_user());
        assert_eq!(
            wanting.map(AgentState::name).collect::<Vec<_>>(),
            &names[..4]
        );
    }
}
