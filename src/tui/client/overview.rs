//! The overview of all agents, while it is open.

use std::time::Instant;

use jiff::Timestamp;

use super::prompt::Prompt;
use crate::domain::id::TerminalId;

/// The overview of all agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The agent that keys are about; the first one where it is gone.
    pub selected: Option<TerminalId>,
    /// What was seen of each agent's pane last.
    pub looks: Vec<AgentLook>,
    /// A line for the selected agent, while one is typed.
    pub answer: Option<Prompt>,
    /// When the ages that are shown were told.
    pub at: Timestamp,
    /// When one of them shows another number.
    pub due: Option<Instant>,
}

/// What is seen of an agent's pane beside its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentLook {
    pub id: TerminalId,
    /// The last lines of its screen that are not blank, the oldest first.
    pub lines: Vec<String>,
    /// The branch of the repository that it is in.
    pub branch: Option<String>,
}

impl Overview {
    #[must_use]
    pub fn look_of(&self, id: TerminalId) -> Option<&AgentLook> {
        self.looks.iter().find(|look| look.id == id)
    }
}
