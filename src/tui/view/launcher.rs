//! The launcher: the agents, and below them what can be said of a new one.

use ratatui::buffer::Buffer;

use super::text::{Line, fill};
use crate::domain::layout::Rect;
use crate::tui::client::Launcher;
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Columns of a field's name.
const LABEL_COLUMNS: u16 = 11;

/// Rows that it takes, its border left out.
pub(super) fn rows(launcher: &Launcher) -> usize {
    let fields = launcher.fields().count();
    launcher.agents().len() + 1 + fields
}

pub(super) fn draw(model: &Model, launcher: &Launcher, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let below = fields_below(launcher, inner);
    let room = usize::from(below.saturating_sub(1));
    let first = first_shown(launcher, room);
    let shown = launcher.agents().iter().enumerate().skip(first).take(room);
    for (row, (index, agent)) in (0..).zip(shown) {
        let chosen = index == launcher.selected();
        let base = theme.style(match (chosen, agent.installed) {
            (true, _) => Role::Selected,
            (false, true) => Role::Text,
            (false, false) => Role::Muted,
        });
        fill(
            buffer,
            Rect::new(inner.x, inner.y + row, inner.width, 1),
            base,
        );
        let mut line = Line::new(buffer, inner, row);
        if !agent.installed {
            line.put_right("not installed ", base);
        }
        line.put(if chosen { glyphs.selected } else { " " }, base)
            .put(" ", base)
            .put_fit(agent.name.as_str(), base, glyphs.ellipsis);
    }
    let focused = launcher.focused().map(|(field, _)| field);
    for (row, (field, prompt)) in (below..inner.height).zip(launcher.fields()) {
        let mut line = Line::new(buffer, inner, row);
        let role = if focused == Some(field) {
            Role::Key
        } else {
            Role::Muted
        };
        line.put(field.label(), theme.style(role));
        let mut line = Line::new(buffer, inner, row);
        line.skip(LABEL_COLUMNS);
        if prompt.text().is_empty() && focused != Some(field) {
            line.put_fit(field.hint(), theme.style(Role::Muted), glyphs.ellipsis);
        } else {
            line.put_field(prompt, theme.style(Role::Text));
        }
    }
}

/// The first agent to show so that the chosen one is among them.
fn first_shown(launcher: &Launcher, room: usize) -> usize {
    (launcher.selected() + 1).saturating_sub(room)
}

/// The row of the chosen agent.
pub(super) fn row_of_chosen(launcher: &Launcher, inner: Rect) -> Option<u16> {
    let room = fields_below(launcher, inner).saturating_sub(1);
    let first = first_shown(launcher, usize::from(room));
    let row = u16::try_from(launcher.selected().checked_sub(first)?).ok()?;
    (row < room).then_some(row)
}

/// The row of the first field: below the agents, or as low as there is room.
fn fields_below(launcher: &Launcher, inner: Rect) -> u16 {
    let fields = u16::try_from(launcher.fields().count()).unwrap_or(u16::MAX);
    let agents = u16::try_from(launcher.agents().len() + 1).unwrap_or(u16::MAX);
    agents.min(inner.height.saturating_sub(fields))
}

/// Where the field that is typed into begins: its column and its row.
pub(super) fn typed_at(launcher: &Launcher, inner: Rect) -> Option<(u16, u16)> {
    let (focused, _) = launcher.focused()?;
    let place = launcher.fields().position(|(field, _)| field == focused)?;
    let row = fields_below(launcher, inner) + u16::try_from(place).ok()?;
    Some((LABEL_COLUMNS, row))
}
