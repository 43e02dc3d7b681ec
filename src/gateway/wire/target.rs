//! What a request's writer has to know of whom it writes to, and how it says that something cannot be said.

use super::ir::request::Request;

/// Whom a request is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The model to ask for.
    pub model: &'a str,
    /// The most output tokens to ask for.
    pub max_tokens: Option<u64>,
    /// A server of the user's own, which knows older names of things.
    pub is_local: bool,
    /// Whether an effort may be asked of the model.
    pub takes_effort: bool,
}

impl Target<'_> {
    /// How many words to make, where the model may be asked: those that take no effort take no such word either.
    pub fn verbosity<'r>(&self, request: &'r Request) -> Option<&'r str> {
        request.verbosity.as_deref().filter(|_| self.takes_effort)
    }

    /// The caller's limit within the target's; the target's where the caller has none.
    pub fn clamp(&self, asked: Option<u64>) -> Option<u64> {
        match (asked, self.max_tokens) {
            (Some(asked), Some(most)) => Some(asked.min(most)),
            (asked, most) => asked.or(most),
        }
    }
}

/// Names what a request holds and a dialect has no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsayable(pub String);
