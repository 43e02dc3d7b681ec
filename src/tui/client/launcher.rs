//! The launcher: which agent, and where, under what name, on which branch and with what budget.

use std::path::PathBuf;

use super::prompt::Prompt;
use crate::domain::adapter::AgentName;
use crate::domain::budget::Budget;

/// An agent as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    pub agent: AgentName,
    pub name: Option<String>,
    /// As it was typed.
    pub directory: Option<PathBuf>,
    /// The branch of a worktree for it.
    pub worktree: Option<String>,
    pub budget: Budget,
}

/// An agent that can be chosen, if it is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choosable {
    pub name: AgentName,
    pub installed: bool,
}

/// What is typed beside the choice; an empty field says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchField {
    Name,
    Directory,
    /// A branch, which gets a worktree of its own beside the repository.
    Worktree,
    /// In US dollars.
    Budget,
}

impl LaunchField {
    pub const ALL: [Self; 4] = [Self::Name, Self::Directory, Self::Worktree, Self::Budget];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Directory => "directory",
            Self::Worktree => "worktree",
            Self::Budget => "budget",
        }
    }

    /// What an empty one means.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Name => "as its program",
            Self::Directory => "that of this pane",
            Self::Worktree => "a branch: it gets a folder of its own",
            Self::Budget => "US dollars; without one no limit",
        }
    }
}

/// The launcher, while it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launcher {
    agents: Vec<Choosable>,
    selected: usize,
    fields: [Prompt; 4],
    /// The field that keys go to; None while agents are chosen.
    focus: Option<usize>,
}

impl Launcher {
    /// The first agent that is installed is chosen.
    #[must_use]
    pub fn new(agents: Vec<Choosable>) -> Self {
        let selected = agents.iter().position(|agent| agent.installed);
        Self {
            selected: selected.unwrap_or(0),
            agents,
            ..Self::default()
        }
    }

    #[must_use]
    pub fn agents(&self) -> &[Choosable] {
        &self.agents
    }

    #[must_use]
    pub const fn selected(&self) -> usize {
        self.selected
    }

    #[must_use]
    pub fn chosen(&self) -> Option<&Choosable> {
        self.agents.get(self.selected)
    }

    /// Chooses the agent before or after this one, around the ends.
    pub fn step(&mut self, down: bool) {
        let len = self.agents.len().max(1);
        self.selected = (self.selected + if down { 1 } else { len - 1 }) % len;
    }

    /// Chooses the next agent that begins so; nothing where none does.
    pub fn choose_by(&mut self, first: char) {
        let len = self.agents.len();
        let begins = |index: &usize| {
            let agent = self.agents.get(*index);
            agent.is_some_and(|agent| agent.name.as_str().starts_with(first))
        };
        let mut later = (1..=len).map(|step| (self.selected + step) % len.max(1));
        if let Some(index) = later.find(begins) {
            self.selected = index;
        }
    }

    /// Keys go to the next field, and from the last one to the agents again.
    pub fn turn(&mut self, forward: bool) {
        let last = LaunchField::ALL.len() - 1;
        self.focus = match (self.focus, forward) {
            (None, true) => Some(0),
            (None, false) => Some(last),
            (Some(at), true) => (at < last).then_some(at + 1),
            (Some(at), false) => at.checked_sub(1),
        };
    }

    /// The field that keys go to, and what stands in it.
    #[must_use]
    pub fn focused(&self) -> Option<(LaunchField, &Prompt)> {
        let at = self.focus?;
        Some((*LaunchField::ALL.get(at)?, self.fields.get(at)?))
    }

    pub fn focused_mut(&mut self) -> Option<&mut Prompt> {
        self.fields.get_mut(self.focus?)
    }

    /// Every field with what stands in it.
    pub fn fields(&self) -> impl Iterator<Item = (LaunchField, &Prompt)> {
        LaunchField::ALL.into_iter().zip(&self.fields)
    }

    /// What was typed into a field; None for nothing.
    #[must_use]
    pub fn typed(&self, field: LaunchField) -> Option<&str> {
        let mut fields = self.fields();
        let (_, prompt) = fields.find(|(other, _)| *other == field)?;
        Some(prompt.text().trim()).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launcher() -> Launcher {
        let agent = |name: &str, installed| Choosable {
            name: name.into(),
            installed,
        };
        Launcher::new(vec![
            agent("claude", false),
            agent("codex", true),
            agent("shell", true),
        ])
    }

    #[test]
    fn the_first_that_is_installed_is_chosen_and_letters_choose_others() {
        let mut launcher = launcher();
        let chosen = |launcher: &Launcher| launcher.chosen().unwrap().name.to_string();
        assert_eq!(chosen(&launcher), "codex");
        launcher.choose_by('c');
        assert_eq!(chosen(&launcher), "claude");
        launcher.choose_by('c');
        assert_eq!(chosen(&launcher), "codex");
        launcher.choose_by('x');
        assert_eq!(chosen(&launcher), "codex");
        launcher.step(true);
        launcher.step(true);
        assert_eq!(chosen(&launcher), "claude");
        Launcher::new(Vec::new()).choose_by('c');
    }

    #[test]
    fn fields_come_one_after_the_other_and_an_empty_one_says_nothing() {
        let mut launcher = launcher();
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(launcher.focused().map(|(field, _)| field));
            launcher.turn(true);
        }
        let fields = LaunchField::ALL.map(Some);
        assert_eq!(seen[0], None);
        assert_eq!(seen[1..], fields);
        assert_eq!(launcher.focused(), None);
        launcher.turn(false);
        launcher.focused_mut().unwrap().insert(" 2.50 ");
        assert_eq!(launcher.typed(LaunchField::Budget), Some("2.50"));
        assert_eq!(launcher.typed(LaunchField::Name), None);
    }
}
