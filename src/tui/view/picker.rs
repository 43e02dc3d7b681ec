//! Lists to choose from.

use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use super::text::{Line, fill};
use crate::domain::action::{Action, Context};
use crate::domain::layout::Rect;
use crate::tui::client::{Item, Picked, Picker, PickerKind};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// The first entry to show so that the chosen one is among them.
pub(super) fn first_shown(picker: &Picker, rows: usize) -> usize {
    picker.selected().saturating_sub(rows.saturating_sub(1))
}

pub(super) fn draw(model: &Model, picker: &Picker, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let mut line = Line::new(buffer, inner, 0);
    line.put("> ", theme.style(Role::Key))
        .put_field(&picker.query, theme.style(Role::Text));
    let rows = inner.height.saturating_sub(1);
    if picker.is_empty() {
        let text = match picker.kind {
            PickerKind::Palette => "nothing fits: enter runs it in a new pane",
            PickerKind::Panes | PickerKind::Tabs => "nothing fits",
        };
        Line::new(buffer, inner, 1).put_fit(
            text,
            theme.style(Role::Muted),
            theme.glyphs().ellipsis,
        );
        return;
    }
    let first = first_shown(picker, usize::from(rows));
    let shown = picker.shown().enumerate().skip(first);
    for (row, (index, (item, positions))) in (1..=rows).zip(shown) {
        let chosen = index == picker.selected();
        draw_item(model, item, positions, chosen, inner, row, buffer);
    }
}

fn draw_item(
    model: &Model,
    item: &Item,
    positions: &[u32],
    chosen: bool,
    inner: Rect,
    row: u16,
    buffer: &mut Buffer,
) {
    const LABEL_COLUMNS: u16 = 20;
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let base = theme.style(match (chosen, item.refused) {
        (true, _) => Role::Selected,
        (false, Some(_)) => Role::Muted,
        (false, None) => Role::Text,
    });
    let matched = if chosen {
        base.add_modifier(Modifier::UNDERLINED)
    } else {
        base.patch(theme.style(Role::Matched))
    };
    let detail = if chosen {
        base
    } else {
        base.patch(theme.style(Role::Muted))
    };
    let place = Rect::new(inner.x, inner.y + row, inner.width, 1);
    fill(buffer, place, base);
    let mut line = Line::new(buffer, inner, row);
    let (right, right_role) = tail(model, item);
    let right_style = if chosen {
        base
    } else {
        base.patch(theme.style(right_role))
    };
    line.put_right(&right, right_style);
    line.put(if chosen { glyphs.selected } else { " " }, base)
        .put(" ", base);
    let start = line.x();
    let mut at = 0_u32;
    let mut put = |line: &mut Line<'_>, text: &str, plain| {
        for ch in text.chars() {
            let hit = positions.binary_search(&at).is_ok();
            line.put(
                ch.encode_utf8(&mut [0; 4]),
                if hit { matched } else { plain },
            );
            at += 1;
        }
    };
    put(&mut line, &item.label, base);
    let used = line.x() - start;
    // The query is matched against label and detail with a space between.
    put(&mut line, " ", base);
    line.skip(LABEL_COLUMNS.saturating_sub(used));
    put(&mut line, &item.detail, detail);
}

/// What stands at the right end of an entry: why not, the state, or the chord.
fn tail(model: &Model, item: &Item) -> (String, Role) {
    if let Some(why) = item.refused {
        return (format!(" {why} "), Role::Muted);
    }
    match &item.picked {
        Picked::Focus(id) => match model.session.panes.get(id) {
            Some(pane) => {
                let (glyph, word, role) = super::sidebar::status(&model.client.theme, pane);
                (format!(" {glyph} {word} "), role)
            }
            None => (String::new(), Role::Muted),
        },
        Picked::Do(action) => (chord_of(model, *action), Role::Key),
        Picked::Steer(_) | Picked::Move(..) => (String::new(), Role::Muted),
    }
}

fn chord_of(model: &Model, action: Action) -> String {
    let keymap = &model.options.keymap;
    let Some(chord) = keymap.bindings_of(action).first() else {
        return String::new();
    };
    match action.context() {
        Context::Prefix => format!(" {} {chord} ", keymap.prefix()),
        _ => format!(" {chord} "),
    }
}
