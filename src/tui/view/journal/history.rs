//! What happened, the newest last.

use jiff::Timestamp;

use crate::tui::client::HistoryEntry;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::view::piece::{Piece, Styled, muted};
use crate::tui::view::text::wrap;

const TIME_COLUMNS: usize = 12;
/// The longest kind and a blank.
const KIND_COLUMNS: usize = 18;
/// Lines that one event may take.
const EVENT_LINES: usize = 3;
/// Where there are fewer columns for them, texts stand below times and kinds.
const LEAST_TEXT: u16 = 24;

pub(super) fn lines(
    model: &Model,
    read_at: Timestamp,
    entries: &[HistoryEntry],
    width: u16,
) -> Vec<Styled> {
    if entries.is_empty() {
        return vec![muted("nothing happened")];
    }
    let today = model.options.date(read_at);
    let ellipsis = model.client.theme.glyphs().ellipsis;
    let before = u16::try_from(TIME_COLUMNS + KIND_COLUMNS).unwrap_or(u16::MAX);
    let beside = width.saturating_sub(before);
    let is_beside = beside >= LEAST_TEXT;
    let room = if is_beside {
        beside
    } else {
        width.saturating_sub(2)
    };
    let mut lines = Vec::new();
    for entry in entries {
        let mut head = vec![
            Piece(
                format!("{:<TIME_COLUMNS$}", time(model, entry.at, &today)),
                Role::Muted,
            ),
            Piece(format!("{:<KIND_COLUMNS$}", entry.kind), role(&entry.kind)),
        ];
        let mut texts = wrap(&entry.text, room, EVENT_LINES, ellipsis).into_iter();
        if is_beside {
            head.extend(texts.next().map(|text| Piece(text, Role::Text)));
        }
        lines.push(head);
        let indent = if is_beside { usize::from(before) } else { 2 };
        lines.extend(texts.map(|text| vec![Piece(" ".repeat(indent) + &text, Role::Text)]));
    }
    lines
}

/// The time of day, and of other days their date too.
fn time(model: &Model, at: Timestamp, today: &str) -> String {
    let date = model.options.date(at);
    let time = model.options.time(at);
    if date == today {
        time
    } else {
        let minute = time.rsplit_once(':').map_or("", |(minute, _)| minute);
        format!("{} {minute}", date.get(5..).unwrap_or_default())
    }
}

/// What went wrong catches the eye.
fn role(kind: &str) -> Role {
    match kind {
        "provider.failed" | "provider.cooldown" | "provider.breaker" | "provider.failover"
        | "viewer.refused" | "config.refused" | "store.state" => Role::Warning,
        _ => Role::Info,
    }
}
