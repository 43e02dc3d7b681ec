//! Pasted text.

use super::copy;
use super::forward::forward;
use super::redraw::Redraw;
use crate::domain::input::Input;
use crate::tui::client::{Choice, Confirm, Overlay, Resolve};
use crate::tui::copy::{CopyEvent, CopyMode};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::now::Now;

/// The user pasted; the line that is being typed gets it, or the program. A program that cannot tell a paste from
/// typing would run each line at once, so that several lines are asked about.
pub(super) fn pasted(model: &mut Model, text: String, now: Now, effects: &mut Vec<Effect>) {
    if let Some(overlay) = &mut model.client.overlay {
        overlay.insert(&text);
        return;
    }
    let Some(pane) = model.session.focused() else {
        return;
    };
    let id = pane.info.id;
    if pane.copy.as_ref().is_some_and(CopyMode::wants_text) {
        copy::tell(model, id, CopyEvent::Text(text), now, effects);
        return;
    }
    let bracketed = pane
        .screen
        .as_ref()
        .is_some_and(|screen| screen.modes.bracketed_paste);
    let lines = lines_of(&text);
    if lines > 1 && !bracketed && pane.lives() {
        model.client.overlay = Some(Overlay::Confirm(Confirm {
            question: format!("Paste {lines} lines into {}?", pane.name()),
            details: vec!["Its program takes pasted lines as if they were typed.".to_owned()],
            // Nothing is lost by Yes that the user did not just put there.
            choice: Choice::Yes,
            resolve: Resolve::Paste { id, text },
        }));
        return;
    }
    forward(model, Input::Paste(text), effects);
}

/// Text from an input method.
pub(super) fn typed(
    model: &mut Model,
    text: String,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    let copying = model
        .session
        .focused()
        .is_some_and(|pane| pane.copy.is_some());
    if model.client.overlay.is_some() || copying {
        pasted(model, text, now, effects);
        return Redraw::All;
    }
    forward(model, Input::Text(text), effects);
    Redraw::Nothing
}

/// Pastes what was copied last.
pub(super) fn buffer(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    let text = model.session.paste_buffer.clone();
    pasted(model, text, now, effects);
}

/// Lines that would be run or begun, the last one without its end too.
fn lines_of(text: &str) -> usize {
    text.trim_end_matches(['\r', '\n'])
        .replace("\r\n", "\n")
        .split(['\r', '\n'])
        .count()
}
