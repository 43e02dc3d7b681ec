//! A pane whose program is not started: what ran there, and what starts it.

use std::borrow::Cow;

use ratatui::buffer::Buffer;

use super::text::{Line, fill, wrap};
use crate::domain::layout::Rect;
use crate::domain::printable::printable;
use crate::tui::model::Model;
use crate::tui::session::{Pane, Waiting};
use crate::tui::theme::Role;

/// Columns on each side.
const MARGIN: u16 = 2;
/// Rows that one thing may take.
const MOST_ROWS: usize = 3;

pub(super) fn draw(model: &Model, pane: &Pane, waiting: &Waiting, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    fill(buffer, rect, theme.style(Role::Text));
    let width = rect.width.saturating_sub(2 * MARGIN);
    let ellipsis = theme.glyphs().ellipsis;
    let lines: Vec<(String, Role)> = lines(model, pane, waiting)
        .into_iter()
        .flat_map(|(text, role)| {
            let wrapped = wrap(&printable(&text), width, MOST_ROWS, ellipsis);
            wrapped.into_iter().map(move |text| (text, role))
        })
        .collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = rect.height.saturating_sub(height) / 3;
    for (row, (text, role)) in (top..rect.height).zip(lines) {
        let mut line = Line::new(buffer, rect, row);
        line.skip(MARGIN.min(rect.width))
            .put_fit(&text, theme.style(role), ellipsis);
    }
}

fn lines(model: &Model, pane: &Pane, waiting: &Waiting) -> Vec<(String, Role)> {
    let info = &pane.info;
    let command: Cow<'_, str> = match (&info.command[..], &pane.spec) {
        ([], Some(spec)) if spec.agent.is_some() => spec
            .agent
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
            .into(),
        ([], _) => model.options.shell.join(" ").into(),
        (command, _) => command.join(" ").into(),
    };
    let mut lines = vec![(command.into_owned(), Role::Key)];
    if info.cwd.as_os_str() != "" {
        lines.push((format!("in {}", info.cwd.display()), Role::Text));
    }
    match waiting.since {
        Some(since) => {
            let since = model.options.moment(since);
            lines.push((format!("ran since {since}, until tundra ended"), Role::Text));
        }
        None => lines.push(("was not started yet".to_owned(), Role::Text)),
    }
    if !waiting.lost_variables.is_empty() {
        let names = waiting.lost_variables.join(", ");
        lines.push((
            format!("variables that were given to it are gone: {names}"),
            Role::Warning,
        ));
    }
    lines.push((" ".to_owned(), Role::Text));
    let again = if waiting.since.is_some() {
        " again"
    } else {
        ""
    };
    let keys = if pane.restarting {
        "starting".to_owned()
    } else {
        format!("Enter runs it{again}, A runs all, x drops it")
    };
    lines.push((keys, Role::Key));
    lines
}
