//! Everything that can be asked of an instance.

use std::path::PathBuf;
use std::time::Duration;

use super::shapes::RowStyle;
use super::since::Since;
use crate::domain::agent::AgentState;
use crate::domain::budget::Budget;
use crate::domain::chord::Chord;
use crate::domain::id::TerminalId;
use crate::domain::profile::ProfileName;
use crate::domain::route::{RouterCommand, Verb};
use crate::domain::size::Size;
use crate::domain::terminal::{Status, TerminalSpec};
use crate::store::{EventFilter, Grouping};

/// One thing to do, or to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Every terminal that lives or ended within the last minute, oldest first.
    List,
    /// One terminal.
    Show(Target),
    Open(TerminalSpec),
    /// Types one thing after the other.
    Type {
        target: Target,
        parts: Vec<Typed>,
    },
    Capture {
        target: Target,
        /// Its history too.
        scrollback: bool,
        style: RowStyle,
    },
    /// The end of its screen, and the branch it is on.
    Glimpse(Target),
    /// Done once the size is in force.
    Resize {
        target: Target,
        size: Size,
    },
    Rename {
        target: Target,
        name: String,
    },
    /// Done once the terminal is dead and nothing of its session is left.
    Kill(Target),
    Wait {
        target: Target,
        until: Condition,
        limit: Duration,
    },
    Status,
    /// An address for a browser.
    Url(Option<Target>),
    Providers,
    /// The last requests that were made at a profile or passed it over, the newest first.
    Requests(ProfileName),
    /// Every agent there is: found where, in which version, and whether its requests are seen.
    Agents,
    /// Tells a terminal's budget, once it was changed where a change is given.
    Budget {
        target: Target,
        change: Option<BudgetChange>,
    },
    /// Done, for the restart of a profile with a server of tundra's, once that takes requests.
    Steer(RouterCommand),
    /// What was asked of whom, and what it cost.
    Usage {
        since: Since,
        by: Grouping,
    },
    /// What happened.
    History(EventFilter),
    /// Done once no terminal shows the instance.
    Detach,
    /// Begins to end the instance. Without `force` it is refused while programs run.
    Stop {
        force: bool,
    },
    /// What is logged, after another filter was set where there is one.
    LogFilter(Option<String>),
    /// Another program goes on in this one's place. Where one does, whoever asked is answered by it.
    Upgrade {
        /// An absolute path.
        program: PathBuf,
    },
    /// How the journal and its copy stand.
    Store,
    /// Ships what waits for the copy, and commits it.
    StoreShip,
    /// The copy's latest commits.
    StoreLog {
        most: usize,
    },
    /// The rows that differ between two revisions of the copy.
    StoreDiff {
        from: Option<String>,
        to: Option<String>,
    },
}

/// Which terminal is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Id(TerminalId),
    /// As a user says it: an id, the beginning of one, or a name.
    Called(String),
}

/// What becomes of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetChange {
    /// Sets the limits that are named; the others stay.
    Set(Budget),
    Off,
}

/// Something to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    Text(String),
    Paste(String),
    Key(Chord),
}

/// What to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A regular expression that the text of screen and history matches.
    Text(String),
    Exit,
    Agent(AgentState),
    Status(Status),
}

impl Operation {
    /// Whether it may take long and can be given up in the middle. The others are short and are carried out whole.
    #[must_use]
    pub const fn may_be_given_up(&self) -> bool {
        match self {
            Self::Kill(_)
            | Self::Wait { .. }
            | Self::Upgrade { .. }
            | Self::Detach
            | Self::Usage { .. }
            | Self::History(_)
            | Self::StoreShip
            | Self::StoreLog { .. }
            | Self::StoreDiff { .. } => true,
            Self::Steer(command) => matches!(command.verb(), Verb::Restart),
            Self::List
            | Self::Show(_)
            | Self::Open(_)
            | Self::Type { .. }
            | Self::Capture { .. }
            | Self::Glimpse(_)
            | Self::Resize { .. }
            | Self::Rename { .. }
            | Self::Status
            | Self::Url(_)
            | Self::Providers
            | Self::Requests(_)
            | Self::Stop { .. }
            | Self::LogFilter(_)
            | Self::Agents
            | Self::Budget { .. }
            | Self::Store => false,
        }
    }
}

impl Condition {
    const STATUSES: [Status; 3] = [Status::Active, Status::Disconnected, Status::Dead];

    /// The names that [`Condition::state`] takes.
    pub fn states() -> impl Iterator<Item = &'static str> {
        let statuses = Self::STATUSES.into_iter().map(Status::name);
        statuses.chain(AgentState::ALL.into_iter().map(AgentState::name))
    }

    /// A terminal's status or an agent's state, by its name.
    #[must_use]
    pub fn state(name: &str) -> Option<Self> {
        let status = Self::STATUSES
            .into_iter()
            .find(|status| status.name() == name);
        let agent = AgentState::parse(name);
        status.map(Self::Status).or(agent.map(Self::Agent))
    }

    /// The name of the state that is waited for.
    #[must_use]
    pub const fn state_name(&self) -> Option<&'static str> {
        match self {
            Self::Status(status) => Some(status.name()),
            Self::Agent(state) => Some(state.name()),
            Self::Text(_) | Self::Exit => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_found_by_its_name() {
        for name in Condition::states() {
            let condition = Condition::state(name).unwrap();
            assert_eq!(condition.state_name(), Some(name));
        }
        assert_eq!(Condition::state("sleepy"), None);
    }
}
