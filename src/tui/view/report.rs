//! A page to read, wrapped to any width.

use ratatui::buffer::Buffer;

use super::text::{Line, width, wrap};
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
pub(super) fn count_lines(report: &Report, columns: u16) -> usize {
    lines(report, columns).len()
}

/// Each with its indent.
type Lines = Vec<(u16, String, Role)>;

fn lines(report: &Report, columns: u16) -> Lines {
    let mut page = Written {
        columns,
        lines: Lines::new(),
    };
    match &report.about {
        About::Error { told, entry: None } => {
            page.text(told, Role::Warning);
            page.blank();
            page.text(
                "Nothing more is known of it; tundra explain lists all errors.",
                Role::Muted,
            );
        }
        About::Error {
            told,
            entry: Some(entry),
        } => explanation(told, entry, &mut page),
        About::Checkup(None) => page.text(
            "looking at everything, which takes up to five seconds",
            Role::Muted,
        ),
        About::Checkup(Some(checks)) => checkup(checks, &mut page),
    }
    page.lines
}

/// What has been written so far, at a width.
struct Written {
    columns: u16,
    lines: Lines,
}

impl Written {
    fn blank(&mut self) {
        self.lines.push((0, String::new(), Role::Text));
    }

    fn text(&mut self, text: &str, role: Role) {
        self.item("", text, role);
    }

    /// A text after `lead`, its further lines below its first.
    fn item(&mut self, lead: &str, text: &str, role: Role) {
        let indent = width(lead);
        let room = self.columns.saturating_sub(indent);
        let texts = wrap(&printable(text), room, usize::MAX, "");
        for (index, text) in texts.into_iter().enumerate() {
            self.lines.push(match index {
                0 => (0, format!("{lead}{text}"), role),
                _ => (indent, text, role),
            });
        }
    }
}

fn explanation(told: &str, entry: &Explanation, page: &mut Written) {
    let role = match entry.severity {
        Severity::Info => Role::Info,
        Severity::Warning => Role::Warning,
        Severity::Error => Role::Error,
    };
    page.text(told, role);
    page.blank();
    page.text(entry.meaning, Role::Text);
    for (title, items) in [
        ("What helps", entry.cures),
        ("Causes", entry.causes),
        ("Symptoms", entry.symptoms),
        ("Prevention", entry.prevention),
    ] {
        if items.is_empty() {
            continue;
        }
        page.blank();
        page.text(title, Role::Key);
        for item in items {
            page.item("- ", item, Role::Text);
        }
    }
    page.blank();
    let more = format!(
        "{}; the log tells more under {}",
        entry.name, entry.log_target
    );
    page.text(&more, Role::Muted);
}

/// What fails first, then what may, then the rest.
fn checkup(checks: &[Check], page: &mut Written) {
    let counts =
        CheckStatus::ALL.map(|status| format!("{} {}", count(checks, status), status.as_str()));
    page.text(&counts.join(", "), Role::Key);
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
            let text = format!("{}: {}", check.name, check.message);
            page.item(&format!("{:4} ", status.as_str()), &text, role);
            if let Some(cure) = &check.cure {
                page.item("     ", cure, Role::Text);
            }
        }
    }
}
