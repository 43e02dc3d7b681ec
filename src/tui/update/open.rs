//! New terminals: asking for them and finding them a place.

use std::path::PathBuf;

use super::{end, focus};
use crate::domain::budget::Budget;
use crate::domain::id::TerminalId;
use crate::domain::layout::{Axis, Rect};
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalInfo, TerminalSpec};
use crate::pane::PaneError;
use crate::tui::client::Launch;
use crate::tui::effect::{Effect, Placement};
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;
use crate::tui::services::First;
use crate::tui::session::{Pane, Tab, Waiting};

/// Edits a file and takes it away. The variables may hold arguments too.
const EDIT: &str = r#"${VISUAL:-${EDITOR:-vi}} "$1"; code=$?; rm -f -- "$1"; exit $code"#;

/// Asks for the terminals to begin with, each in a tab of its own.
pub fn first(model: &mut Model, first: First, effects: &mut Vec<Effect>) {
    let area = model.areas().panes;
    let wanted: Vec<(Placement, TerminalSpec)> = match first {
        First::Only(spec) => vec![(Placement::Only, *spec)],
        First::Panes(specs) => (0..).map(Placement::Start).zip(specs).collect(),
    };
    for (place, spec) in wanted {
        ask(
            model,
            place,
            TerminalSpec {
                size: size_of(area),
                gateway: true,
                owner: Owner::Front,
                ..spec
            },
            effects,
        );
    }
}

/// Asks for what a terminal that shows the session was started with, in a tab of its own. Where it cannot be started the
/// terminal is left.
pub fn command(
    model: &mut Model,
    command: Vec<String>,
    cwd: Option<PathBuf>,
    effects: &mut Vec<Effect>,
) {
    let spec = TerminalSpec {
        command,
        cwd,
        ..shell(size_of(model.areas().panes))
    };
    ask(model, Placement::Only, spec, effects);
}

pub(super) fn tab(model: &mut Model, effects: &mut Vec<Effect>) {
    let spec = shell(size_of(model.areas().panes));
    ask(model, Placement::Tab, spec, effects);
}

/// Splits the focused pane.
pub(super) fn split(model: &mut Model, axis: Axis, effects: &mut Vec<Effect>) {
    let Some(tab) = model.session.tab_mut() else {
        return;
    };
    tab.zoomed = false;
    let target = tab.focus;
    let Some(tab) = model.session.tab() else {
        return;
    };
    let area = tab
        .layout
        .rect_of(target, model.layout_area(tab))
        .unwrap_or_default();
    // About what it will have; it is told exactly once it has its place.
    let half = match axis {
        Axis::Horizontal => Rect::new(0, 0, area.width / 2, area.height),
        Axis::Vertical => Rect::new(0, 0, area.width, area.height / 2),
    };
    let spec = shell(size_of(half));
    ask(model, Placement::Split(target, axis), spec, effects);
}

/// Runs what was typed as a command, in a tab of its own.
pub(super) fn typed(model: &mut Model, text: String, effects: &mut Vec<Effect>) {
    let name = text.split_whitespace().next().map(str::to_owned);
    let mut command = model.options.shell.clone();
    command.extend(["-c".to_owned(), text]);
    let spec = TerminalSpec {
        name,
        command,
        ..shell(size_of(model.areas().panes))
    };
    ask(model, Placement::Tab, spec, effects);
}

/// Opens an editor on the focused pane's screen and history, in a tab of its own.
pub(super) fn history(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(pane) = model.session.focused() else {
        return;
    };
    let id = pane.info.id;
    let spec = TerminalSpec {
        name: Some(format!("history of {}", pane.name())),
        command: ["sh", "-c", EDIT, "sh"].map(str::to_owned).to_vec(),
        ..shell(size_of(model.areas().panes))
    };
    model.session.opening += 1;
    effects.push(Effect::EditHistory(id, Box::new(spec)));
}

pub(super) fn agent(model: &mut Model, launch: Launch, effects: &mut Vec<Effect>) {
    let spec = TerminalSpec {
        agent: Some(launch.agent),
        name: launch.name,
        cwd: launch.directory,
        budget: launch.budget,
        ..shell(size_of(model.areas().panes))
    };
    match launch.worktree {
        None => ask(model, Placement::Tab, spec, effects),
        Some(branch) => {
            model.session.opening += 1;
            let near = model.session.focus();
            effects.push(Effect::OpenInWorktree(Box::new(spec), branch, near));
        }
    }
}

/// Starts an ended pane's program once more, in its place.
pub(super) fn again(model: &mut Model, id: TerminalId, effects: &mut Vec<Effect>) {
    let Some(pane) = model
        .session
        .panes
        .get_mut(&id)
        .filter(|pane| !pane.restarting)
    else {
        return;
    };
    pane.restarting = true;
    let spec = TerminalSpec {
        size: pane.size,
        ..pane.again()
    };
    ask(model, Placement::Instead(id), spec, effects);
}

/// Runs everything again that waits.
pub(super) fn all_again(model: &mut Model, effects: &mut Vec<Effect>) {
    for id in model.session.waiting() {
        again(model, id, effects);
    }
}

/// Offers what a new instance would start, where there is nothing to show.
pub fn offer(model: &mut Model, first: First) {
    let specs = match first {
        First::Only(spec) => vec![*spec],
        First::Panes(specs) => specs,
    };
    for spec in specs {
        let id = TerminalId::random();
        let spec = TerminalSpec {
            owner: Owner::Front,
            ..spec
        };
        let waiting = Waiting {
            since: None,
            lost_variables: Vec::new(),
        };
        model
            .session
            .panes
            .insert(id, Pane::waiting(id, spec, waiting));
        model.session.tabs.push(Tab::new(id));
    }
}

/// Puts a terminal that was asked for in its place, or says why there is none.
pub(super) fn opened(
    model: &mut Model,
    place: Placement,
    spec: TerminalSpec,
    result: Result<Box<TerminalInfo>, PaneError>,
    now: Now,
    effects: &mut Vec<Effect>,
) {
    model.session.opening = model.session.opening.saturating_sub(1);
    let info = match result {
        Ok(info) => *info,
        Err(error) => {
            if let Placement::Instead(old) = place
                && let Some(pane) = model.session.panes.get_mut(&old)
            {
                pane.restarting = false;
            }
            if place == Placement::Only {
                effects.push(Effect::Fail(error.to_string()));
            }
            model
                .session
                .messages
                .tell(Severity::Error, error.to_string(), now);
            return;
        }
    };
    let id = info.id;
    model.session.opened_any = true;
    let ended = info.exit.is_some();
    model.session.panes.insert(id, Pane::new(info, Some(spec)));
    settle(model, place, id);
    if ended {
        end::exited(model, id, now, effects);
    }
}

/// Terminals whose place is not known: a tab each.
pub fn gather(model: &mut Model, list: Vec<TerminalInfo>) {
    for info in list {
        appeared(model, info);
    }
}

/// A terminal that somebody else opened: a tab behind the present one.
pub(super) fn appeared(model: &mut Model, info: TerminalInfo) {
    if model.session.panes.contains_key(&info.id) {
        return;
    }
    let id = info.id;
    model.session.opened_any = true;
    model.session.panes.insert(id, Pane::new(info, None));
    model.session.tabs.push(Tab::new(id));
}

fn settle(model: &mut Model, place: Placement, id: TerminalId) {
    match place {
        Placement::Split(target, axis) => {
            let home = model.session.tab_of(target);
            if let Some(tab) = home.and_then(|index| model.session.tabs.get_mut(index))
                && tab.layout.split(target, axis, id)
            {
                tab.zoomed = false;
                // Whoever went elsewhere meanwhile stays there.
                if tab.focus == target {
                    tab.set_focus(id);
                }
                return;
            }
        }
        Placement::Instead(old) => {
            let home = model.session.tab_of(old);
            if let Some(tab) = home.and_then(|index| model.session.tabs.get_mut(index))
                && tab.layout.split(old, Axis::Vertical, id)
            {
                tab.layout.swap(old, id);
                tab.layout.remove(old);
                tab.before = tab.before.filter(|before| *before != old);
                if tab.focus == old {
                    tab.focus = id;
                }
                model.session.panes.remove(&old);
                return;
            }
        }
        Placement::Start(number) => {
            insert_start(model, number, id);
            return;
        }
        Placement::Only | Placement::Tab => {}
    }
    model.session.tabs.push(Tab::new(id));
    focus::go_to(model, id);
}

/// Inserts one of the tabs to begin with where it belongs among them; what is in front stays there.
fn insert_start(model: &mut Model, number: usize, id: TerminalId) {
    let front = model.session.focus();
    let place = model
        .session
        .tabs
        .iter()
        .position(|tab| tab.start.is_none_or(|start| start > number))
        .unwrap_or(model.session.tabs.len());
    let tab = Tab {
        start: Some(number),
        ..Tab::new(id)
    };
    model.session.tabs.insert(place, tab);
    let front = if number == 0 { Some(id) } else { front };
    if let Some(index) = front.and_then(|id| model.session.tab_of(id)) {
        model.session.active = index;
    }
}

fn ask(model: &mut Model, place: Placement, spec: TerminalSpec, effects: &mut Vec<Effect>) {
    model.session.opening += 1;
    let near = match place {
        Placement::Tab => model.session.focus(),
        Placement::Split(target, _) => Some(target),
        Placement::Only | Placement::Start(_) | Placement::Instead(_) => None,
    };
    effects.push(Effect::Open(place, Box::new(spec), near));
}

/// The configured shell.
fn shell(size: Size) -> TerminalSpec {
    TerminalSpec {
        confine: None,
        resume: false,
        budget: Budget::default(),
        name: None,
        command: Vec::new(),
        cwd: None,
        env: Vec::new(),
        size,
        persistent: false,
        agent: None,
        gateway: true,
        owner: Owner::Front,
    }
}

fn size_of(rect: Rect) -> Size {
    Size::clamped(rect.width, rect.height)
}
