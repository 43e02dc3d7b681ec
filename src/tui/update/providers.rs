//! Providers: what is told of them, the panel's keys, and the keys that steer them from anywhere.

use std::path::PathBuf;
use std::sync::Arc;

use super::redraw::Redraw;
use super::scroll::{self, Growth};
use crate::domain::action::{Action, Context};
use crate::domain::breaker::BreakerState;
use crate::domain::chord::Chord;
use crate::domain::moment::Span;
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::ProfileName;
use crate::domain::route::{DEFAULT_HOLD, Done, PlanNews, RouterCommand, RouterEvent, Substitute};
use crate::domain::usage::RequestTries;
use crate::providers::{ProviderEvent, ProvidersStatus, SteerError};
use crate::supervise::ProcessEvent;
use crate::tui::client::{Overlay, Page, Panel};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;
use crate::tui::view;

/// Takes in how the providers stand, and the last requests of the one whose details are open.
pub(super) fn on_status(
    model: &mut Model,
    status: Arc<ProvidersStatus>,
    requests: Option<(ProfileName, Vec<RequestTries>)>,
    now: Now,
) -> Redraw {
    let before = model.providers.status();
    // What agents cost stands beside them.
    let has_spent = before.is_none_or(|before| before.accounts != status.accounts);
    model.providers.see(status, now.instant);
    if let Some(Overlay::Providers(panel)) = &mut model.client.overlay
        && let Page::Details {
            requests: shown, ..
        } = &mut panel.page
        && let Some((name, requests)) = requests
        && panel.selected.as_ref() == Some(&name)
    {
        *shown = requests;
    }
    if has_spent || model.shows_providers() {
        Redraw::All
    } else {
        Redraw::Nothing
    }
}

/// Looks again where a countdown has come to its next second.
pub(super) fn tick(model: &Model, now: Now, effects: &mut Vec<Effect>) {
    let due = model.providers.next_change();
    if model.shows_providers() && due.is_some_and(|due| due <= now.instant) {
        effects.push(Effect::LookAtProviders);
    }
}

/// Tells what happened; only what needs somebody's eye as a toast.
pub(super) fn on_event(model: &mut Model, event: &ProviderEvent, now: Now) {
    let severity = match event {
        ProviderEvent::Router(RouterEvent::Breaker { transition, .. })
            if transition.to == BreakerState::Open =>
        {
            Severity::Warning
        }
        ProviderEvent::Router(
            RouterEvent::Exhausted { .. }
            | RouterEvent::Rejected { .. }
            | RouterEvent::Cooling { .. }
            | RouterEvent::Plan { .. }
            | RouterEvent::PassedOver { .. }
            | RouterEvent::Moved { to: None, .. },
        )
        | ProviderEvent::Server(ProcessEvent::Crashed { .. }) => Severity::Warning,
        _ => Severity::Info,
    };
    let text = match event {
        ProviderEvent::Router(RouterEvent::Plan {
            profile,
            news,
            substitute,
            ..
        }) => plan_news(model, profile, news, substitute.as_ref(), now),
        event => event.to_string(),
    };
    let moved = matches!(
        event,
        ProviderEvent::Router(RouterEvent::Moved { .. }) | ProviderEvent::Server(_)
    );
    // What cools a profile down or takes it out is told already; the line of the last event says who took over.
    let told = matches!(
        event,
        ProviderEvent::Router(RouterEvent::PassedOver {
            kind: ErrorKind::RateLimited,
            ..
        })
    );
    if !told && (severity == Severity::Warning || moved) {
        model.session.messages.tell(severity, text, now);
    } else {
        model.session.messages.note(severity, text, now);
    }
}

/// What is new of a plan, and what its user can do about it.
fn plan_news(
    model: &Model,
    profile: &ProfileName,
    news: &PlanNews,
    substitute: Option<&Substitute>,
    now: Now,
) -> String {
    let options = &model.options;
    match (news, substitute) {
        (PlanNews::UsedUp(used_up), Some(substitute)) => {
            let until = view::until_text(options, used_up, now.wall);
            let who = view::substitute_text(options, substitute);
            format!("{profile} is used up {until}: {who}")
        }
        (PlanNews::UsedUp(used_up), None) => {
            let until = view::until_text(options, used_up, now.wall);
            format!("{profile} is used up {until}")
        }
        (
            PlanNews::NearEnd {
                window,
                percent,
                resets_at,
            },
            _,
        ) => {
            let resets = resets_at.map_or(String::new(), |at| {
                format!(", begins anew at {}", options.coming(at, now.wall))
            });
            format!("{profile}: {percent} % of {window} is used{resets}")
        }
    }
}

/// Tells what became of a command.
pub(super) fn steered(
    model: &mut Model,
    command: &RouterCommand,
    result: Result<Done, SteerError>,
    now: Now,
) {
    let done = match result {
        Ok(done) => done,
        Err(error) => {
            model
                .session
                .messages
                .tell(Severity::Error, error.to_string(), now);
            return;
        }
    };
    let name = done.profile.as_ref().map_or("nobody", ProfileName::as_str);
    let text = match command {
        RouterCommand::Failover { .. } => match done.held_for {
            Some(held) => format!("{name} is held for {}", Span(held)),
            None => format!("{name}'s requests may cost money until its plan is back"),
        },
        RouterCommand::Pin(_) => format!("{name} is pinned"),
        RouterCommand::Unpin => format!("{name} is no longer pinned"),
        RouterCommand::Reset(_) => format!("{name} is reset"),
        RouterCommand::Restart(_) => format!("{name} is restarted"),
        RouterCommand::Enable(_) => format!("{name} is enabled"),
        RouterCommand::Disable(_) => format!("{name} is disabled"),
    };
    let is_consent = matches!(command, RouterCommand::Failover { .. }) && done.held_for.is_none();
    let goes = match &done.active {
        // The others' requests go where they went.
        _ if is_consent => String::new(),
        Some(active) => format!("; requests go to {active}"),
        None => "; nobody can take requests".to_owned(),
    };
    let text = format!("{text}{goes}");
    model.session.messages.tell(Severity::Info, text, now);
}

/// Shows what a server has written.
pub(super) fn output(
    model: &mut Model,
    name: &ProfileName,
    log: Option<(PathBuf, Vec<String>)>,
    now: Now,
) {
    let Some(Overlay::Providers(panel)) = &mut model.client.overlay else {
        return;
    };
    if panel.selected.as_ref() != Some(name) {
        return;
    }
    if let Some((file, lines)) = log {
        panel.page = Page::Output {
            file: Some(file),
            lines,
            scroll: 0,
        };
    } else {
        let text = format!("{name}: tundra runs no server for it");
        model.session.messages.tell(Severity::Info, text, now);
    }
}

/// Moves requests on to the next provider.
pub(super) fn fail_over(effects: &mut Vec<Effect>) {
    steer(
        RouterCommand::Failover {
            from: None,
            hold: DEFAULT_HOLD,
        },
        effects,
    );
}

/// Opens the panel with the provider that requests go to.
pub(super) fn open(model: &mut Model, effects: &mut Vec<Effect>) {
    let active = model.providers.each().find(|(provider, _)| provider.active);
    let first = active.or_else(|| model.providers.each().next());
    let selected = first.map(|(provider, _)| provider.profile.name.clone());
    open_at(model, selected, effects);
}

/// Restarts the one provider that is stuck, or the only one; of several the user chooses one in the panel.
pub(super) fn restart(model: &mut Model, effects: &mut Vec<Effect>) {
    let stuck: Vec<ProfileName> = model
        .providers
        .stuck()
        .iter()
        .map(|provider| provider.profile.name.clone())
        .collect();
    let only = (model.providers.len() == 1)
        .then(|| model.providers.each().next())
        .flatten()
        .map(|(provider, _)| provider.profile.name.clone());
    match (stuck.as_slice(), only) {
        ([name], _) => steer(RouterCommand::Restart(name.clone()), effects),
        (_, Some(name)) => steer(RouterCommand::Restart(name), effects),
        ([first, ..], None) => open_at(model, Some(first.clone()), effects),
        ([], None) => open(model, effects),
    }
}

fn open_at(model: &mut Model, selected: Option<ProfileName>, effects: &mut Vec<Effect>) {
    model.client.overlay = Some(Overlay::Providers(Panel {
        selected,
        page: Page::List,
    }));
    effects.push(Effect::LookForServers);
    effects.push(Effect::LookAtStore);
    effects.push(Effect::LookAtProviders);
}

/// A key while the panel is open.
pub(super) fn key(model: &mut Model, chord: Chord, effects: &mut Vec<Effect>) {
    let Some(action) = model.options.keymap.lookup(Context::Providers, chord) else {
        return;
    };
    perform(model, action, effects);
}

/// The wheel over the panel.
pub(super) fn wheel(model: &mut Model, down: bool, effects: &mut Vec<Effect>) {
    let action = if down {
        Action::PanelNext
    } else {
        Action::PanelPrevious
    };
    perform(model, action, effects);
}

fn perform(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    let Some(Overlay::Providers(panel)) = &model.client.overlay else {
        return;
    };
    let is_list = panel.page == Page::List;
    let selected = panel.selected.clone();
    match action {
        Action::PanelBack if is_list => model.client.overlay = None,
        Action::PanelBack => turn_to(model, Page::List),
        Action::PanelNext | Action::PanelPrevious if is_list => {
            step(model, action == Action::PanelNext);
        }
        Action::PanelNext | Action::PanelPrevious | Action::PanelPageDown | Action::PanelPageUp => {
            scroll(model, action);
        }
        Action::PanelDetails => {
            if is_list && selected.is_some() {
                let requests = Vec::new();
                turn_to(
                    model,
                    Page::Details {
                        requests,
                        scroll: 0,
                    },
                );
                effects.push(Effect::LookAtProviders);
            } else {
                turn_to(model, Page::List);
            }
        }
        Action::PanelOutput => effects.extend(selected.map(Effect::ServerOutput)),
        _ => {
            let command = selected.and_then(|name| command(model, action, name));
            if let Some(command) = command {
                steer(command, effects);
            }
        }
    }
}

/// What a key of the panel does with a provider.
fn command(model: &Model, action: Action, name: ProfileName) -> Option<RouterCommand> {
    let provider = model.providers.named(&name)?;
    Some(match action {
        Action::PanelFailOver => RouterCommand::Failover {
            from: Some(name),
            hold: DEFAULT_HOLD,
        },
        Action::PanelRestart => RouterCommand::Restart(name),
        Action::PanelReset => RouterCommand::Reset(name),
        Action::PanelToggle if provider.enabled => RouterCommand::Disable(name),
        Action::PanelToggle => RouterCommand::Enable(name),
        Action::PanelPin if provider.pinned => RouterCommand::Unpin,
        Action::PanelPin => RouterCommand::Pin(name),
        _ => return None,
    })
}

pub(super) fn steer(command: RouterCommand, effects: &mut Vec<Effect>) {
    effects.push(Effect::Steer(command));
}

fn turn_to(model: &mut Model, page: Page) {
    if let Some(Overlay::Providers(panel)) = &mut model.client.overlay {
        panel.page = page;
    }
}

/// Chooses the next provider or the one before, up to the ends.
fn step(model: &mut Model, down: bool) {
    let names: Vec<ProfileName> = model
        .providers
        .each()
        .map(|(provider, _)| provider.profile.name.clone())
        .collect();
    let Some(Overlay::Providers(panel)) = &mut model.client.overlay else {
        return;
    };
    let at = names
        .iter()
        .position(|name| Some(name) == panel.selected.as_ref())
        .unwrap_or(0);
    let next = if down { at + 1 } else { at.saturating_sub(1) };
    let last = names.len().saturating_sub(1);
    panel.selected = names.get(next.min(last)).cloned();
}

fn scroll(model: &mut Model, action: Action) {
    let limit = view::overlay_scroll_limit(model);
    let Some(Overlay::Providers(panel)) = &mut model.client.overlay else {
        return;
    };
    let does = match action {
        Action::PanelNext => Action::DialogNext,
        Action::PanelPrevious => Action::DialogPrevious,
        Action::PanelPageDown => Action::DialogPageDown,
        _ => Action::DialogPageUp,
    };
    match &mut panel.page {
        Page::List => {}
        Page::Details { scroll: at, .. } => {
            scroll::scroll(at, does, Growth::Down, limit);
        }
        Page::Output { scroll: at, .. } => scroll::scroll(at, does, Growth::Up, limit),
    }
}
