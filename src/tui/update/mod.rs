//! What each message does: a function of model and message that returns effects and touches nothing else.
//!
//! One file per matter. The clock is an argument. After every message the sizes that panes should have and the pane
//! that has the focus are told where they changed, so that no other place has to think of it.

mod action;
mod address;
mod copy;
mod focus;
mod key;
mod mouse;
mod open;
mod overlay;
mod paste;
mod picker;
mod providers;
mod terminal;

use std::time::Duration;

use super::effect::Effect;
use super::input::{InputEvent, Reply};
use super::model::{Mode, Model, Now, Severity};
use super::msg::Msg;
use super::run::Prominence;
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::domain::terminal::Owner;
use crate::pane::PaneError;

pub use open::first;
pub use providers::are_visible as providers_are_visible;

/// After the prefix the keys are listed once the user hesitates for so long.
pub const LIST_AFTER: Duration = Duration::from_millis(400);

/// What has to be drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Redraw {
    Nothing,
    /// Rows of panes.
    Panes,
    All,
}

/// Takes a message in.
pub fn update(model: &mut Model, msg: Msg, now: Now, effects: &mut Vec<Effect>) -> Redraw {
    let redraw = apply(model, msg, now, effects);
    if redraw == Redraw::All {
        tell_sizes(model, effects);
        focus::tell(model, effects);
    }
    redraw
}

fn apply(model: &mut Model, msg: Msg, now: Now, effects: &mut Vec<Effect>) -> Redraw {
    match msg {
        Msg::Input(event) => return input(model, event, now, effects),
        Msg::Screen(id, screen) => return copy::screen(model, id, screen, now, effects),
        Msg::Rows(id, rows) => return copy::rows(model, id, rows, now, effects),
        Msg::Found(id, number, hit) => copy::found(model, id, number, hit, now, effects),
        Msg::Resized(cols, rows) => model.size = (cols, rows),
        Msg::Opened {
            place,
            spec,
            result,
        } => open::opened(model, place, *spec, result, now, effects),
        Msg::Terminal(event, info) => terminal::happened(model, event, info, now, effects),
        Msg::Listed(list) => terminal::listed(model, list, now, effects),
        Msg::Gauge(gauge) => {
            if model.gauge == gauge {
                return Redraw::Nothing;
            }
            model.gauge = gauge;
        }
        Msg::Refused(id, error) => refused(model, id, &error, now),
        Msg::Agents(agents) => picker::offer_agents(model, &agents),
        Msg::Options(options, theme) => {
            if model.options.mouse != options.mouse {
                model.mouse = options.mouse;
            }
            model.options = options;
            model.theme = theme;
        }
        Msg::Notice(notice) => match notice.prominence {
            Prominence::Toast => model.messages.tell(notice.severity, notice.text, now),
            Prominence::LastEvent => {
                model.messages.note(notice.severity, notice.text, now);
            }
        },
        Msg::Address(id, result) => address::given(model, id, result, effects),
        Msg::Providers(status, attempts) => {
            return providers::seen(model, status, attempts, now);
        }
        Msg::ProviderEvent(event) => providers::happened(model, &event, now),
        Msg::Steered(command, result) => {
            providers::steered(model, &command, result, now);
            // The next key is struck by what its user has just been told.
            effects.push(Effect::LookAtProviders);
        }
        Msg::ServerOutput(name, log) => providers::output(model, &name, log, now),
        Msg::Tick => {
            providers::tick(model, now, effects);
            return tick(model, now);
        }
    }
    Redraw::All
}

fn input(model: &mut Model, event: InputEvent, now: Now, effects: &mut Vec<Effect>) -> Redraw {
    match event {
        InputEvent::Key(event) => key::struck(model, event, now, effects),
        InputEvent::Mouse(event) => mouse::moved(model, event, now, effects),
        InputEvent::Paste(text) => {
            paste::pasted(model, text, now, effects);
            Redraw::All
        }
        InputEvent::Text(text) => paste::typed(model, text, now, effects),
        InputEvent::Focus(focused) => {
            model.outer_focused = focused;
            Redraw::All
        }
        InputEvent::Reply(Reply::Keyboard(_)) => {
            model.keyboard = true;
            Redraw::Panes
        }
        InputEvent::Reply(Reply::DeviceAttributes | Reply::Background(..)) | InputEvent::Closed => {
            Redraw::Nothing
        }
    }
}

fn tick(model: &mut Model, now: Now) -> Redraw {
    let mut changed = model.messages.expire(now.instant);
    match model.mode {
        Mode::Prefix {
            since,
            listed: false,
        } if now.instant >= since + LIST_AFTER => {
            model.mode = Mode::Prefix {
                since,
                listed: true,
            };
            changed = true;
        }
        Mode::Repeat { until } if now.instant >= until => {
            model.mode = Mode::Normal;
            changed = true;
        }
        _ => {}
    }
    if changed {
        Redraw::All
    } else {
        Redraw::Nothing
    }
}

fn refused(model: &mut Model, id: crate::domain::id::TerminalId, error: &PaneError, now: Now) {
    let name = model.panes.get(&id).map_or("pane", |pane| pane.name());
    // A pane that just ended says so itself.
    if !matches!(error, PaneError::Dead(_) | PaneError::NotFound(_)) {
        let text = format!("{name}: {error}");
        model.messages.tell(Severity::Warning, text, now);
    }
}

/// Tells every pane the size it has on the screen, or would have if its tab were shown.
fn tell_sizes(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.is_too_small() {
        return;
    }
    for (id, _) in model.visible() {
        if let Some(pane) = model.panes.get_mut(&id) {
            pane.was_shown = true;
        }
    }
    let wanted: Vec<_> = model
        .tabs
        .iter()
        .flat_map(|tab| model.rects_of(tab))
        .collect();
    for (id, rect) in wanted {
        let size = Size::clamped(rect.width, rect.height);
        let Some(pane) = model.panes.get_mut(&id) else {
            continue;
        };
        // One of the front end's own is known as such; another one has to hear once that it is shown here.
        let known = pane.told || pane.info.owner == Owner::Front;
        if pane.size == size && known || !pane.follows_size() {
            continue;
        }
        pane.size = size;
        pane.told = true;
        if pane.ended.is_none() {
            effects.push(Effect::Resize(id, size));
        }
        copy::resized(pane, size, effects);
    }
}

/// Sends input to the focused pane, if it lives.
fn forward(model: &Model, input: Input, effects: &mut Vec<Effect>) {
    if let Some(pane) = model.focused()
        && pane.ended.is_none()
    {
        effects.push(Effect::Input(pane.info.id, input));
    }
}
