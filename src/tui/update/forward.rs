//! Input for the program that has the focus.

use crate::domain::input::Input;
use crate::tui::effect::Effect;
use crate::tui::model::Model;

/// Sends input to the focused pane, if it lives.
pub(super) fn forward(model: &Model, input: Input, effects: &mut Vec<Effect>) {
    if let Some(pane) = model.session.focused()
        && pane.lives()
    {
        effects.push(Effect::Input(pane.info.id, input));
    }
}
