//! What happens to terminals by themselves.

use std::cmp::Ordering;

use super::{end, open, overview};
use crate::domain::agent::{AgentNotice, AgentState};
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::terminal::{Owner, TerminalInfo};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;

pub(super) fn on_event(
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
            if let Some(pane) = model.session.panes.get_mut(&id) {
                pane.ended = Some(exit);
                end::exited(model, id, now, effects);
            }
        }
        TerminalEvent::Bell { id } => {
            mark(model, id);
            effects.push(Effect::Bell);
        }
        TerminalEvent::Notification { id, text } => {
            let Some(pane) = model.session.panes.get(&id) else {
                return;
            };
            let text = format!("{}: {text}", pane.name());
            mark(model, id);
            if !model.client.outer_focused {
                effects.push(Effect::Notify(text.clone()));
            }
            if model.client.outer_focused && model.session.focus() == Some(id) {
                model.session.messages.note(Severity::Info, text, now);
            } else {
                model.session.messages.tell(Severity::Info, text, now);
            }
        }
        TerminalEvent::Clipboard { id, text } => clipboard(model, id, text, now, effects),
        TerminalEvent::EmulatorReset { id } => {
            if let Some(pane) = model.session.panes.get(&id) {
                let text = format!(
                    "{}: its output broke the emulator, which was reset",
                    pane.name()
                );
                model.session.messages.tell(Severity::Error, text, now);
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
        if model.session.panes.contains_key(&id) {
            let exit = info.exit;
            changed(model, id, info, now, effects);
            if let Some(pane) = model.session.panes.get_mut(&id)
                && pane.ended.is_none()
                && exit.is_some()
            {
                pane.ended = exit;
                end::exited(model, id, now, effects);
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
    let Some(pane) = model.session.panes.get_mut(&id) else {
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
        model.session.messages.note(Severity::Info, text, now);
    }
    if let Some(pane) = model.session.panes.get_mut(&id)
        && before != after
        && !attended
        && after.is_some_and(AgentState::wants_user)
    {
        pane.badge = true;
    }
    if before != after {
        overview::look(model, effects);
    }
}

/// An agent needs its user, who does not look at it.
pub(super) fn agent_notice(
    model: &mut Model,
    notice: AgentNotice,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    let Some(pane) = model.session.panes.get(&notice.id) else {
        return;
    };
    let agent = pane.info.agent.as_ref();
    let until = agent.and_then(|agent| agent.until);
    let words = agent.and_then(|agent| agent.message.as_deref());
    let (severity, what) = match notice.state {
        AgentState::Waiting => (Severity::Info, "waits for you".to_owned()),
        AgentState::Done => (Severity::Info, "is done".to_owned()),
        AgentState::Quota => {
            let until = until.map_or_else(String::new, |until| {
                format!(" until {}", model.options.coming(until, now.wall))
            });
            (Severity::Warning, format!("is out of quota{until}"))
        }
        AgentState::Failed => {
            let words = words.map_or_else(String::new, |words| format!(": {words}"));
            (Severity::Error, format!("failed{words}"))
        }
        state @ (AgentState::Unknown | AgentState::Working | AgentState::Idle) => {
            (Severity::Info, format!("is {state}"))
        }
    };
    let text = format!("{} {what}", pane.name());
    let notify = model.options.notify;
    if notify.bell {
        effects.push(Effect::Bell);
    }
    if notify.osc.is_some() {
        effects.push(Effect::Notify(text.clone()));
    }
    model.session.messages.tell(severity, text, now);
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

fn clipboard(model: &mut Model, id: TerminalId, text: String, now: Now, effects: &mut Vec<Effect>) {
    let Some(pane) = model.session.panes.get(&id) else {
        return;
    };
    if model.session.focus() == Some(id) {
        let note = format!("{} set the clipboard", pane.name());
        model.session.messages.note(Severity::Info, note, now);
        effects.push(Effect::Clipboard(text));
    } else {
        // What lies in the background must not put words into the user's next paste.
        let note = format!("{} wanted to set the clipboard from behind", pane.name());
        model.session.messages.tell(Severity::Warning, note, now);
    }
}

fn is_attended(model: &Model, id: TerminalId) -> bool {
    model.client.outer_focused && model.session.focus() == Some(id)
}

fn mark(model: &mut Model, id: TerminalId) {
    if !is_attended(model, id)
        && let Some(pane) = model.session.panes.get_mut(&id)
    {
        pane.badge = true;
    }
}
