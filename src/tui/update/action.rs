//! What each action after the prefix does.

use std::time::Duration;

use super::{
    address, ask, confirm, copy, end, focus, journal, log_view, open, overview, paste, picker,
    providers, report,
};
use crate::domain::action::Action;
use crate::domain::id::TerminalId;
use crate::domain::layout::{Axis, Removal, Side};
use crate::pane::{Gauge, PaneError};
use crate::tui::client::{Help, JournalPage, Log, Mode, Overlay, Picked, Wants};
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
        Action::AgentOverview => overview::open(model, effects),
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
        Action::RenamePane => ask::pane_name(model),
        Action::RenameTab => ask::tab_name(model),
        Action::GoToTab => ask::line(model, Wants::TabNumber),
        Action::RunCommand => ask::line(model, Wants::Command),
        Action::LastTab => {
            if let Some(index) = model.session.last_tab() {
                focus::to_tab(model, index);
            }
        }
        Action::MoveTabLeft => move_tab(model, false, now),
        Action::MoveTabRight => move_tab(model, true, now),
        Action::MovePane => picker::offer_tabs(model),
        Action::RunWaiting => open::all_again(model, effects),
        Action::EditHistory => open::history(model, effects),
        Action::ToggleSidebar => {
            model.session.hides_sidebar = !model.session.hides_sidebar;
            let shown = model.areas().sidebar.is_some();
            toggled(model, "the list of panes", shown, now);
        }
        Action::ToggleProviders => {
            model.session.hides_providers = !model.session.hides_providers;
            let shown = model.areas().providers.is_some();
            toggled(model, "the list of providers", shown, now);
        }
        Action::PaneList => picker::offer_panes(model),
        Action::ProviderPanel => providers::open(model, effects),
        Action::Usage => journal::open(model, JournalPage::Usage, effects),
        Action::Log => log_view::open(model, effects),
        Action::History => journal::open(model, JournalPage::History, effects),
        Action::FailOver => providers::fail_over(effects),
        Action::RestartProvider => providers::restart(model, effects),
        Action::BrowserAddress => address::ask(model, effects),
        Action::Palette => picker::offer_actions(model),
        Action::Explain => report::explain(model, now),
        Action::Doctor => report::examine(model, effects),
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
        Action::Detach => effects.push(Effect::Detach),
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
        Picked::Steer(command) => providers::steer(command, effects),
        Picked::Move(id, beside) => move_pane(model, id, beside, now),
    }
}

/// Says that something is shown or hidden now, and why it may not be shown though it is wanted.
fn toggled(model: &mut Model, what: &str, shown: bool, now: Now) {
    let hidden = model.session.hides_sidebar || model.session.hides_providers;
    let text = match (shown, hidden) {
        (true, _) => format!("{what} is shown"),
        (false, true) => format!("{what} is hidden"),
        (false, false) => format!("{what} is shown where there is room for it"),
    };
    model.session.messages.tell(Severity::Info, text, now);
}

/// Moves the tab in front by one place, around the ends.
fn move_tab(model: &mut Model, forward: bool, now: Now) {
    let session = &mut model.session;
    let (from, len) = (session.active, session.tabs.len().max(1));
    let to = (from + if forward { 1 } else { len - 1 }) % len;
    let tab = session.tabs.remove(from);
    session.tabs.insert(to, tab);
    session.active = to;
    model.client.mode = Mode::Repeat {
        until: now.instant + REPEAT_WITHIN,
    };
}

/// Moves a pane beside another one in its tab, or to a new tab at the end; it keeps the focus.
fn move_pane(model: &mut Model, id: TerminalId, beside: Option<TerminalId>, now: Now) {
    let Some(from) = model.session.tab_of(id) else {
        return;
    };
    let axis = match beside {
        None => None,
        Some(target) => {
            let Some(axis) = axis_with_room(model, target) else {
                let text = "move-pane: there is no room in that tab".to_owned();
                model.session.messages.tell(Severity::Info, text, now);
                return;
            };
            Some((target, axis))
        }
    };
    end::take_from_tab(model, id, from);
    let session = &mut model.session;
    let home = axis.and_then(|(target, axis)| Some((session.tab_of(target)?, target, axis)));
    match home.and_then(|(index, target, axis)| Some((session.tabs.get_mut(index)?, target, axis)))
    {
        Some((tab, target, axis)) => {
            tab.zoomed = false;
            tab.layout.split(target, axis, id);
        }
        None => session.tabs.push(Tab::new(id)),
    }
    focus::go_to(model, id);
}

/// How a pane's room can be shared with another one: the longer way if there is a choice.
fn axis_with_room(model: &Model, target: TerminalId) -> Option<Axis> {
    let index = model.session.tab_of(target)?;
    let tab = model.session.tabs.get(index)?;
    let area = model.areas().below_titles();
    let rect = tab.layout.rect_of(target, area)?;
    // A cell is about twice as high as it is wide.
    let axes = if rect.width >= rect.height.saturating_mul(2) {
        [Axis::Horizontal, Axis::Vertical]
    } else {
        [Axis::Vertical, Axis::Horizontal]
    };
    axes.into_iter()
        .find(|axis| tab.layout.has_room(target, *axis, area))
}

/// Says why an action does nothing now.
fn refuse(model: &mut Model, action: Action, now: Now) {
    let opens = matches!(
        action,
        Action::NewPane
            | Action::LaunchAgent
            | Action::RunCommand
            | Action::EditHistory
            | Action::SplitRight
            | Action::SplitDown
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
        Action::RunWaiting => "nothing waits to be run",
        Action::PasteBuffer => "nothing was copied yet",
        Action::NextTab
        | Action::PreviousTab
        | Action::GoToTab
        | Action::MoveTabLeft
        | Action::MoveTabRight => "there is no other tab",
        Action::LastTab => "there was no other tab before",
        Action::MovePane => "there is no other tab, and no other pane in this one",
        Action::ToggleProviders => "no provider is served",
        Action::EditHistory => "there is nothing yet",
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
        model.session.show_tab(place);
    }
}
