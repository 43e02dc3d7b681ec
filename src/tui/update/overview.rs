//! The overview of all agents: opening it, its keys, and what is answered from it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Redraw, focus};
use crate::domain::action::{Action, Context};
use crate::domain::chord::Chord;
use crate::domain::id::TerminalId;
use crate::domain::input::{KeyCode, KeyEvent};
use crate::tui::client::{AgentLook, Overlay, Overview, Prompt};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::now::Now;

/// Ages are not told more often, however their seconds fall.
const LEAST_STEP: Duration = Duration::from_millis(500);

/// How often the chosen agent's screen is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) fn open(model: &mut Model, effects: &mut Vec<Effect>) {
    let selected = model.session.agents().first().copied();
    model.client.overlay = Some(Overlay::Overview(Overview {
        selected,
        ..Overview::default()
    }));
    look(model, effects);
}

/// Looks at the agents anew, where they are shown.
pub(super) fn look(model: &Model, effects: &mut Vec<Effect>) {
    if matches!(model.client.overlay, Some(Overlay::Overview(_))) {
        effects.push(Effect::LookAtAgents(model.session.agents()));
    }
}

/// Tells the ages as of now; they count on by themselves while they are shown, and the chosen agent's screen is looked at.
/// Answers whether the ages are to be drawn anew.
pub(super) fn keep_time(model: &mut Model, now: Now, effects: &mut Vec<Effect>) -> bool {
    const MINUTE: Duration = Duration::from_secs(60);
    if !matches!(model.client.overlay, Some(Overlay::Overview(_))) {
        return false;
    }
    let agents = model.session.agents();
    let panes = agents.iter().filter_map(|id| model.session.panes.get(id));
    let since = panes.filter_map(|pane| Some(pane.info.agent.as_ref()?.since));
    let age = |since: Timestamp| Duration::try_from(now.wall.duration_since(since));
    let steps = since.map(|since| match age(since) {
        // A second's end, or a minute's.
        Ok(age) if age >= MINUTE => MINUTE.saturating_sub(Duration::from_secs(age.as_secs() % 60)),
        Ok(age) => {
            Duration::from_secs(1).saturating_sub(Duration::from_nanos(age.subsec_nanos().into()))
        }
        Err(_) => Duration::from_secs(1),
    });
    let step = steps.min();
    let Some(Overlay::Overview(overview)) = &mut model.client.overlay else {
        return false;
    };
    let is_over = overview.due.is_some_and(|due| due <= now.instant);
    if overview.look_due.is_none_or(|due| due <= now.instant) {
        // At first all are looked at, as it opens.
        let is_first = overview.look_due.is_none();
        let chosen = chosen(overview, &agents).filter(|_| !is_first);
        effects.extend(chosen.map(|id| Effect::LookAtAgents(vec![id])));
        overview.look_due = Some(now.instant + LOOK_EVERY);
    }
    overview.at = now.wall;
    overview.due = step.map(|step| now.instant + step.max(LEAST_STEP));
    is_over
}

/// Takes in what was seen.
pub(super) fn seen(model: &mut Model, looks: Vec<AgentLook>) -> Redraw {
    let Some(Overlay::Overview(overview)) = &mut model.client.overlay else {
        return Redraw::Nothing;
    };
    if overview.see(looks) {
        Redraw::All
    } else {
        Redraw::Nothing
    }
}

pub(super) fn key(model: &mut Model, key: &KeyEvent, effects: &mut Vec<Effect>) {
    let agents = model.session.agents();
    let does = Chord::of(key).and_then(|chord| model.options.keymap.lookup(Context::Dialog, chord));
    let Some(Overlay::Overview(overview)) = &mut model.client.overlay else {
        return;
    };
    if let Some(prompt) = &mut overview.answer {
        match does {
            Some(Action::DialogCancel) => overview.answer = None,
            Some(Action::DialogAccept) => {
                let text = prompt.text().to_owned();
                overview.answer = None;
                // Where the agent is gone that it was typed for, no other one gets it.
                let asked = overview.selected.filter(|id| agents.contains(id));
                effects.extend(asked.map(|id| Effect::Answer(id, text)));
            }
            _ => {
                prompt.key(key);
            }
        }
        return;
    }
    let code = key.on_us_layout().code;
    match (does, code) {
        (Some(Action::DialogCancel), _) | (None, KeyCode::Char('q')) => model.client.overlay = None,
        (Some(Action::DialogAccept), _) => {
            if let Some(id) = chosen(overview, &agents) {
                model.client.overlay = None;
                focus::go_to(model, id);
            }
        }
        (Some(Action::DialogNext), _) | (None, KeyCode::Char('j')) => step(overview, &agents, 1),
        (Some(Action::DialogPrevious), _) | (None, KeyCode::Char('k')) => {
            step(overview, &agents, agents.len().saturating_sub(1));
        }
        (Some(Action::DialogFirst | Action::DialogPageUp), _) => {
            overview.selected = agents.first().copied();
        }
        (Some(Action::DialogLast | Action::DialogPageDown), _) => {
            overview.selected = agents.last().copied();
        }
        (None, KeyCode::Char('a')) => {
            overview.selected = chosen(overview, &agents);
            overview.answer = overview.selected.map(|_| Prompt::default());
        }
        _ => {}
    }
}

/// The wheel over the list.
pub(super) fn wheel(model: &mut Model, down: bool) {
    let agents = model.session.agents();
    if let Some(Overlay::Overview(overview)) = &mut model.client.overlay {
        let by = if down {
            1
        } else {
            agents.len().saturating_sub(1)
        };
        step(overview, &agents, by);
    }
}

fn step(overview: &mut Overview, agents: &[TerminalId], by: usize) {
    let here = place(overview, agents);
    let next = (here + by) % agents.len().max(1);
    overview.selected = agents.get(next).copied();
}

fn chosen(overview: &Overview, agents: &[TerminalId]) -> Option<TerminalId> {
    agents.get(place(overview, agents)).copied()
}

fn place(overview: &Overview, agents: &[TerminalId]) -> usize {
    let selected = overview.selected;
    let place = agents.iter().position(|id| Some(*id) == selected);
    place.unwrap_or(0)
}
