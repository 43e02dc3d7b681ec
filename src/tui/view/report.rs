//! A page to read, wrapped to any width.

use ratatui::buffer::Buffer;

use super::text::{Line, wrap};
use crate::domain::check::{Check, CheckStatus, count};
use crate::domain::explain::{Explanation, Severity};
use crate::domain::layout::Rect;
use crate::domain::printable::printable;
use crate::tui::client::{About, Report};
use crate::tui::model::Model;
use crate::tui::theme::Role;

pub(super) const fn title(report: &Report) -> &'static str {
    match report.about {
        About::Error { .. } => "what it means",
        About::Checkup(_) => "doctor",
    }
}

pub(super) fn draw(model: &Model, report: &Report, inner: Rect, buffer: &mut Buffer) {
    let lines = lines(report, inner.width);
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let shown = lines.iter().skip(report.scroll.min(last));
    for (row, (indent, text, role)) in (0..inner.height).zip(shown) {
        let mut line = Line::new(buffer, inner, row);
        line.skip(*indent)
            .put(text, model.client.theme.style(*role));
    }
}

/// Lines at a width.
pub(super) fn count_lines(report: &Report, width: u16) -> usize {
    lines(report, width).len()
}

/// Each with its indent.
type Lines = Vec<(u16, String, Role)>;

fn lines(report: &Report, width: u16) -> Lines {
    let mut lines = Lines::new();
    let mut put = |indent: u16, text: &str, role: Role| {
        let text = printable(text);
        for line in wrap(&text, width.saturating_sub(indent), usize::MAX, "") {
            lines.push((indent, line, role));
        }
    };
    match &report.about {
        About::Error { told, entry: None } => {
            put(0, told, Role::Warning);
            put(0, "", Role::Text);
            put(
                0,
                "Nothing more is known of it; tundra explain lists all errors.",
                Role::Muted,
            );
        }
        About::Error {
            told,
            entry: Some(entry),
        } => explanation(told, entry, &mut put),
        About::Checkup(None) => put(
            0,
            "looking at everything, which takes up to five seconds",
            Role::Muted,
        ),
        About::Checkup(Some(checks)) => checkup(checks, &mut put),
    }
    lines
}

fn explanation(told: &str, entry: &Explanation, put: &mut impl FnMut(u16, &str, Role)) {
    let role = match entry.severity {
        Severity::Info => Role::Info,
        Severity::Warning => Role::Warning,
        Severity::Error => Role::Error,
    };
    put(0, told, role);
    put(0, "", Role::Text);
    put(0, entry.meaning, Role::Text);
    for (title, items) in [
        ("What helps", entry.cures),
        ("Causes", entry.causes),
        ("Symptoms", entry.symptoms),
        ("Prevention", entry.prevention),
    ] {
        put(0, "", Role::Text);
        put(0, title, Role::Key);
        for item in items {
            put(2, item, Role::Text);
        }
    }
    put(0, "", Role::Text);
    let more = format!(
        "{}; the log tells more under {}",
        entry.name, entry.log_target
    );
    put(0, &more, Role::Muted);
}

/// What fails first, then what may, then the rest.
fn checkup(checks: &[Check], put: &mut impl FnMut(u16, &str, Role)) {
    let counts =
        CheckStatus::ALL.map(|status| format!("{} {}", count(checks, status), status.as_str()));
    put(0, &counts.join(", "), Role::Key);
    for status in [
        CheckStatus::Fail,
        CheckStatus::Warn,
        CheckStatus::Ok,
        CheckStatus::Skip,
    ] {
        let role = match status {
            CheckStatus::Ok => Role::Success,
            CheckStatus::Warn => Role::Warning,
            CheckStatus::Fail => Role::Error,
            CheckStatus::Skip => Role::Muted,
        };
        for check in checks.iter().filter(|check| check.status == status) {
            let line = format!("{:4} {}: {}", status.as_str(), check.name, check.message);
            put(0, &line, role);
            if let Some(cure) = &check.cure {
                put(5, cure, Role::Text);
            }
        }
    }
}
