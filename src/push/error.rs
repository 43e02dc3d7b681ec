//! Why a browser is not told.

use std::io;

use crate::domain::code::Code;

/// Why a subscription is not taken, or cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("subscription: {0}")]
    Malformed(&'static str),
    #[error("{most} browsers are subscribed already: take one back in its page first")]
    TooMany { most: usize },
    #[error("the push subscriptions cannot be kept: {0}")]
    Storage(#[from] io::Error),
}

impl From<&PushError> for Code {
    fn from(error: &PushError) -> Self {
        match error {
            PushError::Malformed(_) => Self::BadRequest,
            PushError::TooMany { .. } => Self::TooManyRequests,
            PushError::Storage(_) => Self::Internal,
        }
    }
}
