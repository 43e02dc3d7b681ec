//! What became of one request, as spans of time, for whoever collects such things.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

/// Takes the traces of requests. It is called on requests' ways: it must not wait, and what it cannot take is lost.
pub trait Tracer: Send + Sync + fmt::Debug {
    /// Whether anybody wants traces now; without, none is made.
    fn is_on(&self) -> bool;

    fn record(&self, trace: Trace);
}

/// Drawn at random, as W3C Trace Context has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(pub [u8; 16]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(pub [u8; 8]);

impl TraceId {
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4().into_bytes())
    }
}

impl SpanId {
    #[must_use]
    pub fn random() -> Self {
        let (first, _) = Uuid::new_v4().as_u64_pair();
        Self(first.to_be_bytes())
    }
}

/// A request's spans, the one of the request itself last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub id: TraceId,
    pub spans: Vec<Span>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub id: SpanId,
    /// None for the request itself.
    pub parent: Option<SpanId>,
    pub name: &'static str,
    pub side: Side,
    pub start: Timestamp,
    pub end: Timestamp,
    pub attributes: Vec<(&'static str, Value)>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Which side of a request a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Asked by a program.
    Server,
    /// Asking a provider.
    Client,
    /// Within tundra.
    Internal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}
