//! A terminal comes to show the session, or leaves.

use super::{focus, sizes};
use crate::tui::client::{Client, Confirm, Overlay, Resolve};
use crate::tui::effect::Effect;
use crate::tui::model::Model;

/// A terminal shows the session from now on.
pub fn shown(model: &mut Model, client: Client, effects: &mut Vec<Effect>) {
    change(model, client);
    sizes::tell(model, effects);
    // A pane knows by its size that it is shown.
    for pane in model.session.panes.values_mut() {
        if pane.lives() && pane.follows_size() {
            pane.told = true;
            effects.push(Effect::Resize(pane.info.id, pane.size));
        }
    }
    focus::tell(model, effects);
}

/// No terminal shows the session any more.
pub fn away(model: &mut Model, client: Client, effects: &mut Vec<Effect>) {
    change(model, client);
    focus::tell(model, effects);
    for pane in model.session.panes.values_mut() {
        pane.told = false;
        if pane.lives() {
            effects.push(Effect::Unshown(pane.info.id));
        }
    }
}

/// A new terminal has nothing of the one before, but for a question whose answer decides on text that was read already.
fn change(model: &mut Model, client: Client) {
    let before = std::mem::replace(&mut model.client, client);
    model.client.overlay = before.overlay.filter(|overlay| {
        matches!(
            overlay,
            Overlay::Confirm(Confirm {
                resolve: Resolve::Paste { .. },
                ..
            })
        )
    });
}
