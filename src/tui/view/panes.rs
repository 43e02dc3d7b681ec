//! Panes: their holes, titles and dividers, what is behind the holes, and the cursor.

use ratatui::buffer::Buffer;

use super::area;
use super::sidebar::{status, viewers};
use super::text::{Line, fill, fit, width};
use crate::domain::id::TerminalId;
use crate::domain::layout::Rect;
use crate::domain::screen::CursorShape;
use crate::domain::terminal::Exit;
use crate::tui::copy::CopyView;
use crate::tui::frame::{Content, CursorAt, Mouse, OuterModes, Rows, cut_hole};
use crate::tui::model::{Model, Pane, Tab};
use crate::tui::theme::Role;

/// A pane of fewer rows has none to spare for a bar.
const BAR_FROM_ROWS: u16 = 3;

pub(super) fn draw(model: &Model, rect: Rect, buffer: &mut Buffer) {
    let Some(tab) = model.tab() else {
        no_panes(model, rect, buffer);
        return;
    };
    if !tab.is_single() {
        draw_dividers(model, tab, rect, buffer);
    }
    for (id, pane_rect) in model.visible() {
        let Some(pane) = model.panes.get(&id) else {
            continue;
        };
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

/// Where a pane's screen is shown within its area: all over it, but for the screen of a viewer that has another size.
struct Window {
    rect: Rect,
    /// The row of the screen that is shown first.
    first_row: usize,
    /// The last row of the area tells that a viewer types.
    bar: bool,
}

impl Window {
    /// Of a screen that is too high the part with the cursor is shown, of one that is too wide the left part.
    fn of(pane: &Pane, rect: Rect) -> Self {
        let taken = pane.info.taken && pane.ended.is_none() && pane.copy.is_none();
        let Some(screen) = pane.screen.as_ref().filter(|_| taken) else {
            return Self {
                rect,
                first_row: 0,
                bar: false,
            };
        };
        let bar = rect.height >= BAR_FROM_ROWS;
        let room = rect.height - u16::from(bar);
        let cursor_end = screen.cursor.row.saturating_add(1);
        Self {
            rect: Rect {
                width: rect.width.min(screen.size.cols()),
                height: room.min(screen.size.rows()),
                ..rect
            },
            first_row: usize::from(cursor_end.saturating_sub(room)),
            bar,
        }
    }
}

/// What is behind each hole, in the order of [`Model::visible`].
#[must_use]
pub fn contents(model: &Model) -> Vec<Content<'_>> {
    model
        .visible()
        .into_iter()
        .filter_map(|(id, rect)| {
            let pane = model.panes.get(&id)?;
            Some(content(pane, rect))
        })
        .collect()
}

fn content(pane: &Pane, rect: Rect) -> Content<'_> {
    if let Some(mode) = &pane.copy {
        let view = mode.view();
        let spans = |spans: &[crate::tui::copy::Span], role| {
            spans
                .iter()
                .map(|span| (span.row, span.cols, role))
                .collect::<Vec<_>>()
        };
        let mut all = spans(&view.matches, Role::SearchMatch);
        all.extend(spans(view.current_match.as_slice(), Role::SearchCurrent));
        all.extend(spans(&view.selection, Role::Selection));
        return Content {
            rect,
            rows: Rows::Held(view.rows),
            reverse: false,
            spans: all,
        };
    }
    let window = Window::of(pane, rect);
    let rows = pane.screen.as_ref().map(|screen| screen.rows.as_slice());
    Content {
        rect: window.rect,
        rows: Rows::Live(
            rows.and_then(|rows| rows.get(window.first_row..))
                .unwrap_or_default(),
        ),
        reverse: pane.screen.as_ref().is_some_and(|screen| screen.reverse),
        spans: Vec::new(),
    }
}

/// What the outer terminal should be in.
#[must_use]
pub fn modes(model: &Model) -> OuterModes {
    let title = match model.focused() {
        Some(pane) if !pane.info.title.is_empty() => pane.info.title.clone(),
        Some(pane) => pane.name().to_owned(),
        None => "tundra".to_owned(),
    };
    let mouse = match (model.mouse, model.wants_movements()) {
        (false, _) => Mouse::Off,
        (true, false) => Mouse::Buttons,
        (true, true) => Mouse::Any,
    };
    OuterModes {
        cursor: cursor(model),
        title,
        mouse,
        keyboard: model.keyboard.then(|| keyboard(model)),
    }
}

/// Kitty flags: keys are always told apart; the rest is asked for while the program in the focused pane does.
fn keyboard(model: &Model) -> u8 {
    const DISAMBIGUATE: u8 = 1;
    const ALL_AS_ESCAPES: u8 = 8;
    /// Alternate keys and text, without which an escape does not tell which character Shift made.
    const CHARACTERS: u8 = 4 | 16;
    let asked = model
        .focused()
        .filter(|pane| pane.copy.is_none() && pane.ended.is_none())
        .and_then(|pane| pane.screen.as_ref())
        .map_or(0, |screen| screen.modes.kitty_flags & 0b1_1111);
    let characters = if asked & ALL_AS_ESCAPES != 0 {
        CHARACTERS
    } else {
        0
    };
    asked | DISAMBIGUATE | characters
}

/// The hardware cursor: where one types.
fn cursor(model: &Model) -> Option<CursorAt> {
    let at = |x, y| CursorAt {
        x,
        y,
        shape: CursorShape::Default,
        blinking: false,
    };
    if model.is_too_small() {
        return None;
    }
    if let Some(overlay) = &model.overlay {
        return super::overlay::cursor(model, overlay).map(|(x, y)| at(x, y));
    }
    let focus = model.focus()?;
    let rect = rect_of(model, focus)?;
    let pane = model.panes.get(&focus)?;
    let inside = |row: u16, col: u16| {
        let (x, y) = (rect.x.saturating_add(col), rect.y.saturating_add(row));
        rect.contains(x, y).then_some((x, y))
    };
    if let Some(mode) = &pane.copy {
        let view = mode.view();
        let (row, col) = match &view.prompt {
            Some(prompt) => (
                rect.height.saturating_sub(1),
                width(&prompt.text)
                    .saturating_add(1)
                    .min(rect.width.saturating_sub(1)),
            ),
            None => view.cursor,
        };
        return inside(row, col).map(|(x, y)| at(x, y));
    }
    if pane.ended.is_some() {
        return None;
    }
    let cursor = pane.screen.as_ref()?.cursor;
    let window = Window::of(pane, rect);
    let first_row = u16::try_from(window.first_row).unwrap_or(u16::MAX);
    let (x, y) = cursor
        .row
        .checked_sub(first_row)
        .and_then(|row| inside(row, cursor.col))
        .filter(|(x, y)| cursor.visible && window.rect.contains(*x, *y))?;
    Some(CursorAt {
        x,
        y,
        shape: cursor.shape,
        blinking: cursor.blinking,
    })
}

fn rect_of(model: &Model, id: TerminalId) -> Option<Rect> {
    let (_, rect) = model.visible().into_iter().find(|(pane, _)| *pane == id)?;
    Some(rect)
}

fn no_panes(model: &Model, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    fill(buffer, area(rect), theme.style(Role::Text));
    let text = if model.opening > 0 {
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
    let mut line = Line::new(buffer, area(rect), rect.height / 2);
    let left = line.room().saturating_sub(width(&text)) / 2;
    line.skip(left)
        .put_fit(&text, theme.style(Role::Muted), theme.glyphs().ellipsis);
}

/// Lines between panes, and along the top where the titles of the upper panes are.
fn draw_dividers(model: &Model, tab: &Tab, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
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
    let style = model.theme.style(Role::Border);
    let dots = model.theme.glyphs().nothing.repeat(usize::from(rect.width));
    for row in 0..rect.height {
        Line::new(buffer, area(rect), row).put(&dots, style);
    }
}

/// That a viewer has taken the pane over, below its screen.
fn draw_taken(model: &Model, pane: &Pane, rect: Rect, buffer: &mut Buffer) {
    let style = model.theme.style(Role::Indicator);
    let row = Rect::new(rect.x, rect.bottom().saturating_sub(1), rect.width, 1);
    fill(buffer, area(row), style);
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
    Line::new(buffer, area(row), 0).put_fit(&text, style, model.theme.glyphs().ellipsis);
}

/// The name and state of a pane, in the line above it.
fn draw_title(model: &Model, pane: &Pane, rect: Rect, focused: bool, buffer: &mut Buffer) {
    let theme = &model.theme;
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
    let left = room.saturating_sub(width(&state) + width(&viewers) + width(&badge) + 2);
    let name = fit(pane.name(), left, glyphs.ellipsis);
    let style = theme.style(if focused {
        Role::BorderFocused
    } else {
        Role::Border
    });
    let row = Rect::new(rect.x.saturating_add(1), y, room, 1);
    let mut line = Line::new(buffer, area(row), 0);
    line.put(&format!(" {name} "), style)
        .put(&state, theme.style(role))
        .put(&viewers, theme.style(Role::Key))
        .put(&badge, theme.style(Role::Warning));
}

/// How the program ended, over the last row of its screen.
fn draw_end(model: &Model, exit: Exit, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let style = theme.style(Role::Dead);
    let row = Rect::new(rect.x, rect.bottom().saturating_sub(1), rect.width, 1);
    fill(buffer, area(row), style);
    let how = match exit {
        Exit::Code(code) => format!("exited with {code}"),
        Exit::Signal(signal) => format!("killed by signal {signal}"),
    };
    let text = format!(" {how} - press enter to close, r to restart");
    Line::new(buffer, area(row), 0).put_fit(&text, style, theme.glyphs().ellipsis);
}

/// Copy mode's indicator at the top right, and its prompt in the last row.
fn draw_copy(model: &Model, view: &CopyView, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let style = theme.style(Role::Indicator);
    let shown = width(&view.indicator).min(rect.width);
    let corner = Rect::new(rect.right().saturating_sub(shown), rect.y, shown, 1);
    fill(buffer, area(corner), style);
    Line::new(buffer, area(corner), 0).put(&view.indicator, style);
    let Some(prompt) = &view.prompt else { return };
    let row = Rect::new(rect.x, rect.bottom().saturating_sub(1), rect.width, 1);
    fill(buffer, area(row), theme.style(Role::Bar));
    let mut line = Line::new(buffer, area(row), 0);
    if let Some(error) = &prompt.error {
        line.put_right(&format!(" {error} "), theme.style(Role::Error));
    }
    let sign = prompt.sign.to_string();
    line.put(&sign, theme.style(Role::Key))
        .put(&prompt.text, theme.style(Role::Bar));
}
