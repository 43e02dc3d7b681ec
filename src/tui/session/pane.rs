//! A pane as the front end sees it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use super::waiting::Waiting;
use crate::domain::agent::AgentState;
use crate::domain::budget::Budget;
use crate::domain::id::TerminalId;
use crate::domain::input::KeyEvent;
use crate::domain::screen::ScreenSnapshot;
use crate::domain::size::Size;
use crate::domain::terminal::{Exit, Owner, Status, TerminalInfo, TerminalSpec};
use crate::tui::copy::{CopyMode, CopyPosition};

#[derive(Debug)]
pub struct Pane {
    pub info: TerminalInfo,
    /// The program that its keys go to, as last looked at.
    pub program: Option<String>,
    /// What was asked for, where it was asked for here; to start it again.
    pub spec: Option<TerminalSpec>,
    /// The newest screen seen; None before the first.
    pub screen: Option<Arc<ScreenSnapshot>>,
    pub copy: Option<CopyMode>,
    /// Copy mode goes on there as soon as there is a screen.
    pub looks_back: Option<CopyPosition>,
    /// Keys pressed in copy mode while it looks for what was searched; they mean something once it is there.
    pub queued: VecDeque<KeyEvent>,
    /// Copy mode was entered by the wheel, so that scrolling back down leaves it.
    pub wheeled: bool,
    /// It rang or notified while nobody looked.
    pub badge: bool,
    pub ended: Option<Exit>,
    /// Its program is not started.
    pub waiting: Option<Waiting>,
    /// Somebody said that it shall end, so that it goes as soon as it has, however that came out.
    pub ending: bool,
    /// Its program is being started once more; asking again changes nothing.
    pub restarting: bool,
    /// The size it was last told.
    pub size: Size,
    /// It has been told a size, and knows by that that it is shown here.
    pub told: bool,
    /// It has been on the screen; until then a terminal opened from the command line keeps the size asked for there.
    pub was_shown: bool,
}

impl Pane {
    #[must_use]
    pub fn new(info: TerminalInfo, spec: Option<TerminalSpec>) -> Self {
        Self {
            size: info.size,
            ended: info.exit,
            waiting: None,
            info,
            program: None,
            spec,
            screen: None,
            copy: None,
            looks_back: None,
            queued: VecDeque::new(),
            wheeled: false,
            badge: false,
            ending: false,
            restarting: false,
            told: false,
            was_shown: false,
        }
    }

    /// A pane whose program is not started.
    #[must_use]
    pub fn waiting(id: TerminalId, spec: TerminalSpec, waiting: Waiting) -> Self {
        let program = spec.command.first().map(|program| {
            let name = Path::new(program).file_name();
            name.map_or_else(
                || program.clone(),
                |name| name.to_string_lossy().into_owned(),
            )
        });
        let agent = spec.agent.as_ref().map(ToString::to_string);
        let name = spec.name.clone().or(agent).or(program);
        let info = TerminalInfo {
            id,
            name: name.unwrap_or_else(|| "shell".to_owned()),
            named: spec.name.is_some(),
            command: spec.command.clone(),
            cwd: spec.cwd.clone().unwrap_or_default(),
            pid: 0,
            size: Size::DEFAULT,
            title: String::new(),
            status: Status::Dead,
            owner: Owner::Front,
            persistent: spec.persistent,
            viewers: 0,
            taken: false,
            ending: false,
            created_at: waiting.since.unwrap_or_default(),
            disconnected_since: None,
            exit: None,
            agent: None,
        };
        Self {
            waiting: Some(waiting),
            ..Self::new(info, Some(spec))
        }
    }

    /// Whether its program runs.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.ended.is_none() && self.waiting.is_none()
    }

    /// What it is called: the name that somebody gave it, else its program's title, else the program that runs in it now.
    #[must_use]
    pub fn name(&self) -> &str {
        let info = &self.info;
        match &self.program {
            _ if info.named => &info.name,
            _ if !info.title.trim().is_empty() => info.title.trim(),
            Some(program) => program,
            None => &info.name,
        }
    }

    #[must_use]
    pub fn state(&self) -> Option<AgentState> {
        if !self.lives() {
            return None;
        }
        self.info.agent.as_ref().map(|agent| agent.state)
    }

    #[must_use]
    pub fn follows_size(&self) -> bool {
        self.was_shown || self.info.owner == Owner::Front
    }

    /// Whether it runs the configured shell rather than a command somebody named.
    #[must_use]
    pub fn is_shell(&self) -> bool {
        self.spec
            .as_ref()
            .is_some_and(|spec| spec.command.is_empty() && spec.agent.is_none())
    }

    /// What to open to run it once more.
    #[must_use]
    pub fn again(&self) -> TerminalSpec {
        self.spec.clone().unwrap_or_else(|| TerminalSpec {
            confine: None,
            resume: false,
            budget: Budget::default(),
            name: Some(self.info.name.clone()),
            command: self.info.command.clone(),
            cwd: Some(self.info.cwd.clone()),
            env: Vec::new(),
            size: self.size,
            persistent: self.info.persistent,
            agent: self.info.agent.as_ref().map(|agent| agent.kind.clone()),
            gateway: true,
            owner: Owner::Front,
        })
    }
}
