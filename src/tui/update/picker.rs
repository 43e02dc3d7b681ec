//! Lists to choose from: actions, panes, agents.

use crate::domain::action::{Action, Context};
use crate::domain::route::{DEFAULT_HOLD, RouterCommand};
use crate::tui::client::{Item, Overlay, Picked, Picker, PickerKind};
use crate::tui::model::Model;
use crate::tui::session::Pane;

/// Every action that would do something now, and every pane.
pub(super) fn offer_actions(model: &mut Model) {
    let mut items: Vec<Item> = Action::ALL
        .iter()
        .copied()
        .filter(|action| {
            action.context() == Context::Prefix
                && *action != Action::Palette
                && model.is_valid(*action)
        })
        .map(|action| Item {
            label: action.name().to_owned(),
            detail: action.description().to_owned(),
            refused: None,
            picked: Picked::Do(action),
        })
        .collect();
    items.extend(panes(model));
    items.extend(steering(model));
    model.client.overlay = Some(Overlay::Picker(Picker::new(PickerKind::Palette, items)));
}

/// Every pane; the focused one is chosen.
pub(super) fn offer_panes(model: &mut Model) {
    let mut picker = Picker::new(PickerKind::Panes, panes(model));
    if let Some(id) = model.session.focus() {
        picker = picker.at(&Picked::Focus(id));
    }
    model.client.overlay = Some(Overlay::Picker(picker));
}

/// Where the focused pane could go: the other tabs, and a new one.
pub(super) fn offer_tabs(model: &mut Model) {
    let Some(id) = model.session.focus() else {
        return;
    };
    let session = &model.session;
    let here = session.tab().map_or(0, |tab| tab.layout.ids().len());
    let others = session.tabs.iter().enumerate();
    let mut items: Vec<Item> = others
        .filter(|(index, _)| *index != session.active)
        .map(|(index, tab)| {
            let pane = session.panes.get(&tab.focus);
            let name = tab.name.as_deref().or(pane.map(Pane::name));
            Item {
                label: format!("tab {}", index + 1),
                detail: name.unwrap_or_default().to_owned(),
                refused: None,
                picked: Picked::Move(id, Some(tab.focus)),
            }
        })
        .collect();
    if here > 1 {
        items.push(Item {
            label: "new tab".to_owned(),
            detail: String::new(),
            refused: None,
            picked: Picked::Move(id, None),
        });
    }
    model.client.overlay = Some(Overlay::Picker(Picker::new(PickerKind::Tabs, items)));
}

/// What can be done with each provider.
fn steering(model: &Model) -> Vec<Item> {
    let entry = |label: &str, command: RouterCommand| Item {
        label: label.to_owned(),
        detail: command.to_string(),
        refused: None,
        picked: Picked::Steer(command),
    };
    let mut items = Vec::new();
    for (provider, _) in model.providers.each() {
        let name = &provider.profile.name;
        items.push(entry(
            "restart provider",
            RouterCommand::Restart(name.clone()),
        ));
        items.push(entry("reset provider", RouterCommand::Reset(name.clone())));
        items.push(if provider.enabled {
            entry("disable provider", RouterCommand::Disable(name.clone()))
        } else {
            entry("enable provider", RouterCommand::Enable(name.clone()))
        });
        items.push(if provider.pinned {
            entry("unpin provider", RouterCommand::Unpin)
        } else {
            entry("pin provider", RouterCommand::Pin(name.clone()))
        });
        items.push(entry(
            "fail over",
            RouterCommand::Failover {
                from: Some(name.clone()),
                hold: DEFAULT_HOLD,
            },
        ));
    }
    items
}

fn panes(model: &Model) -> Vec<Item> {
    model
        .session
        .tabs
        .iter()
        .enumerate()
        .flat_map(|(index, tab)| {
            tab.layout
                .ids()
                .into_iter()
                .filter_map(|id| model.session.panes.get(&id))
                .map(move |pane| Item {
                    label: pane.name().to_owned(),
                    detail: format!("tab {} {}", index + 1, pane.info.command.join(" ")),
                    refused: None,
                    picked: Picked::Focus(pane.info.id),
                })
        })
        .collect()
}
