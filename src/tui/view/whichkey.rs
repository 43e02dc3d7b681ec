//! The list of keys that are valid after the prefix, for who hesitates.

use ratatui::buffer::Buffer;

use super::area;
use super::overlay::frame_box;
use super::text::{Line, fit, width};
use crate::domain::action::{Action, Context};
use crate::domain::layout::Rect;
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Columns of one entry, key and description.
const ENTRY_COLUMNS: u16 = 44;
const KEY_COLUMNS: u16 = 11;

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let theme = &model.theme;
    let entries: Vec<(String, &str)> = Action::ALL
        .iter()
        .copied()
        .filter(|action| {
            action.context() == Context::Prefix
                && action.tab_number().is_none()
                && model.is_valid(*action)
        })
        .filter_map(|action| {
            let chord = model.options.keymap.bindings_of(action).first()?;
            Some((chord.to_string(), action.description()))
        })
        .collect();
    let (cols, rows) = model.size;
    let columns = (cols.saturating_sub(4) / ENTRY_COLUMNS).clamp(1, 3);
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    let lines = count.div_ceil(columns).min(rows.saturating_sub(4));
    if lines == 0 {
        return;
    }
    let outer_width = (columns * ENTRY_COLUMNS + 2).min(cols);
    let outer = Rect::new(
        cols.saturating_sub(outer_width) / 2,
        rows.saturating_sub(lines + 3),
        outer_width,
        lines + 2,
    );
    let title = format!("after {}", model.options.keymap.prefix());
    let inner = frame_box(model, outer, &title, buffer);
    for (index, (key, text)) in (0_u16..).zip(entries) {
        let (column, row) = (index / lines, index % lines);
        let x = inner.x.saturating_add(column.saturating_mul(ENTRY_COLUMNS));
        if column >= columns || x >= inner.right() {
            break;
        }
        let cell = Rect::new(x, inner.y + row, ENTRY_COLUMNS.min(inner.right() - x), 1);
        let mut line = Line::new(buffer, area(cell), 0);
        let pad = KEY_COLUMNS.saturating_sub(width(&key));
        line.put(&key, theme.style(Role::Key)).skip(pad);
        let room = line.room().saturating_sub(1);
        line.put(
            &fit(text, room, theme.glyphs().ellipsis),
            theme.style(Role::Text),
        );
    }
}
