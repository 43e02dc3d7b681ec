//! Lines to type: names, a tab's number, a command.

use super::{focus, open};
use crate::domain::id::TerminalId;
use crate::tui::client::{Ask, Overlay, Prompt, Wants};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;

pub(super) fn pane_name(model: &mut Model) {
    if let Some(pane) = model.session.focused() {
        let prompt = Prompt::new(&pane.info.name);
        let wants = Wants::PaneName(pane.info.id);
        model.client.overlay = Some(Overlay::Ask(Ask { wants, prompt }));
    }
}

pub(super) fn tab_name(model: &mut Model) {
    if let Some(tab) = model.session.tab() {
        let prompt = Prompt::new(tab.name.as_deref().unwrap_or_default());
        let wants = Wants::TabName(tab.focus);
        model.client.overlay = Some(Overlay::Ask(Ask { wants, prompt }));
    }
}

pub(super) fn line(model: &mut Model, wants: Wants) {
    let prompt = Prompt::default();
    model.client.overlay = Some(Overlay::Ask(Ask { wants, prompt }));
}

/// The line is typed.
pub(super) fn answered(model: &mut Model, ask: &Ask, now: Now, effects: &mut Vec<Effect>) {
    let text = ask.prompt.text().trim().to_owned();
    match ask.wants {
        Wants::TabName(id) => name_tab(model, id, text),
        _ if text.is_empty() => {}
        Wants::PaneName(id) => effects.push(Effect::Rename(id, text)),
        Wants::TabNumber => to_tab(model, &text, now),
        Wants::Command => open::typed(model, text, effects),
    }
}

fn name_tab(model: &mut Model, id: TerminalId, name: String) {
    let index = model.session.tab_of(id);
    if let Some(tab) = index.and_then(|index| model.session.tabs.get_mut(index)) {
        tab.name = (!name.is_empty()).then_some(name);
    }
}

fn to_tab(model: &mut Model, text: &str, now: Now) {
    let count = model.session.tabs.len();
    match text.parse::<usize>() {
        Ok(number) if (1..=count).contains(&number) => focus::to_tab(model, number - 1),
        _ => {
            let text = format!("go-to-tab: there is no tab {text}, only 1 to {count}");
            model.session.messages.tell(Severity::Info, text, now);
        }
    }
}
