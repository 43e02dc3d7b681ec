//! A request as it came in: read once, found sound, and never changed afterwards.

pub mod summary;

use bytes::Bytes;
use http::HeaderMap;

use super::wire::Endpoint;
use crate::domain::caller::Caller;
use crate::domain::profile::{Dialect, ProfileName};
use crate::domain::route::Call;
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
}

impl IncomingRequest {
    /// The caller's dialect. The upstream's is its call's own.
    pub fn dialect(&self) -> Dialect {
        self.endpoint.dialect()
    }

    /// Whether the caller reads a stream.
    pub fn streams(&self) -> bool {
        self.summary.stream && self.endpoint.generates()
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
