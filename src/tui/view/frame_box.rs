//! The box around what lies over the panes.

use ratatui::buffer::Buffer;

use super::text::{Line, fill, fit};
use crate::domain::layout::Rect;
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// A box over the panes; gives the area inside.
pub(super) fn frame_box(model: &Model, rect: Rect, title: &str, buffer: &mut Buffer) -> Rect {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let border = theme.style(Role::BorderFocused);
    fill(buffer, rect, theme.style(Role::Text));
    if rect.width < 2 || rect.height < 2 {
        return Rect::default();
    }
    let across = glyphs.horizontal.repeat(usize::from(rect.width - 2));
    let last = rect.height - 1;
    for row in 0..rect.height {
        let mut line = Line::new(buffer, rect, row);
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
    Line::new(buffer, head, 0).put(&title, theme.style(Role::Heading));
    inside(rect)
}

/// The area inside a box.
pub(super) fn inside(outer: Rect) -> Rect {
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
