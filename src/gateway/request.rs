//! A request as it came in: read once, found sound, and never changed afterwards.

pub mod summary;

use std::sync::OnceLock;

use bytes::Bytes;
use http::HeaderMap;

use super::translate;
use super::wire::Endpoint;
use super::wire::ir::request::Request;
use crate::domain::caller::Caller;
use crate::domain::profile::{Dialect, ProfileName};
use crate::domain::route::{Call, Foreign};
use summary::RequestSummary;

/// What came in, with the caller's dialect, which every answer to it is written in.
#[derive(Debug)]
pub struct IncomingRequest {
    pub endpoint: Endpoint,
    pub caller: Caller,
    pub query: Option<String>,
    /// Without key, host and what concerns the connection.
    pub headers: HeaderMap,
    pub body: Bytes,
    pub summary: RequestSummary,
    /// The one profile to ask, where the caller names it.
    pub only: Option<ProfileName>,
    /// Read once a profile of another dialect is to be asked.
    pub form: LazyForm,
}

/// A request in the form between the dialects, or why it has none.
#[derive(Debug, Default)]
pub struct LazyForm(OnceLock<Result<Request, String>>);

impl IncomingRequest {
    /// The caller's dialect. The upstream's is its call's own.
    pub fn dialect(&self) -> Dialect {
        self.endpoint.dialect()
    }

    /// Whether the caller reads a stream.
    pub fn streams(&self) -> bool {
        self.summary.stream && self.endpoint.generates()
    }

    /// The request in the form between the dialects.
    ///
    /// # Errors
    ///
    /// What is wrong with a body that is not what its dialect says.
    pub fn form(&self) -> Result<&Request, String> {
        let read =
            || translate::read(self.dialect(), &self.body).map_err(|error| error.to_string());
        self.form.0.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// What the router needs to know of it.
    pub fn call(&self) -> Call {
        Call {
            caller: self.caller,
            model: self.summary.model.as_str().into(),
            dialect: self.dialect(),
            capabilities: self.summary.needs,
            tokens: self.reservation(),
            only: self.only.clone(),
            foreign: if self.endpoint.generates() {
                Foreign::Unknown
            } else {
                Foreign::Never
            },
        }
    }

    /// How many tokens to reserve: all input, and as much output as was asked for within reason.
    fn reservation(&self) -> u64 {
        /// Callers ask for far more than they get; what is missing is debited when the answer tells its usage.
        const MOST_OUTPUT: u64 = 4_096;
        if !self.endpoint.generates() {
            return 0;
        }
        let output = self.summary.max_output.unwrap_or(MOST_OUTPUT);
        self.summary.input_tokens + output.min(MOST_OUTPUT)
    }
}
