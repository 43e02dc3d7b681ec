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
    /// When the chosen agent's screen is looked at anew: what it asks may be drawn after it was told that it asks.
    pub look_due: Option<Instant>,
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
    /// When something of it changes by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.due.into_iter().chain(self.look_due).min()
    }

    /// Takes in what was seen of some agents; whether that is anything new.
    pub fn see(&mut self, looks: Vec<AgentLook>) -> bool {
        let mut is_new = false;
        for look in looks {
            if let Some(known) = self.looks.iter_mut().find(|known| known.id == look.id) {
                is_new |= *known != look;
                *known = look;
            } else {
                is_new = true;
                self.looks.push(look);
            }
        }
        is_new
    }

    #[must_use]
    pub fn look_of(&self, id: TerminalId) -> Option<&AgentLook> {
        self.looks.iter().find(|look| look.id == id)
    }
}
