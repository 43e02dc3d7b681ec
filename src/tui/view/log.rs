//! Past messages, newest last.

use ratatui::buffer::Buffer;

use super::area;
use super::text::Line;
use crate::domain::layout::Rect;
use crate::tui::model::{Log, Model, Severity};
use crate::tui::theme::Role;

pub(super) fn draw(model: &Model, log: &Log, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let messages = model.messages.log();
    if messages.is_empty() {
        Line::new(buffer, area(inner), 0).put("no messages yet", theme.style(Role::Muted));
        return;
    }
    let rows = usize::from(inner.height);
    let last = messages.len().saturating_sub(rows);
    let first = last.saturating_sub(log.scroll);
    for (row, message) in (0..inner.height).zip(messages.iter().skip(first)) {
        let role = match message.severity {
            Severity::Info => Role::Text,
            Severity::Success => Role::Success,
            Severity::Warning => Role::Warning,
            Severity::Error => Role::Error,
        };
        let mut line = Line::new(buffer, area(inner), row);
        let time = message.at.strftime("%H:%M:%SZ ").to_string();
        line.put(&time, theme.style(Role::Muted));
        let times = if message.count > 1 {
            format!(" (x{})", message.count)
        } else {
            String::new()
        };
        line.put_fit(
            &format!("{}{times}", message.text),
            theme.style(role),
            theme.glyphs().ellipsis,
        );
    }
}
