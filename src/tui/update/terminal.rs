//! What happens to terminals by themselves.

use std::cmp::Ordering;

use super::{Redraw, end, open, overview};
use crate::domain::agent::{Agent, AgentNotice, AgentState};
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::terminal::{Owner, TerminalInfo};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;
use crate::tui::session::Pane;

pub(super) fn on_event(
    model: &mut Model,
    event: TerminalEvent,
    info: Option<Box<TerminalInfo>>,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    match event {
        TerminalEvent::Opened { owner, .. } => {
            // One of the front end's own is placed when its opening is answered.
            if let Some(info) = info.filter(|_| owner != Owner::Front) {
                open::appeared(model, *info);
            }
        }
        TerminalEvent::Changed { id } => {
            let Some(info) = info else {
                return Redraw::Nothing;
            };
            if let Some(pane) = unseen(model, &info) {
                pane.info = *info;
                return Redraw::Nothing;
            }
            changed(model, id, *info, now, effects);
        }
        TerminalEvent::Exited { id, exit } => {
            if let Some(pane) = model.session.panes.get_mut(&id) {
                pane.ended = Some(exit);
                end::exited(model, id, now, effects);
            }
        }
        TerminalEvent::Bell { id } => {
            mark(model, id);
            if !is_told_of(model, id) {
                effects.push(Effect::Bell);
            }
        }
        TerminalEvent::Notification { id, text } => {
            let Some(pane) = model.session.panes.get(&id) else {
                return Redraw::Nothing;
            };
            let text = format!("{}: {text}", pane.name());
            mark(model, id);
            if !model.client.outer_focused && !is_told_of(model, id) {
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
    Redraw::All
}

/// The pane of which nothing but its title has changed, where that stands nowhere: a pane that goes by a name of its own
/// tells it the outer terminal alone, and only while it has the focus. Many agents turn a spinner in it.
fn unseen<'a>(model: &'a mut Model, info: &TerminalInfo) -> Option<&'a mut Pane> {
    if !info.named || model.session.focus() == Some(info.id) {
        return None;
    }
    let pane = model.session.panes.get_mut(&info.id)?;
    let retitled = TerminalInfo {
        title: info.title.clone(),
        ..pane.info.clone()
    };
    (retitled == *info).then_some(pane)
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
    let words = agent.and_then(Agent::words);
    let (severity, what) = match notice.state {
        AgentState::Waiting => {
            let words = words.map_or_else(String::new, |words| format!(": {words}"));
            (Severity::Info, format!("waits for you{words}"))
        }
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

/// Whether the user is told by a notice, if at all, that something in a pane wants him: the rules of notices hold for agents,
/// so that none of them rings twice for one question.
fn is_told_of(model: &Model, id: TerminalId) -> bool {
    let pane = model.session.panes.get(&id);
    pane.is_some_and(|pane| pane.info.agent.is_some()) && !is_attended(model, id)
}

fn mark(model: &mut Model, id: TerminalId) {
    if !is_attended(model, id)
        && let Some(pane) = model.session.panes.get_mut(&id)
    {
        pane.badge = true;
    }
}
