//! Keys for what lies over the panes: questions, prompts, lists, help and the log.

use super::scroll::{Growth, PAGE, scroll};
use super::{action, ask, confirm, journal, launcher, log_view, open, overview, providers};
use crate::domain::action::{Action, Context};
use crate::domain::chord::Chord;
use crate::domain::input::{KeyCode, KeyEvent};
use crate::tui::client::{Choice, Overlay, Picker, PickerKind};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;
use crate::tui::view;

pub(super) fn key(model: &mut Model, key: &KeyEvent, now: Now, effects: &mut Vec<Effect>) {
    match (&model.client.overlay, Chord::of_command(key)) {
        (Some(Overlay::Providers(_)), Some(chord)) => providers::key(model, chord, effects),
        (Some(Overlay::Journal(_)), Some(chord)) => journal::key(model, chord, effects),
        (Some(Overlay::LogFile(_)), _) => log_view::key(model, key),
        (Some(Overlay::Launcher(_)), _) => launcher::key(model, key, now, effects),
        (Some(Overlay::Overview(_)), _) => overview::key(model, key, effects),
        _ => dialog_key(model, key, now, effects),
    }
}

/// A key in what takes the keys of dialogs.
fn dialog_key(model: &mut Model, key: &KeyEvent, now: Now, effects: &mut Vec<Effect>) {
    let code = key.on_us_layout().code;
    let does = Chord::of(key).and_then(|chord| model.options.keymap.lookup(Context::Dialog, chord));
    if does == Some(Action::DialogCancel) {
        model.client.overlay = None;
        return;
    }
    let accept = does == Some(Action::DialogAccept);
    let limit = view::overlay_scroll_limit(model);
    match &mut model.client.overlay {
        Some(Overlay::Confirm(question)) => match (does, code) {
            (_, KeyCode::Char('y' | 'Y')) => confirm::resolve(model, now, effects),
            (_, KeyCode::Char('n' | 'N')) => model.client.overlay = None,
            (Some(Action::DialogAccept), _) => match question.choice {
                Choice::Yes => confirm::resolve(model, now, effects),
                Choice::No => model.client.overlay = None,
            },
            (Some(Action::DialogNext | Action::DialogPrevious), _)
            | (_, KeyCode::Left | KeyCode::Right | KeyCode::Char('h' | 'l')) => {
                question.choice = match question.choice {
                    Choice::No => Choice::Yes,
                    Choice::Yes => Choice::No,
                };
            }
            _ => {}
        },
        Some(Overlay::Ask(asked)) => {
            if accept {
                let asked = asked.clone();
                model.client.overlay = None;
                ask::answered(model, &asked, now, effects);
            } else {
                asked.prompt.key(key);
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
        Some(Overlay::Help(help)) => match (does, code) {
            (Some(does), _) if !accept => scroll(&mut help.scroll, does, Growth::Down, limit),
            (Some(_), _) => model.client.overlay = None,
            _ => {
                if help.query.key(key) {
                    help.scroll = 0;
                }
            }
        },
        Some(Overlay::Log(log)) => match (does, code) {
            (Some(Action::DialogAccept), _) | (_, KeyCode::Char('q')) => {
                model.client.overlay = None;
            }
            (Some(does), _) => scroll(&mut log.scroll, does, Growth::Up, limit),
            (_, KeyCode::Char('k')) => {
                scroll(&mut log.scroll, Action::DialogPrevious, Growth::Up, limit);
            }
            (_, KeyCode::Char('j')) => {
                scroll(&mut log.scroll, Action::DialogNext, Growth::Up, limit);
            }
            _ => {}
        },
        Some(Overlay::Address(address)) => match (does, code) {
            (Some(Action::DialogAccept), _) | (_, KeyCode::Char('q')) => {
                model.client.overlay = None;
            }
            (Some(does), _) => scroll(&mut address.scroll, does, Growth::Down, limit),
            _ => {}
        },
        Some(Overlay::Report(report)) => match (does, code) {
            (Some(Action::DialogAccept), _) | (_, KeyCode::Char('q')) => {
                model.client.overlay = None;
            }
            (Some(does), _) => scroll(&mut report.scroll, does, Growth::Down, limit),
            (_, KeyCode::Char('k')) => {
                scroll(
                    &mut report.scroll,
                    Action::DialogPrevious,
                    Growth::Down,
                    limit,
                );
            }
            (_, KeyCode::Char('j')) => {
                scroll(&mut report.scroll, Action::DialogNext, Growth::Down, limit);
            }
            _ => {}
        },
        Some(
            Overlay::Providers(_)
            | Overlay::Journal(_)
            | Overlay::LogFile(_)
            | Overlay::Overview(_)
            | Overlay::Launcher(_),
        )
        | None => {}
    }
}

/// Takes the chosen entry of the list.
pub(super) fn accept_choice(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    let Some(Overlay::Picker(picker)) = &model.client.overlay else {
        return;
    };
    let Some(item) = picker.chosen() else {
        let typed = picker.query.text().trim().to_owned();
        if picker.kind == PickerKind::Palette && !typed.is_empty() {
            model.client.overlay = None;
            open::typed(model, typed, effects);
        }
        return;
    };
    if let Some(why) = item.refused {
        let text = format!("{} is {why}", item.label);
        model.session.messages.tell(Severity::Warning, text, now);
        return;
    }
    let choice = item.picked.clone();
    model.client.overlay = None;
    action::pick(model, choice, now, effects);
}

/// The wheel over what lies over the panes.
pub(super) fn wheel(model: &mut Model, down: bool, effects: &mut Vec<Effect>) {
    if matches!(model.client.overlay, Some(Overlay::Providers(_))) {
        providers::wheel(model, down, effects);
        return;
    }
    if matches!(model.client.overlay, Some(Overlay::Journal(_))) {
        journal::wheel(model, down, effects);
        return;
    }
    if matches!(model.client.overlay, Some(Overlay::Overview(_))) {
        overview::wheel(model, down);
        return;
    }
    let does = if down {
        Action::DialogNext
    } else {
        Action::DialogPrevious
    };
    let limit = view::overlay_scroll_limit(model);
    match &mut model.client.overlay {
        Some(Overlay::Picker(picker)) => picker.page(down, 1),
        Some(Overlay::Launcher(launcher)) => launcher.step(down),
        Some(Overlay::Help(help)) => scroll(&mut help.scroll, does, Growth::Down, limit),
        Some(Overlay::Log(log)) => scroll(&mut log.scroll, does, Growth::Up, limit),
        Some(Overlay::Report(report)) => scroll(&mut report.scroll, does, Growth::Down, limit),
        Some(Overlay::Address(address)) => scroll(&mut address.scroll, does, Growth::Down, limit),
        Some(Overlay::LogFile(_)) => log_view::wheel(model, down),
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
