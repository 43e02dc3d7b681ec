//! What lies over the panes: where it is, what it shows, and what a click in it hits.

use ratatui::buffer::Buffer;

use super::frame_box::{frame_box, inside};
use super::text::{field, width};
use super::{
    address, dialog, help, journal, launcher, log, log_file, overview, picker, providers, report,
};
use crate::domain::layout::Rect;
use crate::tui::client::{Choice, Overlay, PickerKind, Prompt, Wants};
use crate::tui::model::Model;

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

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let Some(overlay) = &model.client.overlay else {
        return;
    };
    let inner = frame_box(model, outer(model, overlay), &title(overlay), buffer);
    match overlay {
        Overlay::Confirm(confirm) => dialog::draw_confirm(model, confirm, inner, buffer),
        Overlay::Ask(ask) => dialog::draw_ask(model, ask, inner, buffer),
        Overlay::Picker(state) => picker::draw(model, state, inner, buffer),
        Overlay::Help(state) => help::draw(model, state, inner, buffer),
        Overlay::Log(state) => log::draw(model, state, inner, buffer),
        Overlay::Providers(panel) => providers::draw(model, panel, inner, buffer),
        Overlay::Address(state) => address::draw(model, state, inner, buffer),
        Overlay::Journal(state) => journal::draw(model, state, inner, buffer),
        Overlay::LogFile(state) => log_file::draw(model, state, inner, buffer),
        Overlay::Overview(state) => overview::draw(model, state, inner, buffer),
        Overlay::Launcher(state) => launcher::draw(model, state, inner, buffer),
        Overlay::Report(state) => report::draw(model, state, inner, buffer),
    }
}

/// What a click hits.
#[must_use]
pub fn hit(model: &Model, x: u16, y: u16) -> Hit {
    let Some(overlay) = &model.client.overlay else {
        return Hit::Outside;
    };
    let outer = outer(model, overlay);
    if !outer.contains(x, y) {
        return Hit::Outside;
    }
    let inner = inside(outer);
    match overlay {
        Overlay::Picker(list) => {
            let rows = usize::from(inner.height.saturating_sub(1));
            let first = picker::first_shown(list, rows);
            y.checked_sub(inner.y + 1)
                .map(|row| first + usize::from(row))
                .filter(|index| *index < list.len() && *index < first + rows)
                .map_or(Hit::Inside, Hit::Entry)
        }
        Overlay::Confirm(_) if y + 1 == inner.bottom() => {
            dialog::button_at(x.saturating_sub(inner.x)).map_or(Hit::Inside, Hit::Button)
        }
        _ => Hit::Inside,
    }
}

/// How far help or the log can be scrolled.
#[must_use]
pub fn scroll_limit(model: &Model) -> usize {
    let Some(overlay) = &model.client.overlay else {
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
        Overlay::Report(state) => report::count_lines(state, inner.width).saturating_sub(rows),
        Overlay::Journal(state) => journal::scroll_limit(model, state, inner),
        Overlay::LogFile(state) => log_file::scroll_limit(model, state, inner),
        _ => 0,
    }
}

/// Where one types, or the chosen button or entry: whoever reads with ears or fingers follows the cursor.
pub(super) fn cursor(model: &Model, overlay: &Overlay) -> Option<(u16, u16)> {
    let inner = inside(outer(model, overlay));
    // What is typed begins in that column.
    let typed = |prompt: &Prompt, start: u16| {
        let columns = inner.width.saturating_sub(start);
        let (_, column) = field(prompt.text(), prompt.before_cursor(), columns);
        start.saturating_add(column)
    };
    let (x, y) = match overlay {
        Overlay::Ask(ask) => (typed(&ask.prompt, 0), 0),
        Overlay::Picker(picker) => (typed(&picker.query, 2), 0),
        Overlay::Help(help) => (typed(&help.query, 8), 0),
        Overlay::Confirm(confirm) => (
            dialog::button_column(confirm.choice),
            inner.height.saturating_sub(1),
        ),
        Overlay::LogFile(view) => {
            let (prompt, start, row) = log_file::typed(view)?;
            (typed(prompt, start), row)
        }
        Overlay::Launcher(launcher) => {
            let place = launcher::typed_at(launcher, inner);
            match (launcher.focused(), place) {
                (Some((_, prompt)), Some((column, row))) => (typed(prompt, column), row),
                _ => (0, launcher::row_of_chosen(launcher, inner)?),
            }
        }
        Overlay::Overview(overview) => {
            match (&overview.answer, overview::prompt_place(overview, inner)) {
                (Some(prompt), Some((column, row))) => (typed(prompt, column), row),
                _ => (0, overview::row_of_chosen(model, overview, inner)?),
            }
        }
        Overlay::Providers(panel) => (0, providers::row_of_chosen(model, panel, inner.height)?),
        Overlay::Log(_) | Overlay::Address(_) | Overlay::Journal(_) | Overlay::Report(_) => {
            return None;
        }
    };
    let x = inner.x + x.min(inner.width.saturating_sub(1));
    let y = inner.y + y;
    inner.contains(x, y).then_some((x, y))
}

fn title(overlay: &Overlay) -> String {
    let title = match overlay {
        Overlay::Confirm(_) => "sure?",
        Overlay::Ask(ask) => match ask.wants {
            Wants::PaneName(_) => "name of the pane",
            Wants::TabName(_) => "name of the tab",
            Wants::TabNumber => "number of the tab",
            Wants::Command => "command",
        },
        Overlay::Picker(picker) => match picker.kind {
            PickerKind::Palette => "palette",
            PickerKind::Panes => "panes",
            PickerKind::Tabs => "move the pane to",
        },
        Overlay::Help(_) => "keys",
        Overlay::Log(_) => "messages",
        Overlay::Address(_) => "browser address",
        Overlay::Journal(view) => journal::title(view),
        Overlay::LogFile(_) => "log",
        Overlay::Overview(_) => "agents",
        Overlay::Launcher(_) => "start an agent",
        Overlay::Report(view) => report::title(view),
        Overlay::Providers(panel) => return providers::title(panel),
    };
    title.to_owned()
}

/// The area of the box, border included.
fn outer(model: &Model, overlay: &Overlay) -> Rect {
    let (cols, rows) = model.client.size;
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
        Overlay::Ask(ask) => match ask.wants {
            Wants::PaneName(_) | Wants::TabName(_) => (50, 3),
            Wants::TabNumber => (30, 3),
            Wants::Command => (76, 3),
        },
        Overlay::Picker(picker) => match picker.kind {
            PickerKind::Tabs => (40, lines(picker.len()).saturating_add(3)),
            _ => (76, lines(picker.len()).saturating_add(3).clamp(6, 20)),
        },
        Overlay::Help(_) => (84, rows),
        Overlay::Log(_) | Overlay::Journal(_) | Overlay::Overview(_) | Overlay::Report(_) => {
            (100, rows)
        }
        Overlay::LogFile(_) => (cols, rows),
        Overlay::Launcher(launcher) => (56, lines(launcher::rows(launcher)).saturating_add(2)),
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
