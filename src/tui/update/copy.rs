//! Scroll and copy mode of the panes.

use std::sync::Arc;

use super::redraw::Redraw;
use crate::domain::action::{Action, Context};
use crate::domain::chord::Chord;
use crate::domain::id::TerminalId;
use crate::domain::input::{Input, KeyEvent};
use crate::domain::screen::ScreenSnapshot;
use crate::domain::size::Size;
use crate::pane::{Match, PaneError, PlacesNow, RowWindow};
use crate::tui::copy::{CopyEffect, CopyEvent, CopyMode};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;
use crate::tui::session::Pane;

/// Keys that wait for a search; when there are so many, it is given up on and they mean something at once.
const MAX_QUEUED: usize = 64;

/// Enters copy mode in the focused pane.
pub(super) fn enter(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    if let Some(id) = model.session.focus() {
        enter_in(model, id, now, effects);
    }
}

/// Enters copy mode with its search prompt open; upwards, for from the newest line there is nothing below.
pub(super) fn enter_search(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    if let Some(id) = model.session.focus() {
        enter_in(model, id, now, effects);
        tell(
            model,
            id,
            CopyEvent::Action(Action::CopySearchBack),
            now,
            effects,
        );
    }
}

/// Enters copy mode in some pane, if it is not in it; false if there is no screen yet.
pub(super) fn enter_in(
    model: &mut Model,
    id: TerminalId,
    now: Now,
    effects: &mut Vec<Effect>,
) -> bool {
    let Some(pane) = model.session.panes.get_mut(&id) else {
        return false;
    };
    if pane.copy.is_some() {
        return true;
    }
    let Some(screen) = &pane.screen else {
        return false;
    };
    let (mode, asked) = CopyMode::enter(screen, pane.size);
    pane.copy = Some(mode);
    pane.wheeled = false;
    carry_out(model, id, asked, now, effects);
    true
}

pub(super) fn key(
    model: &mut Model,
    key: &KeyEvent,
    chord: Chord,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    let Some(id) = model.session.focus() else {
        return;
    };
    let action = model.options.keymap.lookup(Context::Copy, chord);
    let leaves = matches!(action, Some(Action::CopyLeave | Action::CopyQuit));
    let Some(pane) = model.session.panes.get_mut(&id) else {
        return;
    };
    let searching = pane.copy.as_ref().is_some_and(CopyMode::is_searching);
    // The first key may leave a search that takes long; what comes after others belongs behind them.
    if searching && !(leaves && pane.queued.is_empty()) {
        if pane.queued.len() < MAX_QUEUED {
            pane.queued.push_back(*key);
            return;
        }
        pane.queued.clear();
    }
    act(model, id, key, chord, now, effects);
}

/// Does what a key means in copy mode of a pane.
fn act(
    model: &mut Model,
    id: TerminalId,
    key: &KeyEvent,
    chord: Chord,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    let Some(pane) = model.session.panes.get(&id) else {
        return;
    };
    let wants_text = pane.copy.as_ref().is_some_and(CopyMode::wants_text);
    let action = model
        .options
        .keymap
        .lookup(Context::Copy, chord)
        .filter(|_| !wants_text);
    let event = action.map_or(CopyEvent::Key(*key), CopyEvent::Action);
    if let Some(pane) = model.session.panes.get_mut(&id) {
        pane.wheeled = false;
    }
    tell(model, id, event, now, effects);
}

/// Does what the keys mean that waited for the cursor to be where they were meant.
fn catch_up(model: &mut Model, id: TerminalId, now: Now, effects: &mut Vec<Effect>) {
    while let Some(pane) = model.session.panes.get_mut(&id) {
        if pane.copy.as_ref().is_some_and(CopyMode::is_searching) {
            return;
        }
        let Some(key) = pane.queued.pop_front() else {
            return;
        };
        if pane.copy.is_none() {
            // Copy mode was left by one of them, so that this one was meant for the program.
            if pane.lives() {
                effects.push(Effect::Input(id, Input::Key(key)));
            }
        } else if let Some(chord) = Chord::of_command(&key) {
            act(model, id, &key, chord, now, effects);
        }
    }
}

/// Drops the selection of the focused pane's copy mode, or leaves it.
pub(super) fn leave(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    if let Some(id) = model.session.focus() {
        let event = CopyEvent::Action(Action::CopyLeave);
        tell(model, id, event, now, effects);
    }
}

/// Tells copy mode of a pane something and does what it asks for.
pub(super) fn tell(
    model: &mut Model,
    id: TerminalId,
    event: CopyEvent,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    let Some(mode) = model
        .session
        .panes
        .get_mut(&id)
        .and_then(|pane| pane.copy.as_mut())
    else {
        return;
    };
    let asked = mode.handle(event);
    carry_out(model, id, asked, now, effects);
}

/// A pane has a newer screen.
pub(super) fn screen(
    model: &mut Model,
    id: TerminalId,
    screen: Arc<ScreenSnapshot>,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    let Some(pane) = model.session.panes.get_mut(&id) else {
        return Redraw::Nothing;
    };
    let before = pane.screen.replace(Arc::clone(&screen));
    if let Some(position) = pane.looks_back.take_if(|position| position.is_on(&screen)) {
        let (mode, asked) = CopyMode::go_on(&screen, pane.size, &position);
        pane.copy = Some(mode);
        carry_out(model, id, asked, now, effects);
        return Redraw::All;
    }
    let Some(pane) = model.session.panes.get(&id) else {
        return Redraw::Nothing;
    };
    if pane.copy.is_some() {
        tell(model, id, CopyEvent::Screen(screen), now, effects);
        return Redraw::All;
    }
    // The mode decides what a click does and what the hints say of it; toasts give way to the cursor.
    let chrome_stays = before.is_some_and(|before| {
        before.modes.mouse == screen.modes.mouse
            && before.size == screen.size
            && (before.cursor == screen.cursor || model.session.messages.toasts().next().is_none())
    });
    if chrome_stays {
        Redraw::Panes
    } else {
        Redraw::All
    }
}

pub(super) fn rows(
    model: &mut Model,
    id: TerminalId,
    rows: Result<RowWindow, PaneError>,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    match rows {
        Ok(rows) => tell(model, id, CopyEvent::Rows(rows), now, effects),
        Err(error) => {
            give_up_queued(model, id);
            let text = error.to_string();
            model.session.messages.tell(Severity::Warning, text, now);
        }
    }
    catch_up(model, id, now, effects);
    Redraw::All
}

/// Where the places are that copy mode asked for; those of a program that has ended stay as they are.
pub(super) fn places(
    model: &mut Model,
    id: TerminalId,
    now_at: Result<PlacesNow, PaneError>,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    if let Ok(places) = now_at {
        tell(model, id, CopyEvent::Places(places), now, effects);
    }
}

pub(super) fn found(
    model: &mut Model,
    id: TerminalId,
    number: u64,
    hit: Result<Option<Match>, PaneError>,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    match hit {
        Ok(hit) => tell(model, id, CopyEvent::Found { number, hit }, now, effects),
        Err(error) => {
            give_up_queued(model, id);
            let text = error.to_string();
            model.session.messages.tell(Severity::Warning, text, now);
        }
    }
    catch_up(model, id, now, effects);
}

/// Forgets keys that waited for a place that cannot be reached.
fn give_up_queued(model: &mut Model, id: TerminalId) {
    if let Some(pane) = model.session.panes.get_mut(&id) {
        pane.queued.clear();
    }
}

pub(super) fn resized(pane: &mut Pane, size: Size, effects: &mut Vec<Effect>) {
    let id = pane.info.id;
    let Some(mode) = pane.copy.as_mut() else {
        return;
    };
    for asked in mode.handle(CopyEvent::Resize(size)) {
        if let CopyEffect::NeedRows(range) = asked {
            effects.push(Effect::Rows(id, range));
        }
    }
}

fn carry_out(
    model: &mut Model,
    id: TerminalId,
    asked: Vec<CopyEffect>,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    for effect in asked {
        match effect {
            CopyEffect::NeedRows(range) => effects.push(Effect::Rows(id, range)),
            CopyEffect::NeedPlaces { since, places } => {
                effects.push(Effect::Places(id, since, places));
            }
            CopyEffect::Search { number, search } => {
                effects.push(Effect::Search(id, number, Box::new(search)));
            }
            CopyEffect::Copy(text) => {
                let lines = text.lines().count();
                let note = match lines {
                    0 | 1 => format!("copied {} characters", text.chars().count()),
                    _ => format!("copied {lines} lines"),
                };
                model.session.messages.tell(Severity::Success, note, now);
                model.session.paste_buffer.clone_from(&text);
                effects.push(Effect::Clipboard(text));
            }
            CopyEffect::Message(text) => model.session.messages.tell(Severity::Info, text, now),
            CopyEffect::Leave => {
                if let Some(pane) = model.session.panes.get_mut(&id) {
                    pane.copy = None;
                }
            }
        }
    }
}
