//! The sizes that panes should have.

use super::copy;
use crate::domain::size::Size;
use crate::domain::terminal::Owner;
use crate::tui::effect::Effect;
use crate::tui::model::Model;

/// Tells every pane the size it has on the screen, or would have if its tab were shown.
pub(super) fn tell(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.client.is_away || model.client.is_too_small() {
        return;
    }
    for (id, _) in model.visible() {
        if let Some(pane) = model.session.panes.get_mut(&id) {
            pane.was_shown = true;
        }
    }
    let wanted: Vec<_> = model
        .session
        .tabs
        .iter()
        .flat_map(|tab| model.rects_of(tab))
        .collect();
    for (id, rect) in wanted {
        let size = Size::clamped(rect.width, rect.height);
        let Some(pane) = model.session.panes.get_mut(&id) else {
            continue;
        };
        // One of the front end's own is known as such; another one has to hear once that it is shown here.
        let known = pane.told || pane.info.owner == Owner::Front;
        if pane.size == size && known || !pane.follows_size() {
            continue;
        }
        pane.size = size;
        pane.told = true;
        if pane.lives() {
            effects.push(Effect::Resize(id, size));
        }
        copy::resized(pane, size, effects);
    }
}
