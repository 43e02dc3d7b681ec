//! One request's attempt at one profile.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::caller::{Caller, RequestNumber};
use crate::domain::moment::Moment;
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::Dialect;
use crate::domain::route::choice::Choice;
use crate::domain::route::skip::Skip;

use super::Tokens;

/// One request's attempt at one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub request: RequestNumber,
    /// When it was chosen or skipped.
    pub at: Moment,
    pub caller: Caller,
    /// As asked for.
    pub model: Arc<str>,
    /// As sent.
    pub sent_model: Arc<str>,
    /// The upstream's.
    pub dialect: Dialect,
    /// Whether that was not the caller's.
    pub translated: bool,
    /// What of the request was left out for it.
    pub without: Vec<String>,
    /// Why it was chosen; `None` where it was skipped.
    pub choice: Option<Choice>,
    pub end: AttemptEnd,
    /// How long the request had waited for room before.
    pub waited: Duration,
    /// From sending to the answer's first byte.
    pub first_byte: Option<Duration>,
    /// From being chosen to the end.
    pub total: Duration,
    /// `None` where the answer told none and none were estimated.
    pub tokens: Option<Tokens>,
    /// Whether the tokens are an estimate, since the answer told none.
    pub estimated: bool,
    /// `None` where the price is not known.
    pub nanodollars: Option<u64>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The answer was whole.
    Success,
    /// An error, whether passed on or failed over; the text is the error's.
    Failed { kind: ErrorKind, message: String },
    /// The caller went away.
    Cancelled,
    /// It was not asked.
    Skipped(Skip),
}

impl AttemptEnd {
    /// The kind of its error, where it failed.
    #[must_use]
    pub const fn error(&self) -> Option<ErrorKind> {
        match self {
            Self::Failed { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Its error's words, where it failed.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Failed { message, .. } => Some(message),
            _ => None,
        }
    }
}
