//! What a login's plan has left, in the list and in the details.

use crate::domain::route::ProviderStatus;
use crate::providers::ProvidersStatus;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::view::gauge::{plan_end, windows};
use crate::tui::view::piece::{Piece, Styled};

/// Its windows, and what becomes of its requests where it is used up; `None` where nothing is known.
pub(super) fn plan(
    model: &Model,
    status: &ProvidersStatus,
    provider: &ProviderStatus,
) -> Option<Styled> {
    let now = status.date(status.router.at);
    let pieces = pieces(model, provider, now);
    (!pieces.is_empty()).then(|| {
        let name = Piece("    plan ".to_owned(), Role::Muted);
        std::iter::once(name).chain(pieces).collect()
    })
}

pub(super) fn pieces(model: &Model, provider: &ProviderStatus, now: jiff::Timestamp) -> Vec<Piece> {
    let windows = windows(&model.options, &provider.plan, now);
    let mut pieces: Vec<Piece> = windows
        .into_iter()
        .map(|(text, role)| Piece(text, role))
        .collect();
    if let Some((text, role)) = plan_end(&model.options, provider, now) {
        let before = if pieces.is_empty() { "" } else { "  " };
        pieces.push(Piece(format!("{before}used up {text}"), role));
    }
    pieces
}
