//! The log, the newest line last, with what it is filtered by.

use ratatui::buffer::Buffer;

use super::text::{Line, width, wrap};
use crate::config::LogLevel;
use crate::domain::layout::Rect;
use crate::tui::client::{LogEntry, LogField, LogView, Prompt};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Columns of the time and of the level.
const TIME_COLUMNS: u16 = 9;
const LEVEL_COLUMNS: u16 = 6;
/// Lines that one event may take.
const EVENT_LINES: usize = 4;
/// What stands before the two fields, each in a row of its own.
const TARGET: &str = "t target ";
const TEXT: &str = "/ text   ";
/// Rows above the lines.
const HEAD_ROWS: u16 = 2;

pub(super) fn draw(model: &Model, view: &LogView, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let (muted, heading) = (theme.style(Role::Muted), theme.style(Role::Heading));
    let level = view.level.map_or("all", LogLevel::as_str);
    let mut line = Line::new(buffer, inner, 0);
    line.put(TARGET, muted).put_field(&view.target, heading);
    // Last, so that it stays where a target is longer than the row.
    let level = format!("  l level {level:<5}");
    let right = Rect::new(
        inner.right().saturating_sub(width(&level)),
        inner.y,
        width(&level),
        1,
    );
    Line::new(buffer, right, 0).put(&level, muted);
    let mut line = Line::new(buffer, inner, 1);
    line.put(TEXT, muted).put_field(&view.text, heading);
    let rows = inner.height.saturating_sub(HEAD_ROWS);
    match &view.lines {
        None => return,
        Some(Err(why)) => {
            Line::new(buffer, inner, HEAD_ROWS).put(why, theme.style(Role::Error));
            return;
        }
        Some(Ok(_)) => {}
    }
    let lines = lines(model, view, inner.width, usize::from(rows) + view.scroll);
    if lines.is_empty() {
        Line::new(buffer, inner, HEAD_ROWS).put("no such line", muted);
        return;
    }
    let last = lines.len().saturating_sub(usize::from(rows));
    let first = last.saturating_sub(view.scroll);
    let shown = lines.iter().skip(first);
    for (row, shown) in (HEAD_ROWS..inner.height).zip(shown) {
        let mut line = Line::new(buffer, inner, row);
        match shown {
            Shown::Head { time, level, text } => {
                line.put(time, muted).skip(TIME_COLUMNS.saturating_sub(8));
                line.put(level, theme.style(role(level)));
                line.put(text, theme.style(Role::Text));
            }
            Shown::More(text) => {
                line.skip(indent(inner.width))
                    .put(text, theme.style(Role::Text));
            }
        }
    }
}

/// How far the log can be scrolled in an area.
pub(super) fn scroll_limit(model: &Model, view: &LogView, inner: Rect) -> usize {
    let rows = usize::from(inner.height.saturating_sub(HEAD_ROWS));
    lines(model, view, inner.width, usize::MAX)
        .len()
        .saturating_sub(rows)
}

/// Where one types, while one does: the field, its first column, and its row.
pub(super) fn typed(view: &LogView) -> Option<(&Prompt, u16, u16)> {
    Some(match view.typing? {
        LogField::Target => (&view.target, width(TARGET), 0),
        LogField::Text => (&view.text, width(TEXT), 1),
    })
}

enum Shown {
    Head {
        time: String,
        level: String,
        text: String,
    },
    More(String),
}

/// The lines on the screen, at least the last `enough` where there are so many.
fn lines(model: &Model, view: &LogView, columns: u16, enough: usize) -> Vec<Shown> {
    let ellipsis = model.client.theme.glyphs().ellipsis;
    let room = columns.saturating_sub(indent(columns)).max(1);
    let mut events = Vec::new();
    let mut count = 0;
    for entry in view.wanted().rev() {
        if count >= enough {
            break;
        }
        let texts = wrap(&told(entry), room, EVENT_LINES, ellipsis);
        count += texts.len();
        events.push((entry, texts));
    }
    let mut lines = Vec::new();
    for (entry, texts) in events.into_iter().rev() {
        let time = entry.at.map_or_else(
            || " ".repeat(usize::from(TIME_COLUMNS) - 1),
            |at| model.options.time(at),
        );
        let level = entry.level.map_or("", LogLevel::as_str);
        let level = format!("{level:<width$}", width = usize::from(LEVEL_COLUMNS));
        let mut texts = texts.into_iter();
        lines.push(Shown::Head {
            time,
            level,
            text: texts.next().unwrap_or_default(),
        });
        lines.extend(texts.map(Shown::More));
    }
    lines
}

/// The target without what all of tundra's own have in common, and the text.
fn told(entry: &LogEntry) -> String {
    let target = entry.target.strip_prefix("tundra::");
    match target.unwrap_or(&entry.target) {
        "" => entry.text.clone(),
        target => format!("{target}: {}", entry.text),
    }
}

fn indent(columns: u16) -> u16 {
    (TIME_COLUMNS + LEVEL_COLUMNS).min(columns / 2)
}

fn role(level: &str) -> Role {
    match LogLevel::named(level.trim_end()) {
        Some(LogLevel::Error) => Role::Error,
        Some(LogLevel::Warn) => Role::Warning,
        Some(LogLevel::Info) => Role::Info,
        Some(LogLevel::Debug | LogLevel::Trace) | None => Role::Muted,
    }
}
