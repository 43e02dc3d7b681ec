//! What lies over the panes: where it is, what it shows, and what a click in it hits.

use ratatui::buffer::Buffer;

use super::text::{Line, fill, fit, width};
use super::{address, area, help, log, providers};
use crate::domain::action::{Action, Context};
use crate::domain::layout::Rect;
use crate::tui::model::{
    Choice, Confirm, Item, Model, Overlay, Picked, Picker, PickerKind, Rename,
};
use crate::tui::theme::Role;

/// What is under the pointer while something lies over the panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    Outside,
    Inside,
    /// An entry of a list, counted among those shown.
    Entry(usize),
    Button(Choice),
}

/// Columns of the box with an address, border included.
const ADDRESS_COLUMNS: u16 = 78;

const NO: &str = " No ";
const YES: &str = " Yes ";

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let Some(overlay) = &model.overlay else {
        return;
    };
    let inner = frame_box(model, outer(model, overlay), &title(overlay), buffer);
    match overlay {
        Overlay::Confirm(confirm) => draw_confirm(model, confirm, inner, buffer),
        Overlay::Rename(rename) => draw_rename(model, rename, inner, buffer),
        Overlay::Picker(picker) => draw_picker(model, picker, inner, buffer),
        Overlay::Help(state) => help::draw(model, state, inner, buffer),
        Overlay::Log(state) => log::draw(model, state, inner, buffer),
        Overlay::Providers(panel) => providers::draw(model, panel, inner, buffer),
        Overlay::Address(state) => address::draw(model, state, inner, buffer),
    }
}

/// A box over the panes; gives the area inside.
pub(super) fn frame_box(model: &Model, rect: Rect, title: &str, buffer: &mut Buffer) -> Rect {
    let theme = &model.theme;
    let glyphs = theme.glyphs();
    let border = theme.style(Role::BorderFocused);
    fill(buffer, area(rect), theme.style(Role::Text));
    if rect.width < 2 || rect.height < 2 {
        return Rect::default();
    }
    let across = glyphs.horizontal.repeat(usize::from(rect.width - 2));
    let last = rect.height - 1;
    for row in 0..rect.height {
        let mut line = Line::new(buffer, area(rect), row);
        let (left, right) = match row {
            0 => (glyphs.top_left, glyphs.top_right),
            _ if row == last => (glyphs.bottom_left, glyphs.bottom_right),
            _ => (glyphs.vertical, glyphs.vertical),
        };
        line.put(left, border);
        if row == 0 || row == last {
            line.put(&across, border);
        } else {
            line.skip(rect.width - 2);
        }
        line.put(right, border);
    }
    let head = Rect::new(rect.x + 1, rect.y, rect.width - 2, 1);
    let title = fit(&format!(" {title} "), head.width, glyphs.ellipsis);
    Line::new(buffer, area(head), 0).put(&title, theme.style(Role::Heading));
    Rect::new(
        rect.x + 2,
        rect.y + 1,
        rect.width.saturating_sub(4),
        rect.height - 2,
    )
}

/// What a click hits.
#[must_use]
pub fn hit(model: &Model, x: u16, y: u16) -> Hit {
    let Some(overlay) = &model.overlay else {
        return Hit::Outside;
    };
    let outer = outer(model, overlay);
    if !outer.contains(x, y) {
        return Hit::Outside;
    }
    let inner = inside(outer);
    match overlay {
        Overlay::Picker(picker) => {
            let rows = usize::from(inner.height.saturating_sub(1));
            let first = first_shown(picker, rows);
            y.checked_sub(inner.y + 1)
                .map(|row| first + usize::from(row))
                .filter(|index| *index < picker.len() && *index < first + rows)
                .map_or(Hit::Inside, Hit::Entry)
        }
        Overlay::Confirm(_) if y + 1 == inner.bottom() => {
            let x = x.saturating_sub(inner.x);
            let no = width(NO);
            match x {
                _ if x < no => Hit::Button(Choice::No),
                _ if (no + 2..no + 2 + width(YES)).contains(&x) => Hit::Button(Choice::Yes),
                _ => Hit::Inside,
            }
        }
        _ => Hit::Inside,
    }
}

/// How far help or the log can be scrolled.
#[must_use]
pub fn scroll_limit(model: &Model) -> usize {
    let Some(overlay) = &model.overlay else {
        return 0;
    };
    let inner = inside(outer(model, overlay));
    let rows = usize::from(inner.height);
    match overlay {
        Overlay::Help(state) => help::lines(model, state, inner.width)
            .len()
            .saturating_sub(rows.saturating_sub(1)),
        Overlay::Log(_) => log::count(model, inner.width).saturating_sub(rows),
        Overlay::Providers(panel) => providers::scroll_limit(model, panel, rows),
        Overlay::Address(state) => address::count(state, inner.width).saturating_sub(rows),
        _ => 0,
    }
}

/// Where one types, or the chosen button.
pub(super) fn cursor(model: &Model, overlay: &Overlay) -> Option<(u16, u16)> {
    let inner = inside(outer(model, overlay));
    let (x, y) = match overlay {
        Overlay::Rename(rename) => (width(rename.prompt.before_cursor()), 0),
        Overlay::Picker(picker) => (width(picker.query.before_cursor()).saturating_add(2), 0),
        Overlay::Help(help) => (width(help.query.before_cursor()).saturating_add(8), 0),
        Overlay::Confirm(confirm) => (
            match confirm.choice {
                Choice::No => 1,
                Choice::Yes => width(NO) + 3,
            },
            inner.height.saturating_sub(1),
        ),
        Overlay::Log(_) | Overlay::Providers(_) | Overlay::Address(_) => return None,
    };
    let x = inner.x + x.min(inner.width.saturating_sub(1));
    let y = inner.y + y;
    inner.contains(x, y).then_some((x, y))
}

fn title(overlay: &Overlay) -> String {
    let title = match overlay {
        Overlay::Confirm(_) => "sure?",
        Overlay::Rename(_) => "rename",
        Overlay::Picker(picker) => match picker.kind {
            PickerKind::Palette => "palette",
            PickerKind::Panes => "panes",
            PickerKind::Agents => "agents",
        },
        Overlay::Help(_) => "keys",
        Overlay::Log(_) => "messages",
        Overlay::Address(_) => "browser address",
        Overlay::Providers(panel) => return providers::title(panel),
    };
    title.to_owned()
}

/// The area of the box, border included.
fn outer(model: &Model, overlay: &Overlay) -> Rect {
    let (cols, rows) = model.size;
    let lines = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let (wide, high) = match overlay {
        Overlay::Confirm(confirm) => {
            let text = confirm
                .details
                .iter()
                .map(|line| width(line).saturating_add(2))
                .chain([width(&confirm.question)])
                .max()
                .unwrap_or(0);
            (
                text.saturating_add(4).clamp(30, 70),
                lines(confirm.details.len()).saturating_add(5),
            )
        }
        Overlay::Rename(_) => (50, 3),
        Overlay::Picker(picker) => match picker.kind {
            PickerKind::Agents => (40, lines(picker.len()).saturating_add(3)),
            _ => (76, lines(picker.len()).saturating_add(3).clamp(6, 20)),
        },
        Overlay::Help(_) => (84, rows),
        Overlay::Log(_) => (100, rows),
        Overlay::Providers(_) => (120, rows),
        Overlay::Address(state) => {
            let wide = ADDRESS_COLUMNS.min(cols);
            let count = address::count(state, wide.saturating_sub(4));
            (wide, lines(count).saturating_add(2))
        }
    };
    let (wide, high) = (wide.min(cols), high.min(rows.saturating_sub(2)));
    Rect::new(
        cols.saturating_sub(wide) / 2,
        1 + rows.saturating_sub(2).saturating_sub(high) / 3,
        wide,
        high,
    )
}

fn inside(outer: Rect) -> Rect {
    if outer.width < 2 || outer.height < 2 {
        return Rect::default();
    }
    Rect::new(
        outer.x + 2,
        outer.y + 1,
        outer.width.saturating_sub(4),
        outer.height - 2,
    )
}

fn draw_confirm(model: &Model, confirm: &Confirm, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let ellipsis = theme.glyphs().ellipsis;
    Line::new(buffer, area(inner), 0).put_fit(
        &confirm.question,
        theme.style(Role::Heading),
        ellipsis,
    );
    let room = inner.height.saturating_sub(2);
    for (row, detail) in (1..=room).zip(&confirm.details) {
        Line::new(buffer, area(inner), row).skip(2).put_fit(
            detail,
            theme.style(Role::Muted),
            ellipsis,
        );
    }
    let style = |choice| {
        theme.style(if confirm.choice == choice {
            Role::Selected
        } else {
            Role::Text
        })
    };
    // The chosen button is marked without colour too.
    let mark = |choice, text: &str| {
        if confirm.choice == choice {
            format!("[{}]", text.trim())
        } else {
            text.to_owned()
        }
    };
    Line::new(buffer, area(inner), inner.height.saturating_sub(1))
        .put(&mark(Choice::No, NO), style(Choice::No))
        .skip(2)
        .put(&mark(Choice::Yes, YES), style(Choice::Yes));
}

fn draw_rename(model: &Model, rename: &Rename, inner: Rect, buffer: &mut Buffer) {
    let style = model.theme.style(Role::Text);
    Line::new(buffer, area(inner), 0).put(rename.prompt.text(), style);
}

/// The first entry to show so that the chosen one is among them.
fn first_shown(picker: &Picker, rows: usize) -> usize {
    picker.selected().saturating_sub(rows.saturating_sub(1))
}

fn draw_picker(model: &Model, picker: &Picker, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let mut line = Line::new(buffer, area(inner), 0);
    line.put("> ", theme.style(Role::Key))
        .put(picker.query.text(), theme.style(Role::Text));
    let rows = inner.height.saturating_sub(1);
    if picker.is_empty() {
        Line::new(buffer, area(inner), 1).put("nothing fits", theme.style(Role::Muted));
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
    let theme = &model.theme;
    let glyphs = theme.glyphs();
    let base = theme.style(match (chosen, item.refused) {
        (true, _) => Role::Selected,
        (false, Some(_)) => Role::Muted,
        (false, None) => Role::Text,
    });
    let matched = base.patch(theme.style(Role::Matched));
    let detail = if chosen {
        base
    } else {
        base.patch(theme.style(Role::Muted))
    };
    let place = Rect::new(inner.x, inner.y + row, inner.width, 1);
    fill(buffer, area(place), base);
    let mut line = Line::new(buffer, area(inner), row);
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
        Picked::Focus(id) => match model.panes.get(id) {
            Some(pane) => {
                let (glyph, word, role) = super::sidebar::status(&model.theme, pane);
                (format!(" {glyph} {word} "), role)
            }
            None => (String::new(), Role::Muted),
        },
        Picked::Do(action) => (chord_of(model, *action), Role::Key),
        Picked::Launch(_) | Picked::Steer(_) => (String::new(), Role::Muted),
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
