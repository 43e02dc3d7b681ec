//! Questions before what cannot be undone, and what Yes does.

use super::end;
use super::forward::forward;
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::tui::client::{Choice, Confirm, Overlay, Resolve};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;
use crate::tui::session::Pane;

/// Names listed in the question before quitting; a longer list is cut.
const NAMED: usize = 8;

/// Asks before a living program is ended; a pane whose program has ended just goes.
pub(super) fn ask_kill(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(pane) = model.session.focused() else {
        return;
    };
    let id = pane.info.id;
    if !pane.lives() {
        end::forget(model, id, effects);
        return;
    }
    model.client.overlay = Some(Overlay::Confirm(Confirm {
        question: format!("End {}?", pane.name()),
        details: vec![format!(
            "{} (process {})",
            pane.info.command.join(" "),
            pane.info.pid
        )],
        choice: Choice::No,
        resolve: Resolve::Kill(id),
    }));
}

/// Asks before programs are ended with tundra.
pub(super) fn ask_quit(model: &mut Model, effects: &mut Vec<Effect>) {
    let living: Vec<&str> = model.session.living().map(Pane::name).collect();
    if living.is_empty() && model.session.opening == 0 {
        effects.push(Effect::Quit);
        return;
    }
    let mut details: Vec<String> = living.iter().take(NAMED).map(ToString::to_string).collect();
    if living.len() > NAMED {
        details.push(format!("and {} more", living.len() - NAMED));
    }
    let question = match living.len() {
        1 => "Quit tundra and end the program in it?".to_owned(),
        count => format!("Quit tundra and end the {count} programs in it?"),
    };
    model.client.overlay = Some(Overlay::Confirm(Confirm {
        question,
        details,
        choice: Choice::No,
        resolve: Resolve::Quit,
    }));
}

/// The user said Yes.
pub(super) fn resolve(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    let Some(Overlay::Confirm(confirm)) = model.client.overlay.take() else {
        return;
    };
    match confirm.resolve {
        Resolve::Quit => effects.push(Effect::Quit),
        Resolve::Paste { id, text } => {
            if model.session.focus() == Some(id) {
                forward(model, Input::Paste(text), effects);
            }
        }
        Resolve::Kill(id) => kill(model, id, now, effects),
    }
}

fn kill(model: &mut Model, id: TerminalId, now: Now, effects: &mut Vec<Effect>) {
    let Some(pane) = model.session.panes.get_mut(&id) else {
        return;
    };
    if !pane.lives() {
        end::forget(model, id, effects);
        return;
    }
    pane.ending = true;
    let text = format!("ending {}", pane.name());
    model.session.messages.note(Severity::Info, text, now);
    effects.push(Effect::Kill(id));
}
