//! Which pane has the focus.

use crate::domain::agent::AgentState;
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::domain::layout::Side;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::session::Pane;

/// Brings a pane to the front and gives it the focus.
pub(super) fn go_to(model: &mut Model, id: TerminalId) {
    if let Some(index) = model.session.tab_of(id) {
        model.session.show_tab(index);
        if let Some(tab) = model.session.tab_mut() {
            if tab.focus != id {
                tab.zoomed = false;
            }
            tab.set_focus(id);
        }
    }
}

/// Gives the pane on that side the focus.
pub(super) fn to_side(model: &mut Model, side: Side) {
    let Some(tab) = model.session.tab() else {
        return;
    };
    let panes = model.areas().panes;
    if let Some(id) = tab.layout.focus_neighbour(tab.focus, side, panes) {
        go_to(model, id);
    }
}

pub(super) fn to_next_pane(model: &mut Model) {
    if let Some(id) = model.session.tab().map(|tab| tab.layout.next(tab.focus)) {
        go_to(model, id);
    }
}

pub(super) fn to_last_pane(model: &mut Model) {
    if let Some(id) = model.session.tab().and_then(|tab| tab.before) {
        go_to(model, id);
    }
}

/// Goes to the next pane that wants its user, in the order of tabs, around the end.
pub(super) fn to_next_waiting(model: &mut Model) {
    let order = model.session.in_order();
    let here = model
        .session
        .focus()
        .and_then(|focus| order.iter().position(|id| *id == focus))
        .unwrap_or(0);
    let wanting = model.session.wanting();
    let next = order
        .iter()
        .cycle()
        .skip(here + 1)
        .take(order.len())
        .copied()
        .find(|id| wanting.contains(id));
    if let Some(id) = next {
        go_to(model, id);
    }
}

pub(super) fn to_tab(model: &mut Model, index: usize) {
    model.session.show_tab(index);
}

/// Goes to the tab before or after this one, around the ends.
pub(super) fn step_tab(model: &mut Model, forward: bool) {
    let len = model.session.tabs.len().max(1);
    let index = (model.session.active + if forward { 1 } else { len - 1 }) % len;
    model.session.show_tab(index);
}

/// Tells the panes which of them has the focus, where that changed, and that the user looks at it.
pub(super) fn tell(model: &mut Model, effects: &mut Vec<Effect>) {
    let focus = model.session.focus().filter(|_| model.client.outer_focused);
    if focus != model.session.focus_told {
        if let Some(before) = model.session.focus_told
            && model.session.panes.get(&before).is_some_and(Pane::lives)
        {
            effects.push(Effect::Input(before, Input::Focus(false)));
        }
        if let Some(id) = focus {
            effects.push(Effect::Input(id, Input::Focus(true)));
        }
        model.session.focus_told = focus;
    }
    if let Some(pane) = focus.and_then(|id| model.session.panes.get_mut(&id)) {
        pane.badge = false;
        if pane.state() == Some(AgentState::Done) {
            effects.push(Effect::Seen(pane.info.id));
        }
    }
}
