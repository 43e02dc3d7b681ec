//! The address for a browser: asking for one, and showing it while it is looked at.

use crate::domain::id::TerminalId;
use crate::tui::address::BrowserAddress;
use crate::tui::client::{Address, Overlay};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::session::Pane;

/// Asks for an address of the focused pane, if its program lives; else of all there are.
pub(super) fn ask(model: &Model, effects: &mut Vec<Effect>) {
    let living = model.session.focused().filter(|pane| pane.lives());
    effects.push(Effect::Address(living.map(|pane| pane.info.id)));
}

/// Shows an address and copies it. No message tells of it, since messages are kept and it holds a token.
pub(super) fn given(
    model: &mut Model,
    id: Option<TerminalId>,
    result: Result<BrowserAddress, String>,
    effects: &mut Vec<Effect>,
) {
    if let Ok(address) = &result {
        effects.push(Effect::Clipboard(address.url.clone()));
    }
    let pane = id
        .and_then(|id| model.session.panes.get(&id))
        .map(Pane::name)
        .map(str::to_owned);
    model.client.overlay = Some(Overlay::Address(Address {
        pane,
        result,
        scroll: 0,
    }));
}
