//! The view of the journal: usage with a bar for each hour, or what happened.

mod history;
mod usage;

use ratatui::buffer::Buffer;

use super::piece::{Piece, Styled, muted};
use super::store_line::store_line;
use super::text::Line;
use crate::domain::layout::Rect;
use crate::store::StoreState;
use crate::tui::client::{JournalContents, JournalPage, JournalView};
use crate::tui::model::Model;
use crate::tui::theme::Role;

pub(super) fn title(view: &JournalView) -> &'static str {
    match view.page {
        JournalPage::Usage => "usage",
        JournalPage::History => "history",
    }
}

pub(super) fn draw(model: &Model, view: &JournalView, inner: Rect, buffer: &mut Buffer) {
    let parts = Parts::of(model, view, inner);
    let body_rows = parts.body_rows(inner);
    let last = parts.body.len().saturating_sub(body_rows);
    let first = match view.page {
        JournalPage::Usage => view.scroll.min(last),
        JournalPage::History => last.saturating_sub(view.scroll),
    };
    let body = parts.body.iter().skip(first).take(body_rows);
    let blank = body_rows.saturating_sub(parts.body.len());
    let blank = std::iter::repeat_n(&parts.blank, blank);
    let lines = parts
        .head
        .iter()
        .chain(body)
        .chain(blank)
        .chain(&parts.foot);
    for (row, styled) in (0..inner.height).zip(lines) {
        put(model, styled, inner, row, buffer);
    }
}

/// How far the body can be scrolled.
pub(super) fn scroll_limit(model: &Model, view: &JournalView, inner: Rect) -> usize {
    let parts = Parts::of(model, view, inner);
    parts.body.len().saturating_sub(parts.body_rows(inner))
}

/// What stays above, what is scrolled, and what stays below.
struct Parts {
    head: Vec<Styled>,
    body: Vec<Styled>,
    foot: Vec<Styled>,
    blank: Styled,
}

impl Parts {
    fn of(model: &Model, view: &JournalView, inner: Rect) -> Self {
        let mut parts = Self {
            head: vec![filters(view)],
            body: Vec::new(),
            foot: Vec::new(),
            blank: Vec::new(),
        };
        parts.head.extend(trouble(model));
        match &view.contents {
            None => parts.body.push(muted("reading the journal")),
            Some(Err(why)) => parts.body.push(vec![Piece(why.clone(), Role::Error)]),
            Some(Ok(JournalContents::Usage(usage))) => {
                parts.head.push(Vec::new());
                usage::table(
                    model,
                    view,
                    usage,
                    inner.width,
                    &mut parts.head,
                    &mut parts.body,
                );
                parts.foot = usage::chart(model, view.span.slot(), usage, inner);
            }
            Some(Ok(JournalContents::History(entries))) => {
                parts.body = history::lines(model, view.read_at, entries, inner.width);
            }
        }
        // What is scrolled keeps some rows, whatever else there is to show.
        if inner.height < 12 {
            parts.foot.clear();
        }
        parts
    }

    fn body_rows(&self, inner: Rect) -> usize {
        usize::from(inner.height).saturating_sub(self.head.len() + self.foot.len())
    }
}

/// What is shown of what there is.
fn filters(view: &JournalView) -> Styled {
    let mut line = vec![
        Piece("since ".to_owned(), Role::Muted),
        Piece(view.span.name().to_owned(), Role::Heading),
    ];
    match view.page {
        JournalPage::Usage => {
            line.push(Piece("  by ".to_owned(), Role::Muted));
            line.push(Piece(view.by.as_str().to_owned(), Role::Heading));
        }
        JournalPage::History => {
            line.push(Piece("  kind ".to_owned(), Role::Muted));
            let kind = view.family.unwrap_or("all");
            line.push(Piece(kind.to_owned(), Role::Heading));
        }
    }
    if let Some(Ok(JournalContents::History(entries))) = &view.contents {
        line.push(Piece(format!("  {} events", entries.len()), Role::Muted));
    }
    line
}

/// That what is shown is not all, where the journal is in trouble.
fn trouble(model: &Model) -> Option<Styled> {
    let status = model.store.as_ref()?;
    match status.state {
        StoreState::Ready | StoreState::Off => None,
        StoreState::Degraded | StoreState::SchemaNewer => Some(store_line(model, status)),
    }
}

fn put(model: &Model, styled: &Styled, inner: Rect, row: u16, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let mut line = Line::new(buffer, inner, row);
    for Piece(text, role) in styled {
        line.put_fit(text, theme.style(*role), theme.glyphs().ellipsis);
    }
}
