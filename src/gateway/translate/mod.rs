//! From one dialect to another: requests on their way out, answers, streams and errors on their way back.
//!
//! Pure: bytes or events in, bytes out; no clock, no input or output, and of a stream no more is kept than what is open.
//! How a dialect spells things is in `wire`; here is what concerns the crossing itself: reasoning that may go back to its
//! maker alone ([`mark`]), ids and names that the other side takes ([`names`]), and the marks that no stranger may see in
//! a native request ([`strip`]). It knows no profile, no routing and no HTTP.

mod answer;
mod crossing;
pub mod error;
pub mod mark;
mod names;
mod request;
mod stream;
pub mod strip;

pub use answer::{AnswerError, answer, stream_as_whole, whole_as_stream};
pub use crossing::{Crossing, Way};
pub use request::{Sent, read, write};
pub use stream::Stream;

pub use crate::gateway::wire::target::{Target, Unsayable};
