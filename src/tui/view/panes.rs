//! Panes: their holes, titles and dividers, and what is written over them.

use ratatui::buffer::Buffer;

use super::overview;
use super::sidebar::{status, viewers};
use super::text::{Line, field, fill, fit, width};
use super::waiting;
use super::window::Window;
use crate::domain::budget::Account;
use crate::domain::layout::Rect;
use crate::domain::terminal::Exit;
use crate::tui::copy::CopyView;
use crate::tui::frame::cut_hole;
use crate::tui::model::Model;
use crate::tui::session::{Pane, Tab};
use crate::tui::theme::Role;

/// A pane's name keeps so many columns before its cost is told.
const NAME_COLUMNS: u16 = 10;

pub(super) fn draw(model: &Model, rect: Rect, buffer: &mut Buffer) {
    let Some(tab) = model.session.tab() else {
        no_panes(model, rect, buffer);
        return;
    };
    if !tab.is_single() {
        draw_dividers(model, tab, rect, buffer);
    }
    for (id, pane_rect) in model.visible() {
        let Some(pane) = model.session.panes.get(&id) else {
            continue;
        };
        if let Some(waiting) = &pane.waiting {
            waiting::draw(model, pane, waiting, pane_rect, buffer);
            if !tab.is_single() {
                draw_title(model, pane, pane_rect, tab.focus == id, buffer);
            }
            continue;
        }
        let window = Window::of(pane, pane_rect);
        if window.rect != pane_rect {
            draw_nothing(model, pane_rect, buffer);
        }
        cut_hole(buffer, window.rect);
        if window.bar {
            draw_taken(model, pane, pane_rect, buffer);
        }
        if !tab.is_single() {
            draw_title(model, pane, pane_rect, tab.focus == id, buffer);
        }
        if let Some(exit) = pane.ended {
            draw_end(model, exit, pane_rect, buffer);
        }
        if let Some(mode) = &pane.copy {
            draw_copy(model, &mode.view(), pane_rect, buffer);
        }
    }
}

fn no_panes(model: &Model, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    fill(buffer, rect, theme.style(Role::Text));
    let text = if model.session.opening > 0 {
        "starting".to_owned()
    } else {
        let keymap = &model.options.keymap;
        let key = |action| {
            keymap
                .bindings_of(action)
                .first()
                .map_or_else(String::new, ToString::to_string)
        };
        format!(
            "no panes: {prefix} {} opens one, {prefix} {} leaves",
            key(crate::domain::action::Action::NewPane),
            key(crate::domain::action::Action::Quit),
            prefix = keymap.prefix(),
        )
    };
    let mut line = Line::new(buffer, rect, rect.height / 2);
    let left = line.room().saturating_sub(width(&text)) / 2;
    line.skip(left)
        .put_fit(&text, theme.style(Role::Muted), theme.glyphs().ellipsis);
}

/// Lines between panes, and along the top where the titles of the upper panes are.
fn draw_dividers(model: &Model, tab: &Tab, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let inner = model.layout_area(tab);
    let focus = tab.layout.rect_of(tab.focus, inner).unwrap_or_default();
    let style_at = |x, y| {
        theme.style(if focus.borders(x, y) {
            Role::BorderFocused
        } else {
            Role::Border
        })
    };
    let cells = tab.layout.divider_cells(inner);
    for x in rect.x..rect.right() {
        let below = cells.iter().any(|cell| (cell.x, cell.y) == (x, inner.y));
        let joint = glyphs.joint(false, below, true, true);
        buffer.set_stringn(x, rect.y, joint, 1, style_at(x, rect.y));
    }
    for cell in cells {
        // A vertical line that begins at the top goes on into the line of titles.
        let up = cell.up || cell.y == inner.y;
        let joint = glyphs.joint(up, cell.down, cell.left, cell.right);
        if buffer.area.contains((cell.x, cell.y).into()) {
            buffer.set_stringn(cell.x, cell.y, joint, 1, style_at(cell.x, cell.y));
        }
    }
}

/// What is around a screen that is smaller than its pane.
fn draw_nothing(model: &Model, rect: Rect, buffer: &mut Buffer) {
    let style = model.client.theme.style(Role::Border);
    let dots = model
        .client
        .theme
        .glyphs()
        .nothing
        .repeat(usize::from(rect.width));
    for row in 0..rect.height {
        Line::new(buffer, rect, row).put(&dots, style);
    }
}

/// That a viewer has taken the pane over, below its screen.
fn draw_taken(model: &Model, pane: &Pane, rect: Rect, buffer: &mut Buffer) {
    let style = model.client.theme.style(Role::Indicator);
    let row = Rect::new(rect.x, rect.bottom().saturating_sub(1), rect.width, 1);
    fill(buffer, row, style);
    let size = pane.info.size;
    let whole = format!(
        " a viewer types here ({}x{}); any key takes it back",
        size.cols(),
        size.rows()
    );
    let middle = " a viewer types; any key takes it back".to_owned();
    let brief = " any key takes it back".to_owned();
    let text = [whole, middle, brief]
        .into_iter()
        .find(|text| width(text) <= rect.width)
        .unwrap_or_else(|| " any key: back".to_owned());
    Line::new(buffer, row, 0).put_fit(&text, style, model.client.theme.glyphs().ellipsis);
}

/// The name and state of a pane, in the line above it.
fn draw_title(model: &Model, pane: &Pane, rect: Rect, focused: bool, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let Some(y) = rect.y.checked_sub(1) else {
        return;
    };
    let (glyph, word, role) = status(theme, pane);
    let state = if word.is_empty() {
        String::new()
    } else {
        format!("{glyph} {word} ")
    };
    let badge = if pane.badge {
        format!("{} ", glyphs.bell)
    } else {
        String::new()
    };
    let room = rect.width.saturating_sub(2);
    let viewers = viewers(theme, pane);
    let spent = match overview::cost(model, pane) {
        cost if cost.is_empty() => cost,
        cost => format!("{cost} "),
    };
    let near_end = model
        .providers
        .account(pane.info.id)
        .is_some_and(Account::is_near_end);
    // A budget that comes to its end is told before what is only to be known.
    let others = width(&state) + width(&viewers) + width(&badge) + 2;
    let has_room = room >= others + width(&spent) + NAME_COLUMNS;
    let spent = if near_end || has_room {
        spent
    } else {
        String::new()
    };
    let left = room.saturating_sub(others + width(&spent));
    let name = fit(pane.name(), left, glyphs.ellipsis);
    let style = theme.style(if focused {
        Role::BorderFocused
    } else {
        Role::Muted
    });
    let row = Rect::new(rect.x.saturating_add(1), y, room, 1);
    let mut line = Line::new(buffer, row, 0);
    line.put(&format!(" {name} "), style)
        .put(&state, theme.style(role))
        .put(
            &spent,
            theme.style(if near_end { Role::Warning } else { Role::Muted }),
        )
        .put(&viewers, theme.style(Role::Key))
        .put(&badge, theme.style(Role::Warning));
}

/// How the program ended, over the last row of its screen.
fn draw_end(model: &Model, exit: Exit, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let style = theme.style(Role::Dead);
    let row = Rect::new(rect.x, rect.bottom().saturating_sub(1), rect.width, 1);
    fill(buffer, row, style);
    let how = match exit {
        Exit::Code(code) => format!("exited with {code}"),
        Exit::Signal(signal) => format!("killed by signal {signal}"),
    };
    let text = format!(" {how} - press enter to close, r to restart");
    Line::new(buffer, row, 0).put_fit(&text, style, theme.glyphs().ellipsis);
}

/// Copy mode's indicator at the top right, and its prompt in the last row.
fn draw_copy(model: &Model, view: &CopyView, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let style = theme.style(Role::Indicator);
    let shown = width(&view.indicator).min(rect.width);
    let corner = Rect::new(rect.right().saturating_sub(shown), rect.y, shown, 1);
    fill(buffer, corner, style);
    Line::new(buffer, corner, 0).put(&view.indicator, style);
    let Some(prompt) = &view.prompt else { return };
    let row = Rect::new(rect.x, rect.bottom().saturating_sub(1), rect.width, 1);
    fill(buffer, row, theme.style(Role::Bar));
    let mut line = Line::new(buffer, row, 0);
    if let Some(error) = &prompt.error {
        line.put_right(&format!(" {error} "), theme.style(Role::Error));
    }
    let sign = prompt.sign.to_string();
    let room = line.room().saturating_sub(1);
    let (shown, _) = field(&prompt.text, &prompt.text, room);
    line.put(&sign, theme.style(Role::Key))
        .put(shown, theme.style(Role::Bar));
}
