//! Who sends requests to the gateway.

use super::id::TerminalId;

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
