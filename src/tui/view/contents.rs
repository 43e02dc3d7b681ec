//! What is behind each hole of the chrome.

use super::window::Window;
use crate::domain::layout::Rect;
use crate::tui::frame::{Content, Rows};
use crate::tui::model::Model;
use crate::tui::session::Pane;
use crate::tui::theme::Role;

/// What is behind each hole, in the order of [`Model::visible`].
#[must_use]
pub fn contents(model: &Model) -> Vec<Content<'_>> {
    model
        .visible()
        .into_iter()
        .filter_map(|(id, rect)| {
            let pane = model.session.panes.get(&id)?;
            if pane.waiting.is_some() {
                return None;
            }
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
