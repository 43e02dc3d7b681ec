//! Why an operation was not carried out.

use crate::domain::code::Code;
use crate::domain::route::NamelessError;
use crate::domain::size::SizeError;
use crate::domain::terminal::NameError;

/// A code for programs and a text for people.
///
/// It is made from any error that has a code, and is no [`std::error::Error`] itself: it is what one is told as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub code: Code,
    pub message: String,
}

impl ApiError {
    /// An error with these words for people.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// What was asked for cannot be.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }
}

impl<E> From<E> for ApiError
where
    E: std::error::Error,
    for<'a> Code: From<&'a E>,
{
    fn from(error: E) -> Self {
        Self::new(Code::from(&error), error.to_string())
    }
}

impl From<&NameError> for Code {
    fn from(error: &NameError) -> Self {
        match error {
            NameError::Unseen | NameError::Long => Self::BadRequest,
        }
    }
}

impl From<&SizeError> for Code {
    fn from(_: &SizeError) -> Self {
        Self::BadRequest
    }
}

impl From<&NamelessError> for Code {
    fn from(_: &NamelessError) -> Self {
        Self::BadRequest
    }
}
