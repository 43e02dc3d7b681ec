//! Who sends requests to the gateway, and which of them is meant.

use super::id::TerminalId;

/// Numbers a request since the start of the process, whomever it was sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestNumber(pub u64);

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The program in that terminal, known by its key.
    Terminal(TerminalId),
    /// A program outside, with the key kept for those.
    Outside,
    /// `tundra ask`.
    Ask,
}
