//! Messages that are shown for a while, at the top right, or at the bottom where the cursor is in the way.

use ratatui::buffer::Buffer;

use super::modes::modes;
use super::text::{Line, fill, width, wrap};
use crate::domain::layout::Rect;
use crate::tui::client::Overlay;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::theme::Role;

const MAX_COLUMNS: u16 = 64;
/// A longer message is cut; all of it is in the message log.
const MAX_LINES: usize = 3;

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    if matches!(model.client.overlay, Some(Overlay::Address(_))) {
        // It is read letter by letter, and the last event tells the same.
        return;
    }
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let body = model.areas().panes;
    let room = body.width.min(MAX_COLUMNS);
    let lines: Vec<(String, Role)> = model
        .session
        .messages
        .toasts()
        .flat_map(|message| {
            let (word, role) = match message.severity {
                Severity::Info => ("", Role::Info),
                Severity::Success => ("", Role::Success),
                Severity::Warning => ("warning: ", Role::Warning),
                Severity::Error => ("error: ", Role::Error),
            };
            let text = format!("{word}{}", message.shown());
            wrap(&text, room.saturating_sub(2), MAX_LINES, glyphs.ellipsis)
                .into_iter()
                .map(move |line| (format!(" {line} "), role))
        })
        .collect();
    let columns = lines
        .iter()
        .map(|(text, _)| width(text))
        .max()
        .unwrap_or(0)
        .min(room);
    let rows = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .min(body.height);
    if columns == 0 || rows == 0 {
        return;
    }
    let mut rect = Rect::new(body.right() - columns, body.y, columns, rows);
    let covers_cursor = modes(model)
        .cursor
        .is_some_and(|cursor| cursor.visible && rect.contains(cursor.x, cursor.y));
    if covers_cursor {
        rect.y = body.bottom() - rows;
    }
    for (row, (text, role)) in (0..rows).zip(lines) {
        let style = theme.style(Role::Bar).patch(theme.style(role));
        let place = Rect::new(rect.x, rect.y + row, rect.width, 1);
        fill(buffer, place, style);
        Line::new(buffer, place, 0).put(&text, style);
    }
}
