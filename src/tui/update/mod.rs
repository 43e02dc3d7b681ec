//! What each message does: a function of model and message that returns effects and touches nothing else.
//!
//! One file per matter. The clock is an argument. After every message the sizes that panes should have and the pane
//! that has the focus are told where they changed, so that no other place has to think of it.

mod action;
mod address;
mod ask;
mod confirm;
mod copy;
mod end;
mod focus;
mod forward;
mod journal;
mod key;
mod launcher;
mod log_view;
mod mouse;
mod open;
mod overlay;
mod overview;
mod paste;
mod picker;
mod place;
mod providers;
mod redraw;
mod report;
mod scroll;
mod sizes;
mod terminal;

use super::client::{LIST_AFTER, Mode, Overlay};
use super::effect::Effect;
use super::input::{InputEvent, Reply};
use super::model::Model;
use super::msg::Msg;
use super::notice::Prominence;
use super::notice::Severity;
use super::now::Now;
use crate::pane::PaneError;

pub use open::{command, first, gather, offer};
pub use place::{away, shown};
pub use redraw::Redraw;

/// Takes a message in.
pub fn update(model: &mut Model, msg: Msg, now: Now, effects: &mut Vec<Effect>) -> Redraw {
    let mut redraw = apply(model, msg, now, effects);
    if overview::keep_time(model, now, effects) {
        redraw = Redraw::All;
    }
    if redraw == Redraw::All {
        sizes::tell(model, effects);
        focus::tell(model, effects);
    }
    redraw
}

fn apply(model: &mut Model, msg: Msg, now: Now, effects: &mut Vec<Effect>) -> Redraw {
    match msg {
        Msg::Input(event) => return input(model, event, now, effects),
        Msg::Screen(id, screen) => return copy::screen(model, id, screen, now, effects),
        Msg::Rows(id, rows) => return copy::rows(model, id, rows, now, effects),
        Msg::Places(id, places) => copy::places(model, id, places, now, effects),
        Msg::Found(id, number, hit) => copy::found(model, id, number, hit, now, effects),
        Msg::Resized(cols, rows) => model.client.size = (cols, rows),
        Msg::Opened {
            place,
            spec,
            result,
        } => open::opened(model, place, *spec, result, now, effects),
        Msg::Terminal(event, info) => {
            return terminal::on_event(model, event, info, now, effects);
        }
        Msg::Listed(list) => terminal::listed(model, list, now, effects),
        Msg::Gauge(gauge) => {
            if model.gauge == gauge {
                return Redraw::Nothing;
            }
            model.gauge = gauge;
        }
        Msg::Program(id, program) => {
            let Some(pane) = model.session.panes.get_mut(&id) else {
                return Redraw::Nothing;
            };
            if pane.program.as_ref() == Some(&program) {
                return Redraw::Nothing;
            }
            pane.program = Some(program);
        }
        Msg::Refused(id, error) => refused(model, id, &error, now),
        Msg::Agents(agents) => launcher::offer(model, agents),
        Msg::Options(options, theme) => {
            if model.options.mouse != options.mouse {
                model.client.mouse = options.mouse;
            }
            model.options = options;
            model.client.theme = theme;
        }
        Msg::Notice(notice) => match notice.prominence {
            Prominence::Toast => model
                .session
                .messages
                .tell(notice.severity, notice.text, now),
            Prominence::LastEvent => {
                model
                    .session
                    .messages
                    .note(notice.severity, notice.text, now);
            }
        },
        Msg::Address(id, result) => address::given(model, id, result, effects),
        Msg::Providers(status, requests) => {
            return providers::on_status(model, status, requests, now);
        }
        Msg::ProviderEvent(event) => providers::on_event(model, &event, now),
        Msg::Steered(command, result) => {
            providers::steered(model, &command, result, now);
            // The next key is pressed by what its user has just been told.
            effects.push(Effect::LookAtProviders);
        }
        Msg::Store(status) => {
            model.store = Some(*status);
            // Only the panel and the view of the journal show it.
            match model.client.overlay {
                Some(Overlay::Providers(_) | Overlay::Journal(_)) => {}
                _ => return Redraw::Nothing,
            }
        }
        Msg::JournalWritten => {
            journal::written(model, now, effects);
            return Redraw::Nothing;
        }
        Msg::Journal {
            number,
            status,
            contents,
        } => journal::read(model, number, *status, contents, now),
        Msg::LogRead(lines) => log_view::read(model, lines, now),
        Msg::Examined(checks) => report::examined(model, checks),
        Msg::ServerOutput(name, log) => providers::output(model, &name, log, now),
        Msg::AgentLooks(looks) => return overview::seen(model, looks),
        Msg::AgentNotice(notice) => terminal::agent_notice(model, notice, now, effects),
        Msg::Tick => {
            providers::tick(model, now, effects);
            journal::tick(model, now, effects);
            log_view::tick(model, now, effects);
            return tick(model, now);
        }
    }
    Redraw::All
}

fn input(model: &mut Model, event: InputEvent, now: Now, effects: &mut Vec<Effect>) -> Redraw {
    match event {
        InputEvent::Key(event) => key::on_key(model, event, now, effects),
        InputEvent::Mouse(event) => mouse::moved(model, event, now, effects),
        InputEvent::Paste(text) => {
            paste::pasted(model, text, now, effects);
            Redraw::All
        }
        InputEvent::Text(text) => paste::typed(model, text, now, effects),
        InputEvent::Focus(focused) => {
            model.client.outer_focused = focused;
            Redraw::All
        }
        InputEvent::Reply(Reply::Keyboard(_)) => {
            model.client.keyboard = true;
            Redraw::Panes
        }
        InputEvent::Reply(Reply::DeviceAttributes | Reply::Background(..)) | InputEvent::Closed => {
            Redraw::Nothing
        }
    }
}

fn tick(model: &mut Model, now: Now) -> Redraw {
    let mut changed = model.session.messages.expire(now.instant);
    match model.client.mode {
        Mode::Prefix {
            since,
            listed: false,
        } if now.instant >= since + LIST_AFTER => {
            model.client.mode = Mode::Prefix {
                since,
                listed: true,
            };
            changed = true;
        }
        Mode::Repeat { until } if now.instant >= until => {
            model.client.mode = Mode::Normal;
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
    let name = model
        .session
        .panes
        .get(&id)
        .map_or("pane", |pane| pane.name());
    // A pane that just ended says so itself.
    if !matches!(error, PaneError::Dead(_) | PaneError::NotFound(_)) {
        let text = format!("{name}: {error}");
        model.session.messages.tell(Severity::Warning, text, now);
    }
}
