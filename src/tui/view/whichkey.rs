//! The list of keys that are valid after the prefix, for who hesitates.

use ratatui::buffer::Buffer;

use super::frame_box::frame_box;
use super::text::{Line, width};
use crate::domain::action::{Action, Context};
use crate::domain::layout::Rect;
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Blanks between a key and its text, and between columns.
const GAP: u16 = 2;
/// More columns than these are hard to search.
const MAX_COLUMNS: u16 = 4;

/// Keys with what they do, and how they are laid out.
struct Table {
    entries: Vec<(String, String)>,
    key_columns: u16,
    entry_columns: u16,
    columns: u16,
    lines: u16,
}

impl Table {
    /// Lays entries out by columns of a width that cuts none of them.
    fn new(entries: Vec<(String, String)>, room: u16) -> Self {
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| width(text)).max().unwrap_or(0)
        };
        let key_columns = widest(&mut entries.iter().map(|(key, _)| key)) + GAP;
        let text_columns = widest(&mut entries.iter().map(|(_, text)| text));
        let entry_columns = key_columns + text_columns + GAP;
        // The last column needs no gap after it.
        let columns = ((room + GAP) / entry_columns).clamp(1, MAX_COLUMNS);
        let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
        Self {
            lines: count.div_ceil(columns),
            entries,
            key_columns,
            entry_columns,
            columns,
        }
    }
}

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let (cols, rows) = model.client.size;
    let room = rows.saturating_sub(4);
    let mut table = table(model, cols.saturating_sub(4), room);
    if room == 0 || table.entries.is_empty() {
        return;
    }
    let shown = usize::from(table.columns) * usize::from(room);
    if table.entries.len() > shown {
        // Rather than to leave some out without a word.
        table.entries.truncate(shown.saturating_sub(1));
        table.entries.push(rest(model));
    }
    let lines = table.lines.min(room);
    let outer_width = (table.columns * table.entry_columns - GAP + 4).min(cols);
    let outer = Rect::new(
        cols.saturating_sub(outer_width) / 2,
        rows.saturating_sub(lines + 3),
        outer_width,
        lines + 2,
    );
    let title = format!("after {}", model.options.keymap.prefix());
    let inner = frame_box(model, outer, &title, buffer);
    for (index, (key, text)) in (0_u16..).zip(&table.entries) {
        let (column, row) = (index / lines, index % lines);
        let x = inner.x.saturating_add(column * table.entry_columns);
        if x >= inner.right() {
            break;
        }
        let cell = Rect::new(x, inner.y + row, inner.right() - x, 1);
        let mut line = Line::new(buffer, cell, 0);
        line.put(key, theme.style(Role::Key))
            .skip(table.key_columns.saturating_sub(width(key)))
            .put_fit(text, theme.style(Role::Text), theme.glyphs().ellipsis);
    }
}

/// The entries in whole sentences where there is room for that, else by the actions' names.
fn table(model: &Model, cols: u16, rows: u16) -> Table {
    let described = Table::new(
        entries(model, |action| action.description().to_owned()),
        cols,
    );
    if described.lines <= rows && described.entry_columns <= cols + GAP {
        return described;
    }
    Table::new(
        entries(model, |action| action.name().replace('-', " ")),
        cols,
    )
}

fn entries(model: &Model, text: impl Fn(Action) -> String) -> Vec<(String, String)> {
    Action::ALL
        .iter()
        .copied()
        .filter(|action| {
            action.context() == Context::Prefix
                && action.tab_number().is_none()
                && model.is_valid(*action)
        })
        .filter_map(|action| {
            let chord = model.options.keymap.bindings_of(action).first()?;
            Some((chord.to_string(), text(action)))
        })
        .collect()
}

/// Stands for the entries that got no room.
fn rest(model: &Model) -> (String, String) {
    let help = model.options.keymap.bindings_of(Action::Help).first();
    (
        help.map(ToString::to_string).unwrap_or_default(),
        "all keys".to_owned(),
    )
}
