//! The mouse: focus by a click, dividers, tabs and lists, the wheel, selections, and programs that ask for it.

use std::time::Duration;

use super::redraw::Redraw;
use super::{confirm, copy, focus, overlay, providers};
use crate::domain::id::TerminalId;
use crate::domain::input::{Input, KeyCode, KeyEvent, Mods, MouseButton, MouseEvent, MouseKind};
use crate::domain::layout::Rect;
use crate::domain::screen::MouseMode;
use crate::tui::client::{Choice, Click, Drag, Overlay};
use crate::tui::copy::CopyEvent;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::now::Now;
use crate::tui::view;

/// Lines that one step of the wheel scrolls, as in most terminals.
const WHEEL_LINES: i32 = 3;
/// Presses at one place within this time make a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// Takes an event at a place of the whole screen.
pub(super) fn moved(
    model: &mut Model,
    event: MouseEvent,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    if !model.client.mouse || model.client.is_too_small() {
        return Redraw::Nothing;
    }
    if model.client.overlay.is_some() {
        return over_overlay(model, event, now, effects);
    }
    match (model.client.drag, event.kind) {
        (Some(drag), MouseKind::Drag(_) | MouseKind::Release(_)) => {
            return dragged(model, drag, event, now, effects);
        }
        // A press or a movement without a button means that the release was lost.
        (Some(_), MouseKind::Press(_) | MouseKind::Move) => model.client.drag = None,
        _ => {}
    }
    let (x, y) = (event.col, event.row);
    if let Some((id, rect)) = pane_at(model, x, y) {
        return over_pane(model, id, rect, event, now, effects);
    }
    let areas = model.areas();
    match event.kind {
        MouseKind::Press(MouseButton::Left) if areas.tabs.contains(x, y) => {
            if let Some(index) = view::tab_at(model, x) {
                focus::to_tab(model, index);
            }
        }
        MouseKind::Press(MouseButton::Left)
            if areas.providers.is_some_and(|area| area.contains(x, y)) =>
        {
            providers::open(model, effects);
        }
        MouseKind::WheelUp if areas.tabs.contains(x, y) => focus::step_tab(model, false),
        MouseKind::WheelDown if areas.tabs.contains(x, y) => focus::step_tab(model, true),
        MouseKind::Press(MouseButton::Left)
            if areas.sidebar.is_some_and(|area| area.contains(x, y)) =>
        {
            if let Some(id) = view::sidebar_pane_at(model, y) {
                focus::go_to(model, id);
            }
        }
        MouseKind::Press(MouseButton::Left) => {
            let on_divider = model.session.tab().is_some_and(|tab| {
                !tab.is_single()
                    && tab
                        .layout
                        .divider_at(model.layout_area(tab), x, y)
                        .is_some()
            });
            if on_divider {
                model.client.drag = Some(Drag::Divider { at: (x, y) });
            }
            return Redraw::Nothing;
        }
        _ => return Redraw::Nothing,
    }
    Redraw::All
}

fn pane_at(model: &Model, x: u16, y: u16) -> Option<(TerminalId, Rect)> {
    model
        .visible()
        .into_iter()
        .find(|(_, rect)| rect.contains(x, y))
}

fn over_pane(
    model: &mut Model,
    id: TerminalId,
    rect: Rect,
    event: MouseEvent,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    let mut redraw = Redraw::Nothing;
    let pressed = matches!(event.kind, MouseKind::Press(_));
    if pressed && model.session.focus() != Some(id) {
        focus::go_to(model, id);
        redraw = Redraw::All;
    }
    let Some(pane) = model.session.panes.get(&id) else {
        return redraw;
    };
    let copying = pane.copy.is_some();
    let lives = pane.lives();
    let (mouse, alternate, wheel_keys) =
        pane.screen
            .as_ref()
            .map_or((MouseMode::None, false, false), |screen| {
                (
                    screen.modes.mouse,
                    screen.alternate_screen,
                    screen.modes.alternate_scroll,
                )
            });
    let (row, col) = (event.row - rect.y, event.col - rect.x);
    if !copying && lives && mouse != MouseMode::None && !event.mods.contains(Mods::SHIFT) {
        if pressed {
            model.client.drag = Some(Drag::Program { id });
        }
        effects.push(Effect::Input(
            id,
            Input::Mouse(MouseEvent { row, col, ..event }),
        ));
        return redraw;
    }
    match event.kind {
        MouseKind::WheelUp | MouseKind::WheelDown => {
            let up = event.kind == MouseKind::WheelUp;
            if !copying && alternate {
                if wheel_keys && lives {
                    wheel_as_keys(id, up, effects);
                }
                return redraw;
            }
            wheel(model, id, up, now, effects)
        }
        MouseKind::Press(MouseButton::Left) => {
            press(model, id, (row, col), (event.col, event.row), now, effects);
            Redraw::All
        }
        _ => redraw,
    }
}

/// The wheel over a program with a screen of its own that did not ask for the mouse (mode 1007).
fn wheel_as_keys(id: TerminalId, up: bool, effects: &mut Vec<Effect>) {
    let code = if up { KeyCode::Up } else { KeyCode::Down };
    for _ in 0..WHEEL_LINES {
        let key = KeyEvent::press(code, Mods::NONE);
        effects.push(Effect::Input(id, Input::Key(key)));
    }
}

/// Scrolls through history; the way down to the newest line leads out again.
fn wheel(
    model: &mut Model,
    id: TerminalId,
    up: bool,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    let copying = |model: &Model| {
        model
            .session
            .panes
            .get(&id)
            .is_some_and(|p| p.copy.is_some())
    };
    if !copying(model) {
        if !up || !copy::enter_in(model, id, now, effects) {
            return Redraw::Nothing;
        }
        if let Some(pane) = model.session.panes.get_mut(&id) {
            pane.wheeled = true;
        }
    }
    let lines = if up { -WHEEL_LINES } else { WHEEL_LINES };
    copy::tell(model, id, CopyEvent::Wheel(lines), now, effects);
    if let Some(pane) = model.session.panes.get_mut(&id)
        && pane.wheeled
        && !up
        && pane
            .copy
            .as_ref()
            .is_some_and(|mode| mode.view().indicator.starts_with("[0/"))
    {
        pane.copy = None;
    }
    Redraw::All
}

fn press(
    model: &mut Model,
    id: TerminalId,
    (row, col): (u16, u16),
    at: (u16, u16),
    now: Now,
    effects: &mut Vec<Effect>,
) {
    let count = match model.client.click {
        Some(click) if click.at == at && now.instant < click.when + DOUBLE_CLICK => {
            click.count % 3 + 1
        }
        _ => 1,
    };
    model.client.click = Some(Click {
        at,
        when: now.instant,
        count,
    });
    let copying = model
        .session
        .panes
        .get(&id)
        .is_some_and(|p| p.copy.is_some());
    let event = match count {
        1 if !copying => {
            model.client.drag = Some(Drag::Press { id, at: (row, col) });
            return;
        }
        1 => CopyEvent::Press { row, col },
        2 => CopyEvent::SelectWord { row, col },
        _ => CopyEvent::SelectLine { row },
    };
    if copy::enter_in(model, id, now, effects) {
        copy::tell(model, id, event, now, effects);
        model.client.drag = Some(Drag::Selection { id });
    }
}

fn dragged(
    model: &mut Model,
    drag: Drag,
    event: MouseEvent,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    let released = matches!(event.kind, MouseKind::Release(_));
    if released {
        model.client.drag = None;
    }
    match drag {
        Drag::Divider { at } => {
            if released {
                return Redraw::Nothing;
            }
            let Some(area) = model.session.tab().map(|tab| model.layout_area(tab)) else {
                return Redraw::Nothing;
            };
            let Some(tab) = model.session.tab_mut() else {
                return Redraw::Nothing;
            };
            let to = (event.col, event.row);
            model.client.drag = tab
                .layout
                .drag_divider(area, at, to)
                .map(|at| Drag::Divider { at });
            Redraw::All
        }
        Drag::Program { id } => {
            if let Some(rect) = rect_of(model, id) {
                let (row, col) = clamp_into(rect, event);
                effects.push(Effect::Input(
                    id,
                    Input::Mouse(MouseEvent { row, col, ..event }),
                ));
            }
            Redraw::Nothing
        }
        Drag::Press { id, at: (row, col) } => {
            if released || !copy::enter_in(model, id, now, effects) {
                return Redraw::Nothing;
            }
            copy::tell(model, id, CopyEvent::Press { row, col }, now, effects);
            model.client.drag = Some(Drag::Selection { id });
            select_to(model, id, event, now, effects);
            Redraw::All
        }
        Drag::Selection { id } => {
            if released {
                copy::tell(model, id, CopyEvent::Release, now, effects);
            } else {
                select_to(model, id, event, now, effects);
            }
            Redraw::All
        }
    }
}

fn select_to(
    model: &mut Model,
    id: TerminalId,
    event: MouseEvent,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    if let Some(rect) = rect_of(model, id) {
        let row = i32::from(event.row) - i32::from(rect.y);
        let (_, col) = clamp_into(rect, event);
        copy::tell(model, id, CopyEvent::Drag { row, col }, now, effects);
    }
}

fn rect_of(model: &Model, id: TerminalId) -> Option<Rect> {
    let rect = model.visible().into_iter().find(|(pane, _)| *pane == id)?.1;
    (!rect.is_empty()).then_some(rect)
}

/// Row and column within an area, at its edge for what lies outside.
fn clamp_into(rect: Rect, event: MouseEvent) -> (u16, u16) {
    let within =
        |at: u16, start: u16, length: u16| at.saturating_sub(start).min(length.saturating_sub(1));
    (
        within(event.row, rect.y, rect.height),
        within(event.col, rect.x, rect.width),
    )
}

fn over_overlay(
    model: &mut Model,
    event: MouseEvent,
    now: Now,
    effects: &mut Vec<Effect>,
) -> Redraw {
    model.client.drag = None;
    let down = match event.kind {
        MouseKind::WheelUp => Some(false),
        MouseKind::WheelDown => Some(true),
        _ => None,
    };
    if let Some(down) = down {
        overlay::wheel(model, down, effects);
        return Redraw::All;
    }
    if event.kind != MouseKind::Press(MouseButton::Left) {
        return Redraw::Nothing;
    }
    match view::overlay_hit(model, event.col, event.row) {
        view::Hit::Outside | view::Hit::Button(Choice::No) => model.client.overlay = None,
        view::Hit::Inside => return Redraw::Nothing,
        view::Hit::Entry(index) => {
            if let Some(Overlay::Picker(picker)) = &mut model.client.overlay {
                picker.select(index);
            }
            overlay::accept_choice(model, now, effects);
        }
        view::Hit::Button(Choice::Yes) => confirm::resolve(model, now, effects),
    }
    Redraw::All
}
