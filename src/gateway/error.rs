//! Why the gateway itself turns a request away: one list, with the status that each has.

use http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use thiserror::Error;

use super::content_coding::{CodingError, TAKEN};
use super::request::summary::BadBody;

/// A request that no provider gets to see.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("forbidden: the Host header must name this machine's loopback address")]
    ForeignHost,
    #[error("forbidden: requests from web pages are refused (Origin is not loopback)")]
    ForeignOrigin,
    #[error("the key must not be in the query: send it as Authorization: Bearer or x-api-key")]
    KeyInQuery,
    #[error(
        "no key: send the one in ANTHROPIC_AUTH_TOKEN or OPENAI_API_KEY of this terminal, or that of state/gateway.key"
    )]
    NoKey,
    #[error("invalid key: it is not that of a living terminal, nor that of state/gateway.key")]
    WrongKey,
    #[error(
        "no such route: {method} {path}; there are POST /v1/messages, /v1/messages/count_tokens, \
         /v1/chat/completions, /v1/responses, /v1/responses/compact and GET /v1/models, /metrics, /health"
    )]
    NoRoute { method: Method, path: String },
    #[error("method {method} is not allowed here: use {}", list(allowed))]
    Method {
        method: Method,
        allowed: &'static [Method],
    },
    #[error("an upgrade to {0} is not taken: use plain HTTP requests")]
    Upgrade(String),
    #[error("the body is larger than {most} bytes (gateway.max_body)")]
    TooLarge { most: usize },
    #[error("the body did not arrive in time")]
    BodyTimeout,
    #[error("the body did not arrive whole: {0}")]
    BodyCut(String),
    #[error(transparent)]
    Coding(#[from] CodingError),
    #[error(transparent)]
    BadBody(#[from] BadBody),
    #[error("tundra is shutting down")]
    ShuttingDown,
}

impl Refusal {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::ForeignHost | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::KeyInQuery
            | Self::BodyCut(_)
            | Self::BadBody(_)
            | Self::Coding(CodingError::Broken { .. }) => StatusCode::BAD_REQUEST,
            Self::Coding(CodingError::Unknown(_)) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoKey | Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::NoRoute { .. } => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Upgrade(_) => StatusCode::UPGRADE_REQUIRED,
            Self::TooLarge { .. } | Self::Coding(CodingError::TooLarge(_)) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The headers that say what would be taken.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match self {
            Self::Method { allowed, .. } => {
                let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
                if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
                    headers.insert(ALLOW, names);
                }
            }
            Self::Upgrade(_) => {
                headers.insert(UPGRADE, HeaderValue::from_static("HTTP/1.1"));
                headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            }
            Self::Coding(CodingError::Unknown(_)) => {
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(TAKEN));
            }
            Self::ForeignHost
            | Self::ForeignOrigin
            | Self::KeyInQuery
            | Self::NoKey
            | Self::WrongKey
            | Self::NoRoute { .. }
            | Self::TooLarge { .. }
            | Self::BodyTimeout
            | Self::BodyCut(_)
            | Self::BadBody(_)
            | Self::Coding(CodingError::TooLarge(_) | CodingError::Broken { .. })
            | Self::ShuttingDown => {}
        }
        headers
    }
}

fn list(allowed: &[Method]) -> String {
    let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    names.join(" or ")
}
