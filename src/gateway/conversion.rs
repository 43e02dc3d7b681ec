//! Where the two dialects of a call meet: how the caller's request becomes the upstream's, and the upstream's answer the
//! caller's.
//!
//! Everything else reads a request or an answer in the dialect that it is written in and never asks for the other one.

use bytes::Bytes;

use super::request::IncomingRequest;
use super::stream_reader::Part;
use crate::domain::outcome::CallError;
use crate::domain::profile::Dialect;

/// What lies between the caller's dialect and the upstream's, for one call.
#[derive(Debug)]
pub enum Conversion {
    /// Both are the same: every byte passes but for the model's name.
    Passthrough,
}

impl Conversion {
    /// # Errors
    ///
    /// [`CallError::Unsupported`] where nothing leads from one to the other.
    pub fn between(caller: Dialect, upstream: Dialect) -> Result<Self, CallError> {
        if caller == upstream {
            Ok(Self::Passthrough)
        } else {
            Err(CallError::Unsupported(caller.as_str().to_owned()))
        }
    }

    /// The body to send upstream, for `model`.
    pub fn request(&self, request: &IncomingRequest, model: &str) -> Bytes {
        match self {
            Self::Passthrough => request.summary.with_model(&request.body, model),
        }
    }

    /// A whole answer as the caller reads it.
    pub fn answer(&self, body: Bytes) -> Bytes {
        match self {
            Self::Passthrough => body,
        }
    }

    /// A part of a stream as the caller reads it.
    pub fn events(&mut self, part: Part) -> Bytes {
        match self {
            Self::Passthrough => part.passed,
        }
    }
}
