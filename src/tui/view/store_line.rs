//! How the store stands, in one line.

use super::gauge::short;
use super::piece::{Piece, Styled};
use crate::store::{DoltState, StoreState, StoreStatus};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// The journal's state and its copy's, with what waits and why.
pub(super) fn store_line(model: &Model, status: &StoreStatus) -> Styled {
    let role = match status.state {
        StoreState::Ready => Role::Success,
        StoreState::Degraded | StoreState::SchemaNewer => Role::Warning,
        StoreState::Off => Role::Muted,
    };
    let mut line = vec![
        Piece("store ".to_owned(), Role::Muted),
        Piece(label(status.state.as_str()), role),
    ];
    if let (StoreState::Ready, Some(events)) = (status.state, status.events) {
        line.push(Piece(format!(", {} events", short(events)), Role::Muted));
    }
    if status.waiting > 0 && status.state != StoreState::Ready {
        let waiting = u64::try_from(status.waiting).unwrap_or(u64::MAX);
        line.push(Piece(
            format!(", {} in memory", short(waiting)),
            Role::Warning,
        ));
    }
    if let Some(message) = &status.message {
        line.push(Piece(format!(": {message}"), role));
    }
    line.extend(dolt(model, status));
    line
}

fn dolt(model: &Model, status: &StoreStatus) -> Styled {
    let dolt = &status.dolt;
    let role = match dolt.state {
        DoltState::Disabled => Role::Muted,
        DoltState::Ready => Role::Success,
        DoltState::Connecting
        | DoltState::NotDolt
        | DoltState::WrongDatabase
        | DoltState::AuthFailed
        | DoltState::SchemaNewer
        | DoltState::Backoff => Role::Warning,
    };
    let mut line = vec![
        Piece("  dolt ".to_owned(), Role::Muted),
        Piece(label(dolt.state.as_str()), role),
    ];
    if dolt.state != DoltState::Disabled && status.outbox > 0 {
        line.push(Piece(
            format!(", {} rows wait", short(status.outbox)),
            Role::Muted,
        ));
    }
    if let Some(at) = dolt.retry_at {
        let again = format!(", again at {}", model.options.time(at));
        line.push(Piece(again, Role::Muted));
    }
    if let Some(message) = &dolt.message {
        line.push(Piece(format!(": {message}"), role));
    }
    line
}

fn label(state: &str) -> String {
    state.replace('_', " ")
}
