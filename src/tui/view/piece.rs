//! Lines of text in several roles.

use crate::tui::theme::Role;

/// Text in one role.
#[derive(Clone, Debug)]
pub(super) struct Piece(pub String, pub Role);

/// One line of the panel.
pub(super) type Styled = Vec<Piece>;

pub(super) fn label(name: &str) -> Piece {
    Piece(format!("{name:<12}"), Role::Muted)
}

pub(super) fn fact(name: &str, value: &str) -> Styled {
    vec![label(name), text(value)]
}

pub(super) fn text(text: &str) -> Piece {
    Piece(text.to_owned(), Role::Text)
}

pub(super) fn plain(line: &str) -> Styled {
    vec![text(line)]
}

pub(super) fn muted(line: &str) -> Styled {
    vec![Piece(line.to_owned(), Role::Muted)]
}
