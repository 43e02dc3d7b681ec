//! The user's place: tabs and panes, open copy modes, messages, what was copied.
//!
//! It belongs to the instance and not to a terminal, so it is there again in whatever terminal shows the instance next.
//! Plain values without handles; only `update` changes them. A pane is in exactly one tab; a tab has at least one pane;
//! `active` names a tab whenever there is one. This room must not know of sizes, overlays or what a terminal can do.

mod messages;
mod pane;
mod saved;
mod tab;
mod waiting;

use std::collections::BTreeMap;

pub use messages::{Age, Message, Messages};
pub use pane::Pane;
pub use saved::{Origin, SavedError, SavedSession};
pub use tab::Tab;
pub use waiting::Waiting;

use crate::domain::agent::AgentState;
use crate::domain::id::TerminalId;

#[derive(Debug, Default)]
pub struct Session {
    pub tabs: Vec<Tab>,
    pub active: usize,
    pub panes: BTreeMap<TerminalId, Pane>,
    pub messages: Messages,
    /// What was copied last.
    pub paste_buffer: String,
    /// Terminals asked for and not yet there.
    pub opening: usize,
    /// Some terminal has been there, so that the last one's end is the end.
    pub opened_any: bool,
    /// The focused pane of the tab that was in front before.
    pub before: Option<TerminalId>,
    pub hides_sidebar: bool,
    pub hides_providers: bool,
    /// The pane that was last told it has the focus.
    pub focus_told: Option<TerminalId>,
}

impl Session {
    /// The tab in front.
    #[must_use]
    pub fn tab(&self) -> Option<&Tab> {
        self.tabs.get(self.active)
    }

    #[must_use]
    pub fn tab_mut(&mut self) -> Option<&mut Tab> {
        self.tabs.get_mut(self.active)
    }

    /// Brings a tab to the front; nothing where there is none of that number.
    pub fn show_tab(&mut self, index: usize) {
        if index < self.tabs.len() && index != self.active {
            self.before = self.focus();
            self.active = index;
        }
    }

    /// The tab that was in front before this one, if it is still there.
    #[must_use]
    pub fn last_tab(&self) -> Option<usize> {
        let index = self.tab_of(self.before?)?;
        (index != self.active).then_some(index)
    }

    /// The pane that keys go to.
    #[must_use]
    pub fn focus(&self) -> Option<TerminalId> {
        self.tab().map(|tab| tab.focus)
    }

    #[must_use]
    pub fn focused(&self) -> Option<&Pane> {
        self.panes.get(&self.focus()?)
    }

    #[must_use]
    pub fn tab_of(&self, id: TerminalId) -> Option<usize> {
        self.tabs.iter().position(|tab| tab.layout.contains(id))
    }

    /// Every pane in the order of tabs and within each from left to right.
    #[must_use]
    pub fn in_order(&self) -> Vec<TerminalId> {
        self.tabs.iter().flat_map(|tab| tab.layout.ids()).collect()
    }

    /// Terminals whose program lives.
    pub fn living(&self) -> impl Iterator<Item = &Pane> {
        self.panes.values().filter(|pane| pane.lives())
    }

    /// Panes whose program waits to be run, in order.
    #[must_use]
    pub fn waiting(&self) -> Vec<TerminalId> {
        let mut waiting = self.in_order();
        waiting.retain(|id| {
            self.panes
                .get(id)
                .is_some_and(|pane| pane.waiting.is_some())
        });
        waiting
    }

    /// The panes that want their user, the most urgent kind alone: agents that wait, else those that failed, that are out of
    /// quota, that are done, else panes that rang or notified.
    #[must_use]
    pub fn wanting(&self) -> Vec<TerminalId> {
        let order = self.in_order();
        let of = |wants: &dyn Fn(&Pane) -> bool| -> Vec<TerminalId> {
            let wanting = |id: &&TerminalId| self.panes.get(*id).is_some_and(wants);
            order
                .iter()
                .filter(wanting)
                .copied()
                .filter(|id| Some(*id) != self.focus())
                .collect()
        };
        let mut urgent = AgentState::ALL;
        urgent.sort_by_key(|state| std::cmp::Reverse(state.urgency()));
        let wanting = urgent.into_iter().filter(|state| state.wants_user());
        let mut agents = wanting.map(|state| of(&|pane| pane.state() == Some(state)));
        let agents = agents.find(|panes| !panes.is_empty());
        agents.unwrap_or_else(|| of(&|pane| pane.badge))
    }

    /// The panes of agents that live, those that need their user first, and of equal ones the longest in their state.
    #[must_use]
    pub fn agents(&self) -> Vec<TerminalId> {
        let mut agents: Vec<_> = self
            .living()
            .filter_map(|pane| Some((pane.info.agent.as_ref()?, pane.info.id)))
            .collect();
        agents.sort_by_key(|(agent, id)| {
            (std::cmp::Reverse(agent.state.urgency()), agent.since, *id)
        });
        agents.into_iter().map(|(_, id)| id).collect()
    }

    #[must_use]
    pub fn state_of(&self, id: TerminalId) -> Option<AgentState> {
        self.panes.get(&id)?.state()
    }
}
