//! The view of the log: its keys, and when it is read again.

use super::scroll::{self, Growth};
use crate::config::LogLevel;
use crate::domain::action::{Action, Context};
use crate::domain::chord::Chord;
use crate::domain::input::{KeyCode, KeyEvent};
use crate::tui::client::{LogEntry, LogField, LogView, Overlay, Prompt, READ_LOG_AGAIN};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::now::Now;
use crate::tui::view;

pub(super) fn open(model: &mut Model, effects: &mut Vec<Effect>) {
    model.client.overlay = Some(Overlay::LogFile(LogView::default()));
    effects.push(Effect::ReadLog);
}

/// Takes in what was read.
pub(super) fn read(model: &mut Model, lines: Result<Vec<LogEntry>, String>, now: Now) {
    let Some(Overlay::LogFile(view)) = &mut model.client.overlay else {
        return;
    };
    let before = view.wanted().count();
    view.lines = Some(lines);
    if view.scroll > 0 {
        // What is looked at stays where it is while more comes below.
        let more = view.wanted().count().saturating_sub(before);
        view.scroll = view.scroll.saturating_add(more);
    }
    view.due = Some(now.instant + READ_LOG_AGAIN);
}

/// Reads again what is due.
pub(super) fn tick(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    if let Some(Overlay::LogFile(view)) = &mut model.client.overlay
        && view.due.is_some_and(|due| due <= now.instant)
    {
        view.due = None;
        effects.push(Effect::ReadLog);
    }
}

/// A key while the view is open.
pub(super) fn key(model: &mut Model, key: &KeyEvent) {
    let limit = view::overlay_scroll_limit(model);
    let keymap = &model.options.keymap;
    let action = Chord::of_command(key).and_then(|chord| keymap.lookup(Context::Journal, chord));
    let Some(Overlay::LogFile(view)) = &mut model.client.overlay else {
        return;
    };
    if view.typing.is_some() {
        typed(view, key);
        return;
    }
    let Some(action) = action else { return };
    match action {
        Action::JournalBack => model.client.overlay = None,
        Action::LogLevel => {
            view.level = next(view.level);
            view.scroll = 0;
        }
        Action::LogTarget => view.typing = Some(LogField::Target),
        Action::LogText => view.typing = Some(LogField::Text),
        action => scroll::scroll_journal(&mut view.scroll, action, Growth::Up, limit),
    }
}

/// The wheel over the view.
pub(super) fn wheel(model: &mut Model, down: bool) {
    let limit = view::overlay_scroll_limit(model);
    if let Some(Overlay::LogFile(view)) = &mut model.client.overlay {
        let action = if down {
            Action::JournalNext
        } else {
            Action::JournalPrevious
        };
        scroll::scroll_journal(&mut view.scroll, action, Growth::Up, limit);
    }
}

fn typed(view: &mut LogView, key: &KeyEvent) {
    match key.on_us_layout().code {
        KeyCode::Enter => view.typing = None,
        KeyCode::Escape => {
            if let Some(field) = view.field() {
                *field = Prompt::default();
            }
            view.typing = None;
        }
        _ => {
            if view.field().is_some_and(|field| field.key(key)) {
                view.scroll = 0;
            }
        }
    }
}

/// From all to the gravest alone, and around.
const fn next(level: Option<LogLevel>) -> Option<LogLevel> {
    match level {
        None => Some(LogLevel::Info),
        Some(LogLevel::Info) => Some(LogLevel::Warn),
        Some(LogLevel::Warn) => Some(LogLevel::Error),
        Some(LogLevel::Error | LogLevel::Debug | LogLevel::Trace) => None,
    }
}
