//! The end of programs, and of the panes that showed them.

use crate::domain::id::TerminalId;
use crate::domain::layout::Removal;
use crate::domain::terminal::Exit;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;

/// A shell that fails sooner than this never worked, so that what it said should stay on the screen.
const SHELL_STARTED_SECONDS: i64 = 2;

/// A program has ended: its pane goes if that went well or was asked for, else it keeps its last screen.
pub(super) fn exited(model: &mut Model, id: TerminalId, now: Now, effects: &mut Vec<Effect>) {
    let Some(pane) = model.session.panes.get(&id) else {
        return;
    };
    let Some(exit) = pane.ended else { return };
    let lived = now.wall.duration_since(pane.info.created_at).as_secs();
    let goes = pane.ending
        || match exit {
            Exit::Code(0) => true,
            // A shell hands on the status of its last command; that is no failure of the shell.
            Exit::Code(_) => pane.is_shell() && lived >= SHELL_STARTED_SECONDS,
            // Somebody asked it to go, as `tundra kill` does; other signals are accidents.
            Exit::Signal(signal) => {
                let polite = [rustix::process::Signal::HUP, rustix::process::Signal::TERM];
                polite.iter().any(|asked| asked.as_raw() == signal)
            }
        };
    let text = if pane.ending {
        format!("{} ended", pane.name())
    } else {
        format!("{} {}", pane.name(), describe(exit))
    };
    let severity = if goes {
        Severity::Info
    } else {
        Severity::Warning
    };
    model.session.messages.note(severity, text, now);
    if goes {
        forget(model, id, effects);
    }
}

/// How a program ended, in words.
fn describe(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exited with {code}"),
        Exit::Signal(signal) => format!("was killed by signal {signal}"),
    }
}

/// Takes a pane away.
pub(super) fn forget(model: &mut Model, id: TerminalId, effects: &mut Vec<Effect>) {
    model.session.panes.remove(&id);
    if let Some(index) = model.session.tab_of(id) {
        take_from_tab(model, id, index);
    }
    if model.session.tabs.is_empty() && model.session.opening == 0 && model.session.opened_any {
        effects.push(Effect::Emptied);
    }
}

/// Takes a pane out of its tab; the tab goes with its last one.
pub(super) fn take_from_tab(model: &mut Model, id: TerminalId, index: usize) {
    let session = &mut model.session;
    let Some(tab) = session.tabs.get_mut(index) else {
        return;
    };
    match tab.layout.remove(id) {
        Removal::Removed { heir } => {
            if tab.focus == id {
                tab.focus = tab.before.filter(|before| *before != id).unwrap_or(heir);
                tab.before = None;
                tab.zoomed = false;
            }
            tab.before = tab.before.filter(|before| *before != id);
        }
        Removal::Last | Removal::Unknown => {
            session.tabs.remove(index);
            if session.active > index || session.active >= session.tabs.len() {
                session.active = session.active.saturating_sub(1);
            }
        }
    }
}
