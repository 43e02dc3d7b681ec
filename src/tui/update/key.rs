//! Keys: to what lies over the panes, to the prefix, to copy mode, or to the program.

use super::forward::forward;
use super::redraw::Redraw;
use super::{action, copy, end, open, overlay};
use crate::domain::action::{Action, Context};
use crate::domain::chord::Chord;
use crate::domain::input::{Input, KeyCode, KeyEvent, KeyKind, Mods};
use crate::domain::keymap::AfterPrefix;
use crate::tui::client::Mode;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;

/// Keys held at once whose release is remembered; more than a hand has.
const HELD: usize = 16;

pub(super) fn on_key(
    model: &mut Model,
    key: KeyEvent,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    if key.kind == KeyKind::Release {
        return released(model, key, effects);
    }
    if is_passive(key.code) {
        // A modifier alone ends no prefix and no repeat; only the program may want to know.
        if takes_keys(model) {
            forward(model, Input::Key(key), effects);
        }
        return Redraw::Nothing;
    }
    let redraw = dispatch(model, key, now, effects);
    if redraw != Redraw::Nothing
        && model.client.held.len() < HELD
        && !model.client.held.contains(&key.code)
    {
        model.client.held.push(key.code);
    }
    if redraw == Redraw::Nothing && takes_keys(model) && model.session.messages.typed(now.instant) {
        return Redraw::All;
    }
    redraw
}

/// Passes a release on if its press went to the program too.
fn released(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) -> Redraw {
    if let Some(at) = model.client.held.iter().position(|code| *code == key.code) {
        model.client.held.swap_remove(at);
    } else if takes_keys(model) {
        forward(model, Input::Key(key), effects);
    }
    Redraw::Nothing
}

/// Whether keys go to the program of the focused pane.
fn takes_keys(model: &Model) -> bool {
    model.client.overlay.is_none()
        && !matches!(model.client.mode, Mode::Prefix { .. })
        && model
            .session
            .focused()
            .is_some_and(|pane| pane.copy.is_none() && pane.lives())
}

fn is_passive(code: KeyCode) -> bool {
    matches!(
        code,
        KeyCode::Modifier(_) | KeyCode::CapsLock | KeyCode::NumLock | KeyCode::ScrollLock
    )
}

fn dispatch(model: &mut Model, key: KeyEvent, now: Now, effects: &mut Vec<Effect>) -> Redraw {
    let (Some(chord), Some(command)) = (Chord::of(&key), Chord::of_command(&key)) else {
        return Redraw::Nothing;
    };
    if let Some(context) = typed_too_fast(model, &key, chord) {
        // Without kitty's protocol Escape and a key pressed at once look like Alt with that key.
        let plain = KeyEvent {
            mods: key.mods.without(Mods::ALT),
            ..key
        };
        match context {
            Context::Dialog => model.client.overlay = None,
            _ => copy::leave(model, now, effects),
        }
        return dispatch(model, plain, now, effects).max(Redraw::All);
    }
    if model.client.overlay.is_some() {
        overlay::key(model, &key, now, effects);
        return Redraw::All;
    }
    match model.client.mode {
        Mode::Prefix { .. } => {
            model.client.mode = Mode::Normal;
            after_prefix(model, command, now, effects);
            return Redraw::All;
        }
        Mode::Repeat { until } => {
            let again = model.options.keymap.lookup(Context::Prefix, command);
            if let Some(action) = again.filter(|action| action.repeats())
                && now.instant < until
            {
                action::perform(model, action, now, effects);
                return Redraw::All;
            }
            model.client.mode = Mode::Normal;
        }
        Mode::Normal => {}
    }
    if let Some(action) = model.options.keymap.without_prefix(chord) {
        action::perform(model, action, now, effects);
        return Redraw::All;
    }
    if model.options.keymap.is_prefix(chord) {
        model.client.mode = Mode::Prefix {
            since: now.instant,
            listed: false,
        };
        return Redraw::All;
    }
    let Some(pane) = model.session.focused() else {
        return Redraw::Nothing;
    };
    if let Some(mode) = &pane.copy {
        let chord = if mode.wants_text() { chord } else { command };
        copy::key(model, &key, chord, now, effects);
        return Redraw::All;
    }
    if pane.waiting.is_some() {
        let id = pane.info.id;
        match command.code() {
            KeyCode::Enter => open::again(model, id, effects),
            KeyCode::Char('A') => open::all_again(model, effects),
            KeyCode::Char('x') => end::forget(model, id, effects),
            _ => return Redraw::Nothing,
        }
        return Redraw::All;
    }
    if pane.ended.is_some() {
        let id = pane.info.id;
        match command.code() {
            KeyCode::Enter => end::forget(model, id, effects),
            KeyCode::Char('r') => open::again(model, id, effects),
            _ => return Redraw::Nothing,
        }
        return Redraw::All;
    }
    model.client.held.retain(|code| *code != key.code);
    forward(model, Input::Key(key), effects);
    Redraw::Nothing
}

/// Whether Escape was meant, in a place where Alt with a character means nothing; tells which.
fn typed_too_fast(model: &Model, key: &KeyEvent, chord: Chord) -> Option<Context> {
    let maybe = !model.client.keyboard
        && key.mods.contains(Mods::ALT)
        && matches!(key.code, KeyCode::Char(_) | KeyCode::Enter);
    if !maybe || matches!(model.client.mode, Mode::Prefix { .. }) {
        return None;
    }
    let context = if model.client.overlay.is_some() {
        Context::Dialog
    } else if model.session.focused()?.copy.is_some() {
        Context::Copy
    } else {
        return None;
    };
    let keymap = &model.options.keymap;
    let unbound = keymap.lookup(context, chord).is_none() && keymap.without_prefix(chord).is_none();
    unbound.then_some(context)
}

fn after_prefix(model: &mut Model, chord: Chord, now: Now, effects: &mut Vec<Effect>) {
    match model.options.keymap.after_prefix(chord) {
        AfterPrefix::Do(action) => action::perform(model, action, now, effects),
        AfterPrefix::SendPrefix => {
            let prefix = model.options.keymap.prefix();
            forward(model, Input::Key(prefix.event()), effects);
        }
        // Escape is what one strikes to get out.
        AfterPrefix::Unbound if chord.code() == KeyCode::Escape => {}
        AfterPrefix::Unbound => {
            let help = model
                .options
                .keymap
                .bindings_of(Action::Help)
                .first()
                .map(|help| format!("; {} {help} shows the keys", model.options.keymap.prefix()))
                .unwrap_or_default();
            let text = format!("{chord} does nothing after the prefix{help}");
            model.session.messages.tell(Severity::Info, text, now);
        }
    }
}
