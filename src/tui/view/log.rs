//! Past messages, newest last.

use ratatui::buffer::Buffer;

use super::text::{Line, wrap};
use crate::domain::layout::Rect;
use crate::tui::client::Log;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::theme::Role;

/// Columns of the time before each message.
const TIME_COLUMNS: u16 = 10;
/// Lines that one message may take.
const MESSAGE_LINES: usize = 20;

pub(super) fn draw(model: &Model, log: &Log, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let lines = lines(model, inner.width);
    if lines.is_empty() {
        Line::new(buffer, inner, 0).put("no messages yet", theme.style(Role::Muted));
        return;
    }
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let first = last.saturating_sub(log.scroll);
    for (row, (time, text, role)) in (0..inner.height).zip(lines.iter().skip(first)) {
        Line::new(buffer, inner, row).put(time, theme.style(Role::Muted));
        let mut line = Line::new(buffer, inner, row);
        line.skip(TIME_COLUMNS).put(text, theme.style(*role));
    }
}

/// Lines of the whole log at a width.
pub(super) fn count(model: &Model, width: u16) -> usize {
    lines(model, width).len()
}

fn lines(model: &Model, width: u16) -> Vec<(String, String, Role)> {
    let ellipsis = model.client.theme.glyphs().ellipsis;
    let room = width.saturating_sub(TIME_COLUMNS);
    let mut lines = Vec::new();
    for message in model.session.messages.log() {
        let role = match message.severity {
            Severity::Info => Role::Text,
            Severity::Success => Role::Success,
            Severity::Warning => Role::Warning,
            Severity::Error => Role::Error,
        };
        let mut time = model.options.time(message.at);
        let text = message.shown();
        for line in wrap(&text, room, MESSAGE_LINES, ellipsis) {
            lines.push((std::mem::take(&mut time), line, role));
        }
    }
    lines
}
