//! Keys for what lies over the panes: questions, prompts, lists, help and the log.

use super::{action, forward, providers, terminal};
use crate::domain::action::{Action, Context};
use crate::domain::chord::Chord;
use crate::domain::id::TerminalId;
use crate::domain::input::{Input, KeyCode, KeyEvent};
use crate::tui::effect::Effect;
use crate::tui::model::{Choice, Confirm, Model, Now, Overlay, Pane, Picker, Resolve, Severity};
use crate::tui::view;

/// Names listed in the question before quitting; a longer list is cut.
const NAMED: usize = 8;
/// Entries that a page key moves by: about what a list shows at once.
const PAGE: usize = 10;

/// Asks before a living program is ended; a pane whose program has ended just goes.
pub(super) fn ask_kill(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(pane) = model.focused() else { return };
    let id = pane.info.id;
    if pane.ended.is_some() {
        terminal::forget(model, id, effects);
        return;
    }
    model.overlay = Some(Overlay::Confirm(Confirm {
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
    let living: Vec<&str> = model.living().map(Pane::name).collect();
    if living.is_empty() && model.opening == 0 {
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
    model.overlay = Some(Overlay::Confirm(Confirm {
        question,
        details,
        choice: Choice::No,
        resolve: Resolve::Quit,
    }));
}

pub(super) fn key(
    model: &mut Model,
    key: &KeyEvent,
    chord: Chord,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    if matches!(model.overlay, Some(Overlay::Providers(_))) {
        providers::key(model, chord, effects);
        return;
    }
    let does = model.options.keymap.lookup(Context::Dialog, chord);
    if does == Some(Action::DialogCancel) {
        model.overlay = None;
        return;
    }
    let accept = does == Some(Action::DialogAccept);
    let limit = view::overlay_scroll_limit(model);
    match &mut model.overlay {
        Some(Overlay::Confirm(confirm)) => match (does, key.code) {
            (_, KeyCode::Char('y' | 'Y')) => resolve(model, now, effects),
            (_, KeyCode::Char('n' | 'N')) => model.overlay = None,
            (Some(Action::DialogAccept), _) => match confirm.choice {
                Choice::Yes => resolve(model, now, effects),
                Choice::No => model.overlay = None,
            },
            (Some(Action::DialogNext | Action::DialogPrevious), _)
            | (_, KeyCode::Left | KeyCode::Right | KeyCode::Char('h' | 'l')) => {
                confirm.choice = match confirm.choice {
                    Choice::No => Choice::Yes,
                    Choice::Yes => Choice::No,
                };
            }
            _ => {}
        },
        Some(Overlay::Rename(rename)) => {
            if accept {
                let (id, name) = (rename.id, rename.prompt.text().trim().to_owned());
                model.overlay = None;
                if !name.is_empty() {
                    effects.push(Effect::Rename(id, name));
                }
            } else {
                rename.prompt.key(key);
            }
        }
        Some(Overlay::Picker(picker)) => {
            if accept {
                accept_choice(model, now, effects);
            } else if let Some(does) = does {
                move_choice(picker, does);
            } else if picker.query.key(key) {
                picker.rank();
            }
        }
        Some(Overlay::Help(help)) => match (does, key.code) {
            (Some(does), _) if !accept => scroll(&mut help.scroll, does, Growth::Down, limit),
            (Some(_), _) => model.overlay = None,
            _ => {
                if help.query.key(key) {
                    help.scroll = 0;
                }
            }
        },
        Some(Overlay::Log(log)) => match (does, key.code) {
            (Some(Action::DialogAccept), _) | (_, KeyCode::Char('q')) => model.overlay = None,
            (Some(does), _) => scroll(&mut log.scroll, does, Growth::Up, limit),
            (_, KeyCode::Char('k')) => {
                scroll(&mut log.scroll, Action::DialogPrevious, Growth::Up, limit);
            }
            (_, KeyCode::Char('j')) => {
                scroll(&mut log.scroll, Action::DialogNext, Growth::Up, limit);
            }
            _ => {}
        },
        Some(Overlay::Address(address)) => match (does, key.code) {
            (Some(Action::DialogAccept), _) | (_, KeyCode::Char('q')) => model.overlay = None,
            (Some(does), _) => scroll(&mut address.scroll, does, Growth::Down, limit),
            _ => {}
        },
        Some(Overlay::Providers(_)) | None => {}
    }
}

/// Text that was pasted goes where one types.
pub(super) fn insert(overlay: &mut Overlay, text: &str) {
    match overlay {
        Overlay::Rename(rename) => rename.prompt.insert(text),
        Overlay::Picker(picker) => {
            picker.query.insert(text);
            picker.rank();
        }
        Overlay::Help(help) => help.query.insert(text),
        Overlay::Confirm(_) | Overlay::Log(_) | Overlay::Providers(_) | Overlay::Address(_) => {}
    }
}

/// Takes the chosen entry of the list.
pub(super) fn accept_choice(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    let Some(Overlay::Picker(picker)) = &model.overlay else {
        return;
    };
    let Some(item) = picker.chosen() else { return };
    if let Some(why) = item.refused {
        let text = format!("{} is {why}", item.label);
        model.messages.tell(Severity::Warning, text, now);
        return;
    }
    let choice = item.picked.clone();
    model.overlay = None;
    action::pick(model, choice, now, effects);
}

/// The user said Yes.
pub(super) fn resolve(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    let Some(Overlay::Confirm(confirm)) = model.overlay.take() else {
        return;
    };
    match confirm.resolve {
        Resolve::Quit => effects.push(Effect::Quit),
        Resolve::Paste { id, text } => {
            if model.focus() == Some(id) {
                forward(model, Input::Paste(text), effects);
            }
        }
        Resolve::Kill(id) => kill(model, id, now, effects),
    }
}

fn kill(model: &mut Model, id: TerminalId, now: Now, effects: &mut Vec<Effect>) {
    let Some(pane) = model.panes.get_mut(&id) else {
        return;
    };
    if pane.ended.is_some() {
        terminal::forget(model, id, effects);
        return;
    }
    pane.ending = true;
    let text = format!("ending {}", pane.name());
    model.messages.note(Severity::Info, text, now);
    effects.push(Effect::Kill(id));
}

/// The wheel over what lies over the panes.
pub(super) fn wheel(model: &mut Model, down: bool, effects: &mut Vec<Effect>) {
    if matches!(model.overlay, Some(Overlay::Providers(_))) {
        providers::wheel(model, down, effects);
        return;
    }
    let does = if down {
        Action::DialogNext
    } else {
        Action::DialogPrevious
    };
    let limit = view::overlay_scroll_limit(model);
    match &mut model.overlay {
        Some(Overlay::Picker(picker)) => picker.page(down, 1),
        Some(Overlay::Help(help)) => scroll(&mut help.scroll, does, Growth::Down, limit),
        Some(Overlay::Log(log)) => scroll(&mut log.scroll, does, Growth::Up, limit),
        Some(Overlay::Address(address)) => scroll(&mut address.scroll, does, Growth::Down, limit),
        _ => {}
    }
}

fn move_choice(picker: &mut Picker, does: Action) {
    match does {
        Action::DialogNext => picker.step(true),
        Action::DialogPrevious => picker.step(false),
        Action::DialogPageDown => picker.page(true, PAGE),
        Action::DialogPageUp => picker.page(false, PAGE),
        Action::DialogFirst => picker.select(0),
        Action::DialogLast => picker.select(usize::MAX),
        _ => {}
    }
}

/// Which way a count of scrolled lines grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    Up,
    Down,
}

pub(super) fn scroll(at: &mut usize, does: Action, growth: Growth, limit: usize) {
    let (step, way) = match does {
        Action::DialogNext => (1, Growth::Down),
        Action::DialogPrevious => (1, Growth::Up),
        Action::DialogPageDown => (PAGE, Growth::Down),
        Action::DialogPageUp => (PAGE, Growth::Up),
        Action::DialogFirst => (usize::MAX, Growth::Up),
        Action::DialogLast => (usize::MAX, Growth::Down),
        _ => return,
    };
    *at = if way == growth {
        at.saturating_add(step).min(limit)
    } else {
        at.saturating_sub(step)
    };
}
