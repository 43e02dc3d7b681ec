//! Doing what `update` asked for.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::Access;
use tracing::debug;

use super::{Look, Runner};
use crate::domain::agent::AgentKind;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::route::By;
use crate::domain::terminal::TerminalSpec;
use crate::pane::PaneError;
use crate::tui::effect::{Effect, Place};
use crate::tui::error::TuiError;
use crate::tui::model::Severity;
use crate::tui::msg::Msg;
use crate::tui::run::{Ending, Notice, Prominence};
use crate::tui::update::Redraw;

/// Lines of a server's output that can be scrolled back to.
const LOG_LINES: usize = 500;

impl Runner<'_> {
    pub(super) fn do_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.do_effect(effect);
        }
    }

    fn do_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Open(place, spec, near) => self.open(place, spec, near),
            Effect::Input(id, input) => {
                let result = match self.pool.get(id) {
                    Some(pane) => pane.try_input_from_front(input),
                    None => Err(PaneError::Dead(id)),
                };
                if let Err(error) = result {
                    self.take(Msg::Refused(id, error));
                }
            }
            Effect::Resize(id, size) => self.with(id, |pane| pane.resize_from_front(size)),
            Effect::Kill(id) => self.with(id, crate::pane::PaneHandle::kill),
            Effect::Rename(id, name) => self.with(id, |pane| pane.rename(&name)),
            Effect::Seen(id) => self.with(id, crate::pane::PaneHandle::seen),
            Effect::Rows(id, range) => {
                let pane = self.pool.get(id);
                self.answers.spawn(async move {
                    let rows = match pane {
                        Some(pane) => pane.rows(range).await,
                        None => Err(PaneError::Dead(id)),
                    };
                    Msg::Rows(id, rows)
                });
            }
            Effect::Search(id, number, search) => {
                let pane = self.pool.get(id);
                self.answers.spawn(async move {
                    let hit = match pane {
                        Some(pane) => pane.search(*search).await,
                        None => Err(PaneError::Dead(id)),
                    };
                    Msg::Found(id, number, hit)
                });
            }
            Effect::Address(id) => {
                let address = self.addresses.address(id);
                self.take(Msg::Address(id, address));
            }
            Effect::FindAgents => {
                self.answers.spawn_blocking(|| Msg::Agents(find_agents()));
            }
            Effect::LookAtProviders => self.look_at_providers(),
            Effect::Steer(command) => {
                let providers = self.providers.clone();
                self.answers.spawn(async move {
                    let result = providers.command(command.clone(), By::Key).await;
                    Msg::Steered(command, result)
                });
            }
            Effect::ServerOutput(name) => {
                let providers = self.providers.clone();
                self.answers.spawn_blocking(move || {
                    let log = providers.server_log(&name, LOG_LINES);
                    Msg::ServerOutput(name, log)
                });
            }
            Effect::Clipboard(text) => {
                if !self.outside.set_clipboard(text) {
                    self.take(Msg::Notice(Notice {
                        severity: Severity::Warning,
                        prominence: Prominence::Toast,
                        text: "too long for the outer terminal's clipboard".to_owned(),
                    }));
                }
            }
            Effect::Bell => self.outside.ring(),
            Effect::Notify(text) => self.outside.notify(&text),
            Effect::Repaint => {
                self.frame.repaint();
                self.redraw = Redraw::All;
            }
            Effect::Suspend => self.suspending = true,
            Effect::Quit => self.ending = Some(Ok(Ending::Quit)),
            Effect::Fail(why) => self.ending = Some(Err(TuiError::NotStarted(why))),
        }
    }

    /// Takes the providers' status in. A short lock over memory, and no wait.
    pub(super) fn look_at_providers(&mut self) {
        self.look = Look::Done(Instant::now());
        let details = self.model.details_of().cloned();
        let attempts = details.map(|name| {
            let attempts = self.providers.attempts(&name);
            (name, attempts)
        });
        let status = Arc::new(self.providers.status());
        self.take(Msg::Providers(status, attempts));
    }

    fn open(&mut self, place: Place, mut spec: Box<TerminalSpec>, near: Option<TerminalId>) {
        if let Some(pane) = near.and_then(|id| self.pool.get(id)) {
            spec.cwd = Some(pane.working_directory());
        }
        let pool = self.pool.clone();
        debug!(?place, "opening a terminal");
        self.answers.spawn(async move {
            let opened = pool.open((*spec).clone()).await;
            Msg::Opened {
                place,
                spec,
                result: opened.map(|pane| Box::new(pane.info())),
            }
        });
    }

    fn with(&self, id: TerminalId, act: impl FnOnce(&crate::pane::PaneHandle)) {
        if let Some(pane) = self.pool.get(id) {
            act(&pane);
        }
    }
}

/// The terminal that an event is about.
pub(super) fn subject(event: &TerminalEvent) -> TerminalId {
    match event {
        TerminalEvent::Opened { id, .. }
        | TerminalEvent::Changed { id }
        | TerminalEvent::Exited { id, .. }
        | TerminalEvent::Bell { id }
        | TerminalEvent::Notification { id, .. }
        | TerminalEvent::Clipboard { id, .. }
        | TerminalEvent::EmulatorReset { id } => *id,
    }
}

/// Every agent, and whether its program is in the search path.
fn find_agents() -> Vec<(AgentKind, bool)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |kind: AgentKind| {
        std::env::split_paths(&path).any(|folder| is_program(&folder.join(kind.name())))
    };
    AgentKind::ALL
        .into_iter()
        .map(|kind| (kind, found(kind)))
        .collect()
}

fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}
