//! What the screen should look like: functions of the model that change nothing.
//!
//! [`chrome`] draws everything of tundra's own into a buffer and leaves holes where panes show through; [`contents`]
//! says what is behind each hole; [`modes`] where the cursor is and what the outer terminal should tell. Where a
//! click lands is decided here too, since only the view knows where it put things.

mod address;
mod contents;
mod dialog;
mod frame_box;
mod gauge;
mod help;
mod hints;
mod journal;
mod launcher;
mod log;
mod log_file;
mod modes;
mod overlay;
mod overview;
mod panes;
mod picker;
mod piece;
mod providers;
mod report;
mod sidebar;
mod store_line;
mod strip;
mod tabs;
mod text;
mod toasts;
mod waiting;
mod whichkey;
mod window;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect as Area;

pub use contents::contents;
pub use gauge::{substitute_text, until_text};
pub use modes::modes;
pub use overlay::{Hit, hit as overlay_hit, scroll_limit as overlay_scroll_limit};
pub use sidebar::pane_at as sidebar_pane_at;
pub use tabs::tab_at;

use super::client::{MIN_SIZE, Mode, Overlay};

use super::model::Model;
use super::theme::Role;

/// Draws everything but the panes' own cells into a buffer, which gets the model's size. What stood in it is gone.
pub fn chrome(model: &Model, buffer: &mut Buffer) {
    let (cols, rows) = model.client.size;
    let area = Area::new(0, 0, cols, rows);
    if buffer.area == area {
        buffer.reset();
    } else {
        *buffer = Buffer::empty(area);
    }
    if model.client.is_too_small() {
        too_small(model, buffer);
        return;
    }
    let areas = model.areas();
    tabs::draw(model, areas.tabs, buffer);
    if let Some(area) = areas.sidebar {
        sidebar::draw(model, area, buffer);
    }
    panes::draw(model, areas.panes, buffer);
    if let Some(area) = areas.providers {
        strip::draw(model, area, buffer);
    }
    hints::draw(model, areas.hints, buffer);
    if matches!(model.client.mode, Mode::Prefix { listed: true, .. }) {
        whichkey::draw(model, buffer);
    }
    if model.client.overlay.as_ref().is_some_and(Overlay::asks) {
        // A question is read before it is answered.
        toasts::draw(model, buffer);
        overlay::draw(model, buffer);
    } else {
        overlay::draw(model, buffer);
        toasts::draw(model, buffer);
    }
}

/// Says that there is no room, as far as there is room to say it.
fn too_small(model: &Model, buffer: &mut Buffer) {
    let (cols, rows) = model.client.size;
    let text = format!(
        "too small: {cols}x{rows}, needs {}x{}",
        MIN_SIZE.0, MIN_SIZE.1
    );
    let style = model.client.theme.style(Role::Warning);
    let width = usize::from(cols.max(1));
    let chars: Vec<char> = text.chars().collect();
    for (y, line) in (0..rows).zip(chars.chunks(width)) {
        let line: String = line.iter().collect();
        buffer.set_stringn(0, y, line, width, style);
    }
}
