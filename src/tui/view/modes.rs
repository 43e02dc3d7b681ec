//! What the outer terminal should be in: its cursor, title, mouse and keyboard.

use super::text::field;
use super::window::Window;
use crate::domain::id::TerminalId;
use crate::domain::layout::Rect;
use crate::domain::screen::CursorShape;
use crate::tui::client::Mode;
use crate::tui::frame::{CursorAt, KeysFor, Mouse, OuterModes, kitty_flags};
use crate::tui::model::Model;

/// What the outer terminal should be in.
#[must_use]
pub fn modes(model: &Model) -> OuterModes {
    let title = match model.session.focused() {
        Some(pane) if !pane.info.title.is_empty() => pane.info.title.clone(),
        Some(pane) => pane.name().to_owned(),
        None => "tundra".to_owned(),
    };
    let mouse = match (model.client.mouse, model.wants_movements()) {
        (false, _) => Mouse::Off,
        (true, false) => Mouse::Buttons,
        (true, true) => Mouse::Any,
    };
    OuterModes {
        cursor: cursor(model),
        title,
        mouse,
        keyboard: model.client.keyboard.then(|| kitty_flags(keys_for(model))),
    }
}

/// What the next key is for.
fn keys_for(model: &Model) -> KeysFor {
    if matches!(model.client.mode, Mode::Prefix { .. }) {
        return KeysFor::Command;
    }
    if let Some(overlay) = &model.client.overlay {
        return if overlay.takes_text() {
            KeysFor::Program(0)
        } else {
            KeysFor::Command
        };
    }
    let Some(pane) = model.session.focused() else {
        return KeysFor::Command;
    };
    match (&pane.copy, &pane.screen) {
        (Some(mode), _) if mode.wants_text() => KeysFor::Program(0),
        (Some(_), _) => KeysFor::Command,
        (None, _) if !pane.lives() => KeysFor::Command,
        (None, screen) => {
            KeysFor::Program(screen.as_ref().map_or(0, |screen| screen.modes.kitty_flags))
        }
    }
}

/// The hardware cursor: where one types.
fn cursor(model: &Model) -> Option<CursorAt> {
    let at = |x, y| CursorAt {
        x,
        y,
        visible: true,
        shape: CursorShape::Default,
        blinking: false,
    };
    if model.client.is_too_small() {
        return None;
    }
    if let Some(overlay) = &model.client.overlay {
        return super::overlay::cursor(model, overlay).map(|(x, y)| at(x, y));
    }
    let focus = model.session.focus()?;
    let rect = rect_of(model, focus)?;
    let pane = model.session.panes.get(&focus)?;
    let inside = |row: u16, col: u16| {
        let (x, y) = (rect.x.saturating_add(col), rect.y.saturating_add(row));
        rect.contains(x, y).then_some((x, y))
    };
    if let Some(mode) = &pane.copy {
        let view = mode.view();
        let (row, col) = match &view.prompt {
            Some(prompt) => (
                rect.height.saturating_sub(1),
                field(&prompt.text, &prompt.text, rect.width.saturating_sub(1))
                    .1
                    .saturating_add(1)
                    .min(rect.width.saturating_sub(1)),
            ),
            None => view.cursor,
        };
        return inside(row, col).map(|(x, y)| at(x, y));
    }
    if !pane.lives() {
        return None;
    }
    let cursor = pane.screen.as_ref()?.cursor;
    let window = Window::of(pane, rect);
    let first_row = u16::try_from(window.first_row).unwrap_or(u16::MAX);
    let (x, y) = cursor
        .row
        .checked_sub(first_row)
        .and_then(|row| inside(row, cursor.col))
        .filter(|(x, y)| window.rect.contains(*x, *y))?;
    Some(CursorAt {
        x,
        y,
        visible: cursor.visible,
        shape: cursor.shape,
        blinking: cursor.blinking,
    })
}

fn rect_of(model: &Model, id: TerminalId) -> Option<Rect> {
    let (_, rect) = model.visible().into_iter().find(|(pane, _)| *pane == id)?;
    Some(rect)
}
