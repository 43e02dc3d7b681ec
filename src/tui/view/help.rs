//! Help: every key there is, from the keymap in force.

use ratatui::buffer::Buffer;

use super::text::{Line, width, wrap};
use crate::domain::action::Context;
use crate::domain::layout::Rect;
use crate::tui::client::Help;
use crate::tui::model::Model;
use crate::tui::theme::Role;

const INDENT: u16 = 2;
const KEY_COLUMNS: u16 = 24;
/// Where there are fewer columns for them, texts stand below their keys.
const LEAST_TEXT: u16 = 20;

pub(super) enum Entry {
    Heading(String),
    Key {
        chords: String,
        text: String,
    },
    /// What the line above had no room for, so many columns from the left.
    More {
        indent: u16,
        text: String,
    },
}

/// The lines of help that the query leaves, at a width.
pub(super) fn lines(model: &Model, help: &Help, width: u16) -> Vec<Entry> {
    let beside = width.saturating_sub(INDENT + KEY_COLUMNS) >= LEAST_TEXT;
    let indent = INDENT + if beside { KEY_COLUMNS } else { INDENT };
    let mut lines = Vec::new();
    for entry in entries(model, help) {
        let Entry::Key { chords, text } = entry else {
            lines.push(entry);
            continue;
        };
        let mut parts = wrap(&text, width.saturating_sub(indent), usize::MAX, "").into_iter();
        let first = if beside { parts.next() } else { None };
        lines.push(Entry::Key {
            chords,
            text: first.unwrap_or_default(),
        });
        lines.extend(parts.map(|text| Entry::More { indent, text }));
    }
    lines
}

fn entries(model: &Model, help: &Help) -> Vec<Entry> {
    let keymap = &model.options.keymap;
    let query = help.query.text().to_lowercase();
    let mut lines = Vec::new();
    let fits = |chords: &str, text: &str| {
        query.is_empty()
            || chords.to_lowercase().contains(&query)
            || text.to_lowercase().contains(&query)
    };
    let direct: Vec<Entry> = keymap
        .direct()
        .map(|(chord, action)| {
            let text = format!("{} ({})", action.description(), action.name());
            (chord.to_string(), text)
        })
        .filter(|(chord, text)| fits(chord, text))
        .map(|(chords, text)| Entry::Key { chords, text })
        .collect();
    if !direct.is_empty() {
        lines.push(Entry::Heading("without the prefix".to_owned()));
        lines.extend(direct);
    }
    for context in Context::ALL {
        let entries: Vec<Entry> = keymap
            .iter()
            .filter(|(action, chords)| action.context() == context && !chords.is_empty())
            .map(|(action, chords)| {
                let chords: Vec<String> = chords.iter().map(ToString::to_string).collect();
                let text = format!("{} ({})", action.description(), action.name());
                (chords.join("  "), text)
            })
            .filter(|(chords, text)| fits(chords, text))
            .map(|(chords, text)| Entry::Key { chords, text })
            .collect();
        if entries.is_empty() {
            continue;
        }
        lines.push(Entry::Heading(match context {
            Context::Prefix => format!("{} ({})", context.title(), keymap.prefix()),
            _ => context.title().to_owned(),
        }));
        lines.extend(entries);
    }
    if fits("shift", "mouse: select with the outer terminal") {
        lines.push(Entry::Heading("mouse".to_owned()));
        for (key, text) in [
            ("click", "give a pane or a tab the focus"),
            ("drag", "move a divider, or select and copy"),
            ("wheel", "scroll through history"),
            ("shift drag", "select with the outer terminal"),
        ] {
            lines.push(Entry::Key {
                chords: key.to_owned(),
                text: text.to_owned(),
            });
        }
    }
    lines
}

pub(super) fn draw(model: &Model, help: &Help, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let mut line = Line::new(buffer, inner, 0);
    line.put("filter: ", theme.style(Role::Muted))
        .put_field(&help.query, theme.style(Role::Text));
    let rows = inner.height.saturating_sub(1);
    let lines = lines(model, help, inner.width);
    let last = lines.len().saturating_sub(usize::from(rows));
    let shown = lines.iter().skip(help.scroll.min(last));
    for (row, entry) in (1..=rows).zip(shown) {
        let mut line = Line::new(buffer, inner, row);
        match entry {
            Entry::Heading(text) => {
                line.put(text, theme.style(Role::Heading));
            }
            Entry::More { indent, text } => {
                line.skip(*indent).put(text, theme.style(Role::Text));
            }
            Entry::Key { chords, text } => {
                let pad = KEY_COLUMNS.saturating_sub(width(chords)).max(2);
                line.skip(INDENT)
                    .put(chords, theme.style(Role::Key))
                    .skip(pad)
                    .put_fit(text, theme.style(Role::Text), theme.glyphs().ellipsis);
            }
        }
    }
}
