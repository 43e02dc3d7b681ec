//! From one dialect to another: requests on their way out, answers, streams and errors on their way back.
//!
//! Pure: bytes or events in, bytes out; no clock, no input or output, and of a stream no more is kept than what is open.
//! How a dialect spells things is in `wire`; here is what concerns the crossing itself: reasoning that may go back to its
//! maker alone ([`mark`]), ids and names that the other side takes ([`names`]), and the marks that no stranger may see in
//! a native request ([`strip`]). It knows no profile, no routing and no HTTP.

mod answer;
pub mod error;
pub mod mark;
mod names;
mod request;
mod stream;
pub mod strip;

pub use answer::{answer, whole_as_stream};
pub use request::{Sent, read, write};
pub use stream::Stream;

use std::collections::BTreeMap;

use crate::domain::profile::Dialect;
use crate::gateway::wire::ir::request::Form;
use mark::Maker;
use names::ToolNames;

/// What an answer's translation needs to know of its request.
#[derive(Clone, Debug)]
pub struct Crossing {
    pub caller: Dialect,
    pub upstream: Dialect,
    /// Whom the reasoning comes from.
    pub maker: Maker,
    /// The model that was asked for upstream, where the answer names none.
    pub model: String,
    /// The middle part of the answer's ids; another one for each answer.
    pub id: String,
    /// In seconds since 1970.
    pub created: u64,
    /// An estimate of the tokens sent, for dialects that begin a stream with it.
    pub input_estimate: u64,
    pub way: Way,
}

/// How the request was written, which its answer is read by.
#[derive(Clone, Debug, Default)]
pub struct Way {
    names: ToolNames,
    /// Whether a chat caller asked for a stream's usage.
    tells_usage: bool,
    forms: BTreeMap<String, Form>,
}
