//! The list of panes beside them, where there is room.

use ratatui::buffer::Buffer;

use super::text::{Line, fill, width};
use crate::domain::id::TerminalId;
use crate::domain::layout::Rect;
use crate::domain::terminal::Status;
use crate::tui::model::Model;
use crate::tui::session::Pane;
use crate::tui::theme::{Role, Theme};

pub(super) fn draw(model: &Model, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    fill(buffer, rect, theme.style(Role::Text));
    let border = theme.style(Role::Border);
    let edge = Rect::new(rect.right().saturating_sub(1), rect.y, 1, rect.height);
    for row in 0..edge.height {
        Line::new(buffer, edge, row).put(glyphs.vertical, border);
    }
    let inner = Rect {
        width: rect.width.saturating_sub(2),
        ..rect
    };
    let rows = usize::from(rect.height);
    for (row, entry) in (0..).zip(entries(model).into_iter().take(rows)) {
        let mut line = Line::new(buffer, inner, row);
        match entry {
            Entry::Tab(index) => {
                let role = if index == model.session.active {
                    Role::Heading
                } else {
                    Role::Muted
                };
                let name = model
                    .session
                    .tabs
                    .get(index)
                    .and_then(|tab| tab.name.as_deref());
                let name = name.map_or_else(String::new, |name| format!(" {name}"));
                let text = format!("tab {}{name}", index + 1);
                line.put_fit(&text, theme.style(role), glyphs.ellipsis);
            }
            Entry::Pane(id) => {
                if let Some(pane) = model.session.panes.get(&id) {
                    draw_pane(theme, pane, model.session.focus() == Some(id), &mut line);
                }
            }
        }
    }
}

/// The pane that a row of the screen is about.
#[must_use]
pub fn pane_at(model: &Model, y: u16) -> Option<TerminalId> {
    let row = y.checked_sub(model.areas().sidebar?.y)?;
    match entries(model).get(usize::from(row))? {
        Entry::Tab(index) => model.session.tabs.get(*index).map(|tab| tab.focus),
        Entry::Pane(id) => Some(*id),
    }
}

#[derive(Clone, Copy)]
enum Entry {
    Tab(usize),
    Pane(TerminalId),
}

fn entries(model: &Model) -> Vec<Entry> {
    model
        .session
        .tabs
        .iter()
        .enumerate()
        .flat_map(|(index, tab)| {
            std::iter::once(Entry::Tab(index)).chain(tab.layout.ids().into_iter().map(Entry::Pane))
        })
        .collect()
}

fn draw_pane(theme: &Theme, pane: &Pane, focused: bool, line: &mut Line<'_>) {
    let glyphs = theme.glyphs();
    let style = theme.style(if focused { Role::Selected } else { Role::Text });
    let (glyph, word, role) = status(theme, pane);
    let patched = if focused {
        style
    } else {
        style.patch(theme.style(role))
    };
    line.put(if focused { glyphs.selected } else { " " }, style)
        .put(" ", style);
    let badge = if pane.badge { glyphs.bell } else { "" };
    let viewers = viewers(theme, pane);
    let tail = format!(" {viewers}{glyph} {word}{badge}");
    let room = line.room().saturating_sub(width(&tail));
    let name = super::text::fit(pane.name(), room, glyphs.ellipsis);
    let pad = usize::from(room.saturating_sub(width(&name)));
    line.put(&name, style)
        .put(&" ".repeat(pad), style)
        .put(&tail, patched);
}

/// Glyph, word and colour for what a pane does; blank for a program that is no agent. One that was made over HTTP and
/// has lost its viewer says so, since it may end for that.
pub(super) fn status(theme: &Theme, pane: &Pane) -> (&'static str, &'static str, Role) {
    let glyphs = theme.glyphs();
    if pane.waiting.is_some() {
        return (glyphs.dead, "not running", Role::Muted);
    }
    if pane.ended.is_some() {
        return (glyphs.dead, "ended", Role::Dead);
    }
    if pane.ending {
        return (glyphs.dead, "ending", Role::Warning);
    }
    match pane.state() {
        Some(state) => (glyphs.state(state), state.name(), Theme::state_role(state)),
        None if pane.info.status == Status::Disconnected => {
            (glyphs.idle, Status::Disconnected.name(), Role::Muted)
        }
        None => (" ", "", Role::Muted),
    }
}

/// How many are attached to a pane; nothing where nobody is.
pub(super) fn viewers(theme: &Theme, pane: &Pane) -> String {
    match pane.info.viewers {
        0 => String::new(),
        count => format!("{}{count} ", theme.glyphs().viewers),
    }
}
