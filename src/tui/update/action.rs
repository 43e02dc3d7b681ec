//! What each action after the prefix does.

use std::time::Duration;

use super::{address, confirm, copy, focus, open, paste, picker, providers};
use crate::domain::action::Action;
use crate::domain::layout::{Axis, Removal, Side};
use crate::pane::{Gauge, PaneError};
use crate::tui::client::{Help, Log, Mode, Overlay, Picked, Prompt, Rename};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;
use crate::tui::session::Tab;

/// How long a repeatable key works without another prefix, as tmux's `repeat-time`.
const REPEAT_WITHIN: Duration = Duration::from_millis(500);
/// Cells by which a pressed key moves a border.
const BORDER_STEP: u16 = 2;

pub(super) fn perform(model: &mut Model, action: Action, now: Now, effects: &mut Vec<Effect>) {
    if !model.is_valid(action) {
        refuse(model, action, now);
        return;
    }
    match action {
        Action::NewPane => open::tab(model, effects),
        Action::SplitRight => open::split(model, Axis::Horizontal, effects),
        Action::SplitDown => open::split(model, Axis::Vertical, effects),
        Action::LaunchAgent => effects.push(Effect::FindAgents),
        Action::FocusLeft => focus::to_side(model, Side::Left),
        Action::FocusDown => focus::to_side(model, Side::Down),
        Action::FocusUp => focus::to_side(model, Side::Up),
        Action::FocusRight => focus::to_side(model, Side::Right),
        Action::NextPane => focus::to_next_pane(model),
        Action::LastPane => focus::to_last_pane(model),
        Action::NextWaiting => focus::to_next_waiting(model),
        Action::NextTab => focus::step_tab(model, true),
        Action::PreviousTab => focus::step_tab(model, false),
        Action::ResizeLeft => move_border(model, Side::Left, now),
        Action::ResizeDown => move_border(model, Side::Down, now),
        Action::ResizeUp => move_border(model, Side::Up, now),
        Action::ResizeRight => move_border(model, Side::Right, now),
        Action::SwapPrevious => swap(model, false),
        Action::SwapNext => swap(model, true),
        Action::BreakPane => break_pane(model),
        Action::ZoomPane => {
            if let Some(tab) = model.session.tab_mut() {
                tab.zoomed = !tab.zoomed;
            }
        }
        Action::EvenPanes => {
            if let Some(tab) = model.session.tab_mut() {
                tab.layout.even();
            }
        }
        Action::KillPane => confirm::ask_kill(model, effects),
        Action::RenamePane => {
            if let Some(pane) = model.session.focused() {
                model.client.overlay = Some(Overlay::Rename(Rename {
                    id: pane.info.id,
                    prompt: Prompt::new(pane.name()),
                }));
            }
        }
        Action::PaneList => picker::offer_panes(model),
        Action::ProviderPanel => providers::open(model, effects),
        Action::FailOver => providers::fail_over(effects),
        Action::RestartProvider => providers::restart(model, effects),
        Action::BrowserAddress => address::ask(model, effects),
        Action::Palette => picker::offer_actions(model),
        Action::Help => model.client.overlay = Some(Overlay::Help(Help::default())),
        Action::MessageLog => {
            model.session.messages.dismiss();
            model.client.overlay = Some(Overlay::Log(Log::default()));
        }
        Action::CopyMode => copy::enter(model, now, effects),
        Action::Search => copy::enter_search(model, now, effects),
        Action::PasteBuffer => paste::buffer(model, now, effects),
        Action::ToggleMouse => {
            model.client.mouse = !model.client.mouse;
            model.client.drag = None;
            let state = if model.client.mouse { "on" } else { "off" };
            model
                .session
                .messages
                .tell(Severity::Info, format!("mouse is {state}"), now);
        }
        Action::Redraw => effects.push(Effect::Repaint),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Quit => confirm::ask_quit(model, effects),
        other => {
            if let Some(number) = other.tab_number() {
                focus::to_tab(model, number - 1);
            }
        }
    }
}

/// Carries out what was chosen from a list.
pub(super) fn pick(model: &mut Model, picked: Picked, now: Now, effects: &mut Vec<Effect>) {
    match picked {
        Picked::Do(action) => perform(model, action, now, effects),
        Picked::Focus(id) => focus::go_to(model, id),
        Picked::Launch(kind) => open::agent(model, kind, effects),
        Picked::Steer(command) => providers::steer(command, effects),
    }
}

/// Says why an action does nothing now.
fn refuse(model: &mut Model, action: Action, now: Now) {
    let opens = matches!(
        action,
        Action::NewPane | Action::LaunchAgent | Action::SplitRight | Action::SplitDown
    );
    let Gauge { active, max } = model.gauge;
    if opens && active >= max {
        let text = PaneError::AtCapacity { max }.to_string();
        model.session.messages.tell(Severity::Warning, text, now);
    } else {
        let text = format!("{}: {}", action.name(), reason(model, action));
        model.session.messages.tell(Severity::Info, text, now);
    }
}

fn reason(model: &Model, action: Action) -> &'static str {
    match action {
        Action::SplitRight | Action::SplitDown => "the pane is too small to split",
        Action::NextWaiting => "no other pane waits",
        Action::PasteBuffer => "nothing was copied yet",
        Action::NextTab | Action::PreviousTab => "there is no other tab",
        Action::ProviderPanel | Action::FailOver | Action::RestartProvider => {
            "there are no providers"
        }
        Action::LastPane => "there was no other pane before",
        _ if action.tab_number().is_some() => "there is no such tab",
        _ if model.session.focused().is_none() => "there is no pane",
        _ => "there is no other pane in this tab",
    }
}

fn move_border(model: &mut Model, side: Side, now: Now) {
    let Some(area) = model.session.tab().map(|tab| model.layout_area(tab)) else {
        return;
    };
    if let Some(tab) = model.session.tab_mut() {
        tab.zoomed = false;
        tab.layout.move_border(tab.focus, side, BORDER_STEP, area);
    }
    model.client.mode = Mode::Repeat {
        until: now.instant + REPEAT_WITHIN,
    };
}

fn swap(model: &mut Model, forward: bool) {
    if let Some(tab) = model.session.tab_mut() {
        let other = if forward {
            tab.layout.next(tab.focus)
        } else {
            tab.layout.previous(tab.focus)
        };
        tab.zoomed = false;
        tab.layout.swap(tab.focus, other);
    }
}

/// Moves the focused pane to a tab of its own, right after this one.
fn break_pane(model: &mut Model) {
    let Some(tab) = model.session.tab_mut() else {
        return;
    };
    let id = tab.focus;
    if let Removal::Removed { heir } = tab.layout.remove(id) {
        tab.focus = heir;
        tab.before = None;
        tab.zoomed = false;
        let place = model.session.active + 1;
        model.session.tabs.insert(place, Tab::new(id));
        model.session.active = place;
    }
}
