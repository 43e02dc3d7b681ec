//! Who hears of a terminal: whoever shows it, and whoever keeps what happened.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::domain::event::TerminalEvent;
use crate::domain::fact::{Fact, Opened, Recorder, What};
use crate::domain::terminal::TerminalInfo;

/// The ends that a pane's thread tells things to; none of them can hold it up.
#[derive(Clone, Debug)]
pub(super) struct Listeners {
    pub events: broadcast::Sender<TerminalEvent>,
    pub recorder: Arc<dyn Recorder>,
}

impl Listeners {
    /// Tells an event; nobody listening is no fault.
    pub fn tell(&self, event: TerminalEvent, info: &Mutex<TerminalInfo>) {
        let what = match &event {
            TerminalEvent::Opened { .. } => {
                let info = info.lock().unwrap_or_else(PoisonError::into_inner);
                Some(What::TerminalOpened(Box::new(opened(&info))))
            }
            TerminalEvent::Exited { id, exit } => Some(What::TerminalExited {
                id: *id,
                exit: *exit,
            }),
            TerminalEvent::Changed { .. }
            | TerminalEvent::Bell { .. }
            | TerminalEvent::Notification { .. }
            | TerminalEvent::Clipboard { .. }
            | TerminalEvent::EmulatorReset { .. } => None,
        };
        if let Some(what) = what {
            self.record(what);
        }
        let _ = self.events.send(event);
    }

    /// Keeps what is worth it of a change: a name, and what an agent does.
    pub fn note_change(&self, before: &TerminalInfo, now: &TerminalInfo) {
        if now.name != before.name {
            self.record(What::TerminalRenamed {
                id: now.id,
                name: now.name.clone(),
            });
        }
        let state = |info: &TerminalInfo| info.agent.as_ref().map(|agent| agent.state);
        if let Some(agent) = now.agent.as_ref().filter(|_| state(now) != state(before)) {
            self.record(What::AgentChanged {
                id: now.id,
                agent: agent.kind.as_str().into(),
                state: agent.state.name(),
                by: agent.by.name(),
            });
        }
    }

    fn record(&self, what: What) {
        self.recorder.record(Fact::at(Timestamp::now(), what));
    }
}

fn opened(info: &TerminalInfo) -> Opened {
    Opened {
        id: info.id,
        name: info.name.clone(),
        command: info.command.clone(),
        cwd: info.cwd.clone(),
        agent: info
            .agent
            .as_ref()
            .map_or_else(String::new, |agent| agent.kind.as_str().to_owned()),
        owner: info.owner.name(),
    }
}
