//! The last line: which keys are valid now, and the last event.

use ratatui::buffer::Buffer;

use super::text::{Line, fill, fit, width};
use crate::domain::action::{Action, Context};
use crate::domain::layout::Rect;
use crate::tui::client::{JournalPage, Mode, Overlay, Page, Wants};
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::session::Age;
use crate::tui::theme::Role;

/// What is offered after the prefix, most wanted first.
const AFTER_PREFIX: [(Action, &str); 34] = [
    (Action::NextWaiting, "next waiting"),
    (Action::NewPane, "new"),
    (Action::LaunchAgent, "agent"),
    (Action::SplitRight, "split right"),
    (Action::SplitDown, "split down"),
    (Action::FocusLeft, "focus"),
    (Action::ZoomPane, "zoom"),
    (Action::KillPane, "kill"),
    (Action::NextTab, "next tab"),
    (Action::CopyMode, "scroll"),
    (Action::Search, "search"),
    (Action::ProviderPanel, "providers"),
    (Action::Usage, "usage"),
    (Action::History, "history"),
    (Action::Log, "log"),
    (Action::FailOver, "fail over"),
    (Action::RestartProvider, "restart provider"),
    (Action::BrowserAddress, "browser"),
    (Action::Palette, "palette"),
    (Action::Help, "help"),
    (Action::RenamePane, "rename"),
    (Action::PaneList, "panes"),
    (Action::LastTab, "last tab"),
    (Action::GoToTab, "tab number"),
    (Action::RenameTab, "rename tab"),
    (Action::MoveTabRight, "move tab"),
    (Action::MovePane, "move pane"),
    (Action::RunCommand, "run"),
    (Action::EditHistory, "edit history"),
    (Action::ToggleSidebar, "list"),
    (Action::ToggleProviders, "provider lines"),
    (Action::PasteBuffer, "paste"),
    (Action::Detach, "detach"),
    (Action::Quit, "quit"),
];

const COPYING: [(Action, &str); 7] = [
    (Action::CopySelect, "select"),
    (Action::CopyYank, "copy"),
    (Action::CopySearchForward, "search down"),
    (Action::CopySearchBack, "search up"),
    (Action::CopySearchNext, "next match"),
    (Action::CopyTop, "oldest"),
    (Action::CopyQuit, "leave"),
];

const PANEL: [(Action, &str); 9] = [
    (Action::PanelNext, "next"),
    (Action::PanelDetails, "more"),
    (Action::PanelFailOver, "fail over"),
    (Action::PanelRestart, "restart"),
    (Action::PanelReset, "reset"),
    (Action::PanelToggle, "on/off"),
    (Action::PanelPin, "pin"),
    (Action::PanelOutput, "output"),
    (Action::PanelBack, "back"),
];

const USAGE: [(Action, &str); 5] = [
    (Action::JournalSince, "since"),
    (Action::JournalBy, "by"),
    (Action::JournalSwitch, "history"),
    (Action::JournalNext, "scroll"),
    (Action::JournalBack, "back"),
];

const HISTORY: [(Action, &str); 5] = [
    (Action::JournalSince, "since"),
    (Action::JournalKind, "kind"),
    (Action::JournalSwitch, "usage"),
    (Action::JournalPrevious, "scroll"),
    (Action::JournalBack, "back"),
];

const LOG: [(Action, &str); 5] = [
    (Action::LogLevel, "level"),
    (Action::LogTarget, "target"),
    (Action::LogText, "text"),
    (Action::JournalPrevious, "scroll"),
    (Action::JournalBack, "back"),
];

/// Keys, each with what it does.
type Hints = Vec<(String, String)>;

pub(super) fn draw(model: &Model, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let bar = theme.style(Role::Bar);
    fill(buffer, rect, bar);
    let hints = hints(model);
    let mut line = Line::new(buffer, rect, 0);
    let is_over_panes = model.client.overlay.is_some();
    if let Some((text, role)) = last_event(model) {
        // The keys come first; the event has what is left, and at least a third while it is new or keys are few.
        let least = match model.client.mode {
            Mode::Prefix { .. } => 0,
            _ if is_over_panes && role == Role::Muted => 0,
            _ => line.room() / 3,
        };
        let left = line.room().saturating_sub(columns(&hints));
        let room = left.max(least).saturating_sub(1);
        let text = fit(&text, room.saturating_sub(2), theme.glyphs().ellipsis);
        if !text.is_empty() {
            line.put_right(&format!(" {text} "), bar.patch(theme.style(role)));
        }
    }
    let hints = fitting(hints, line.room(), is_over_panes);
    line.put(" ", bar);
    let key_style = bar.patch(theme.style(Role::Key));
    for (key, text) in hints {
        line.put(&key, key_style)
            .put(" ", bar)
            .put(&text, bar)
            .put("  ", bar);
    }
}

/// What they take with the blanks around them.
fn columns(hints: &Hints) -> u16 {
    hints.iter().fold(1_u16, |sum, (key, text)| {
        sum.saturating_add(width(key) + width(text) + 3)
    })
}

/// As many as there is room for. The way back, which is the last, stays where something lies over the panes.
fn fitting(mut hints: Hints, room: u16, keeps_last: bool) -> Hints {
    // Nothing needs to stand after the last one.
    let room = room.saturating_add(2);
    while columns(&hints) > room && !hints.is_empty() {
        let last = hints.len() - 1;
        hints.remove(last.saturating_sub(usize::from(keeps_last)));
    }
    hints
}

/// The last event, with its age once it has one; what is old is no longer urgent.
fn last_event(model: &Model) -> Option<(String, Role)> {
    let (message, age) = model.session.messages.newest()?;
    let role = match (age, message.severity) {
        (Age::New, Severity::Warning) => Role::Warning,
        (Age::New, Severity::Error) => Role::Error,
        (_, Severity::Info | Severity::Success | Severity::Warning | Severity::Error) => {
            Role::Muted
        }
    };
    // Several lines do not fit into this one; all of them are in the message log.
    let mut lines = message.text.lines();
    let first = lines.next().unwrap_or_default();
    let more = match lines.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    let age = match age {
        Age::New | Age::Gone => String::new(),
        Age::Minutes(minutes) => format!(" {minutes}m ago"),
    };
    Some((format!("{first}{more}{age}"), role))
}

/// Keys with what they do, of what is valid now.
fn hints(model: &Model) -> Hints {
    let keymap = &model.options.keymap;
    let key = |action: Action| keymap.bindings_of(action).first().map(ToString::to_string);
    let named = |list: &[(Action, &str)]| {
        list.iter()
            .filter_map(|(action, text)| Some((key(*action)?, (*text).to_owned())))
            .collect::<Vec<_>>()
    };
    if let Some(overlay) = &model.client.overlay {
        return in_overlay(model, overlay, named);
    }
    if matches!(model.client.mode, Mode::Prefix { .. }) {
        let valid: Vec<_> = AFTER_PREFIX
            .into_iter()
            .filter(|(action, _)| action.context() == Context::Prefix && model.is_valid(*action))
            .collect();
        return named(&valid);
    }
    let pane = model.session.focused();
    if let Some(mode) = pane.and_then(|pane| pane.copy.as_ref()) {
        if mode.wants_text() {
            return plain(&[("enter", "search"), ("esc", "back")]);
        }
        return named(&COPYING);
    }
    let prefix = keymap.prefix();
    let after =
        |action: Action, text: &str| Some((format!("{prefix} {}", key(action)?), text.to_owned()));
    let mut hints = Vec::new();
    if pane.is_some_and(|pane| pane.lives() && pane.info.taken) {
        hints.extend(plain(&[("any key", "take it back")]));
    }
    if pane.is_some_and(|pane| pane.waiting.is_some()) {
        hints.extend(plain(&[("enter", "run"), ("A", "run all"), ("x", "drop")]));
    }
    if pane.is_some_and(|pane| pane.ended.is_some()) {
        hints.extend(plain(&[("enter", "close"), ("r", "restart")]));
    }
    if model.is_valid(Action::NextWaiting) {
        hints.extend(after(Action::NextWaiting, "next waiting"));
    }
    hints.push((prefix.to_string(), "keys".to_owned()));
    hints.extend(after(Action::Help, "help"));
    hints
}

fn in_overlay(
    model: &Model,
    overlay: &Overlay,
    named: impl Fn(&[(Action, &str)]) -> Hints,
) -> Hints {
    match overlay {
        Overlay::Confirm(_) => {
            let mut hints = plain(&[("y", "yes"), ("n", "no")]);
            hints.extend(named(&[(Action::DialogCancel, "back")]));
            hints
        }
        Overlay::Ask(ask) => {
            let does = match ask.wants {
                Wants::PaneName(_) | Wants::TabName(_) => "rename",
                Wants::TabNumber => "go there",
                Wants::Command => "run",
            };
            named(&[(Action::DialogAccept, does), (Action::DialogCancel, "back")])
        }
        Overlay::Picker(_) => named(&[
            (Action::DialogAccept, "choose"),
            (Action::DialogNext, "next"),
            (Action::DialogPrevious, "previous"),
            (Action::DialogCancel, "back"),
        ]),
        Overlay::Providers(panel) if panel.page == Page::List => {
            let selected = panel.selected.as_ref();
            let has_server = selected.is_some_and(|name| model.providers.has_server(name));
            let valid: Vec<_> = PANEL
                .into_iter()
                .filter(|(action, _)| has_server || *action != Action::PanelOutput)
                .collect();
            named(&valid)
        }
        Overlay::Providers(_) => named(&[
            (Action::PanelNext, "down"),
            (Action::PanelPrevious, "up"),
            (Action::PanelFailOver, "fail over"),
            (Action::PanelRestart, "restart"),
            (Action::PanelBack, "back"),
        ]),
        Overlay::Journal(view) => match view.page {
            JournalPage::Usage => named(&USAGE),
            JournalPage::History => named(&HISTORY),
        },
        Overlay::LogFile(view) if view.typing.is_some() => {
            plain(&[("enter", "done"), ("esc", "all again")])
        }
        Overlay::LogFile(_) => named(&LOG),
        Overlay::Launcher(_) => {
            let mut hints = named(&[
                (Action::DialogAccept, "start it"),
                (Action::DialogNext, "next"),
            ]);
            hints.extend(plain(&[("tab", "name, directory, worktree, budget")]));
            hints.extend(named(&[(Action::DialogCancel, "back")]));
            hints
        }
        Overlay::Overview(overview) if overview.answer.is_some() => named(&[
            (Action::DialogAccept, "type it there"),
            (Action::DialogCancel, "back"),
        ]),
        Overlay::Overview(_) => {
            let mut hints = named(&[
                (Action::DialogAccept, "go there"),
                (Action::DialogNext, "next"),
                (Action::DialogPrevious, "previous"),
            ]);
            hints.extend(plain(&[("a", "answer")]));
            hints.extend(named(&[(Action::DialogCancel, "back")]));
            hints
        }
        Overlay::Address(_) => named(&[
            (Action::DialogNext, "scroll"),
            (Action::DialogAccept, "close"),
        ]),
        Overlay::Help(_) | Overlay::Log(_) | Overlay::Report(_) => named(&[
            (Action::DialogNext, "scroll"),
            (Action::DialogCancel, "back"),
        ]),
    }
}

fn plain(hints: &[(&str, &str)]) -> Hints {
    hints
        .iter()
        .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
        .collect()
}
