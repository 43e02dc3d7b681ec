//! The launcher: its keys, and what it asks for in the end.

use std::path::PathBuf;

use super::open;
use crate::domain::action::{Action, Context};
use crate::domain::adapter::AgentName;
use crate::domain::budget::{Budget, nanodollars};
use crate::domain::chord::Chord;
use crate::domain::input::{KeyCode, KeyEvent};
use crate::domain::terminal::check_name;
use crate::tui::client::{Choosable, Launch, LaunchField, Launcher, Overlay};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;

/// Offers the agents; those that are not installed say so and cannot be started.
pub(super) fn offer(model: &mut Model, agents: Vec<(AgentName, bool)>) {
    let agents = agents
        .into_iter()
        .map(|(name, installed)| Choosable { name, installed });
    model.client.overlay = Some(Overlay::Launcher(Launcher::new(agents.collect())));
}

pub(super) fn key(model: &mut Model, key: &KeyEvent, now: Now, effects: &mut Vec<Effect>) {
    let does = Chord::of(key).and_then(|chord| model.options.keymap.lookup(Context::Dialog, chord));
    let code = key.on_us_layout().code;
    let Some(Overlay::Launcher(launcher)) = &mut model.client.overlay else {
        return;
    };
    match (does, code) {
        (Some(Action::DialogCancel), _) => model.client.overlay = None,
        (Some(Action::DialogAccept), _) => accept(model, now, effects),
        // Else than in a list they lead from field to field.
        (Some(Action::DialogNext), KeyCode::Tab) => launcher.turn(true),
        (Some(Action::DialogPrevious), KeyCode::Tab) => launcher.turn(false),
        (Some(Action::DialogNext), _) => launcher.step(true),
        (Some(Action::DialogPrevious), _) => launcher.step(false),
        _ => match (launcher.focused_mut(), key.code) {
            (Some(field), _) => {
                field.key(key);
            }
            (None, KeyCode::Char(first)) => launcher.choose_by(first),
            (None, _) => {}
        },
    }
}

fn accept(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    let Some(Overlay::Launcher(launcher)) = &model.client.overlay else {
        return;
    };
    match asked(launcher) {
        Ok(launch) => {
            model.client.overlay = None;
            open::agent(model, launch, effects);
        }
        Err(why) => model.session.messages.tell(Severity::Warning, why, now),
    }
}

/// Reads what was typed; why it cannot be done, where it cannot.
fn asked(launcher: &Launcher) -> Result<Launch, String> {
    let chosen = launcher.chosen().ok_or("there is no agent")?;
    if !chosen.installed {
        return Err(format!("{} is not installed", chosen.name));
    }
    let typed = |field| launcher.typed(field).map(str::to_owned);
    let name = typed(LaunchField::Name);
    if let Some(name) = &name {
        check_name(name).map_err(|error| error.to_string())?;
    }
    let budget = match launcher.typed(LaunchField::Budget) {
        None => None,
        Some(text) => {
            let sum = text.trim_start_matches('$').parse().ok();
            let sum = sum.and_then(nanodollars);
            Some(sum.ok_or("the budget must be a sum above 0 in US dollars, such as 2.50")?)
        }
    };
    Ok(Launch {
        agent: chosen.name.clone(),
        name,
        directory: typed(LaunchField::Directory).map(PathBuf::from),
        worktree: typed(LaunchField::Worktree),
        budget: Budget {
            nanodollars: budget,
            tokens: None,
        },
    })
}
