//! A request as it came in: read once, found sound, and never changed afterwards.

pub mod summary;

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use http::HeaderMap;

use super::translate;
use super::wire::Endpoint;
use super::wire::ir::request::Request;
use crate::domain::affinity::ConversationId;
use crate::domain::caller::Caller;
use crate::domain::login::Login;
use crate::domain::profile::{Dialect, ProfileName};
use crate::domain::route::{Call, CallLogin, Foreign};
use summary::RequestSummary;

/// What came in, with the caller's dialect, which every answer to it is written in.
#[derive(Debug)]
pub struct IncomingRequest {
    pub endpoint: Endpoint,
    pub caller: Caller,
    pub query: Option<String>,
    /// Without key, login, host and what concerns the connection.
    pub headers: HeaderMap,
    /// The login that the caller brings, which goes to a profile for callers and nowhere else.
    pub brought: Option<BroughtLogin>,
    /// As it came.
    pub body: Bytes,
    /// The body without its content coding.
    pub text: Bytes,
    pub summary: RequestSummary,
    /// What it belongs to.
    pub conversation: Option<ConversationId>,
    /// The one profile to ask, where the caller names it.
    pub only: Option<ProfileName>,
    /// Read once a profile of another dialect is to be asked.
    pub form: LazyForm,
}

/// A request in the form between the dialects, or why it has none.
#[derive(Debug, Default)]
pub struct LazyForm(OnceLock<Result<Request, String>>);

/// A login, and all that its bearer sends beside it.
pub struct BroughtLogin {
    pub login: Login,
    /// The caller's headers, its own secrets among them.
    pub headers: HeaderMap,
}

impl BroughtLogin {
    /// What nobody else may read of it, each without its scheme.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        const SECRET: [&str; 4] = ["authorization", "x-api-key", "x-goog-api-key", "cookie"];
        SECRET
            .iter()
            .filter_map(|name| self.headers.get(*name)?.to_str().ok())
            .map(|value| value.rsplit(' ').next().unwrap_or(value).trim())
            .filter(|secret| !secret.is_empty())
    }
}

impl fmt::Debug for BroughtLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BroughtLogin(…)")
    }
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

    /// The request in the form between the dialects.
    ///
    /// # Errors
    ///
    /// What is wrong with a body that is not what its dialect says.
    pub fn form(&self) -> Result<&Request, String> {
        let Some(dialect) = self.dialect().translated() else {
            return Err(self.dialect().as_str().to_owned());
        };
        let read = || translate::read(dialect, &self.body).map_err(|error| error.to_string());
        self.form.0.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// Whether another dialect has a route for what it asks.
    fn is_translatable(&self) -> bool {
        let own = self.dialect();
        let mut others = Dialect::ALL.into_iter().filter(|other| *other != own);
        others.any(|other| self.endpoint.in_dialect(other).is_some())
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
            foreign: if self.is_translatable() {
                Foreign::Unknown
            } else {
                Foreign::Never
            },
            login: self
                .brought
                .as_ref()
                .map(|brought| CallLogin::from(brought.login)),
            conversation: self.conversation,
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
