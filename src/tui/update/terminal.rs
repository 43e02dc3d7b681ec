//! What happens to terminals by themselves.

use std::cmp::Ordering;

use super::open;
use crate::domain::agent::AgentState;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::layout::Removal;
use crate::domain::terminal::{Exit, Owner, TerminalInfo};
use crate::tui::effect::Effect;
use crate::tui::model::{Model, Now, Severity};

/// A shell that fails sooner than this never worked, so that what it said should stay on the screen.
const SHELL_STARTED_SECONDS: i64 = 2;

pub(super) fn happened(
    model: &mut Model,
    event: TerminalEvent,
    info: Option<Box<TerminalInfo>>,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    match event {
        TerminalEvent::Opened { owner, .. } => {
            // One of the front end's own is placed when its opening is answered.
            if let Some(info) = info.filter(|_| owner != Owner::Front) {
                open::appeared(model, *info);
            }
        }
        TerminalEvent::Changed { id } => {
            if let Some(info) = info {
                changed(model, id, *info, now, effects);
            }
        }
        TerminalEvent::Exited { id, exit } => {
            if let Some(pane) = model.panes.get_mut(&id) {
                pane.ended = Some(exit);
                exited(model, id, now, effects);
            }
        }
        TerminalEvent::Bell { id } => {
            mark(model, id);
            effects.push(Effect::Bell);
        }
        TerminalEvent::Notification { id, text } => {
            let Some(pane) = model.panes.get(&id) else {
                return;
            };
            let text = format!("{}: {text}", pane.name());
            mark(model, id);
            if !model.outer_focused {
                effects.push(Effect::Notify(text.clone()));
            }
            if model.outer_focused && model.focus() == Some(id) {
                model.messages.note(Severity::Info, text, now);
            } else {
                model.messages.tell(Severity::Info, text, now);
            }
        }
        TerminalEvent::Clipboard { id, text } => clipboard(model, id, text, now, effects),
        TerminalEvent::EmulatorReset { id } => {
            if let Some(pane) = model.panes.get(&id) {
                let text = format!(
                    "{}: its output broke the emulator, which was reset",
                    pane.name()
                );
                model.messages.tell(Severity::Error, text, now);
            }
        }
    }
}

/// Events were missed: compares with all terminals there are.
pub(super) fn listed(
    model: &mut Model,
    list: Vec<TerminalInfo>,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    for info in list {
        let id = info.id;
        if model.panes.contains_key(&id) {
            let exit = info.exit;
            changed(model, id, info, now, effects);
            if let Some(pane) = model.panes.get_mut(&id)
                && pane.ended.is_none()
                && exit.is_some()
            {
                pane.ended = exit;
                exited(model, id, now, effects);
            }
        } else if info.owner != Owner::Front && info.exit.is_none() {
            open::appeared(model, info);
        }
    }
}

fn changed(
    model: &mut Model,
    id: TerminalId,
    info: TerminalInfo,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    let attended = is_attended(model, id);
    let Some(pane) = model.panes.get_mut(&id) else {
        return;
    };
    let before = pane.state();
    let news = viewers_news(&pane.info, &info);
    // Somebody else may have set it; a pane on the screen is told its own again.
    pane.size = info.size;
    pane.ending |= info.ending;
    pane.info = info;
    let after = pane.state();
    for text in news {
        model.messages.note(Severity::Info, text, now);
    }
    let Some(pane) = model.panes.get_mut(&id) else {
        return;
    };
    if before == after || attended {
        return;
    }
    let what = match after {
        Some(AgentState::Waiting) => "waits for you",
        Some(AgentState::Done) => "is done",
        _ => return,
    };
    pane.badge = true;
    let text = format!("{} {what}", pane.name());
    if !model.outer_focused {
        effects.push(Effect::Notify(text.clone()));
    }
    model.messages.tell(Severity::Info, text, now);
}

/// What to tell of viewers that came, went, or took the pane over.
fn viewers_news(before: &TerminalInfo, after: &TerminalInfo) -> Vec<String> {
    let (name, count) = (&after.name, after.viewers);
    let mut news = Vec::new();
    match count.cmp(&before.viewers) {
        Ordering::Greater => news.push(format!("{name}: viewer attached ({count})")),
        Ordering::Less => news.push(format!("{name}: viewer left ({count})")),
        Ordering::Equal => {}
    }
    match (before.taken, after.taken) {
        (false, true) => news.push(format!("{name}: a viewer took it over")),
        // That the last one has left tells as much.
        (true, false) if count > 0 => news.push(format!("{name}: no longer taken by a viewer")),
        _ => {}
    }
    news
}

/// A program has ended: its pane goes if that went well or was asked for, else it keeps its last screen.
pub(super) fn exited(model: &mut Model, id: TerminalId, now: Now, effects: &mut Vec<Effect>) {
    let Some(pane) = model.panes.get(&id) else {
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
    model.messages.note(severity, text, now);
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

/// Takes a pane away; with the last one the front end ends.
pub(super) fn forget(model: &mut Model, id: TerminalId, effects: &mut Vec<Effect>) {
    model.panes.remove(&id);
    if let Some(index) = model.tab_of(id)
        && let Some(tab) = model.tabs.get_mut(index)
    {
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
                model.tabs.remove(index);
                if model.active > index || model.active >= model.tabs.len() {
                    model.active = model.active.saturating_sub(1);
                }
            }
        }
    }
    if model.tabs.is_empty() && model.opening == 0 && model.opened_any {
        effects.push(Effect::Quit);
    }
}

fn clipboard(model: &mut Model, id: TerminalId, text: String, now: Now, effects: &mut Vec<Effect>) {
    let Some(pane) = model.panes.get(&id) else {
        return;
    };
    if model.focus() == Some(id) {
        let note = format!("{} set the clipboard", pane.name());
        model.messages.note(Severity::Info, note, now);
        effects.push(Effect::Clipboard(text));
    } else {
        // What lies in the background must not put words into the user's next paste.
        let note = format!("{} wanted to set the clipboard from behind", pane.name());
        model.messages.tell(Severity::Warning, note, now);
    }
}

fn is_attended(model: &Model, id: TerminalId) -> bool {
    model.outer_focused && model.focus() == Some(id)
}

fn mark(model: &mut Model, id: TerminalId) {
    if !is_attended(model, id)
        && let Some(pane) = model.panes.get_mut(&id)
    {
        pane.badge = true;
    }
}
