//! Those who hold terminals, as far as the gateway deals with them: it tells them of their requests, and asks for a name.

use std::fmt;

use crate::domain::agent::WireFact;
use crate::domain::id::TerminalId;

/// Whoever holds terminals. Called on requests' ways: must not wait.
pub trait Terminals: fmt::Debug + Send + Sync {
    /// Something happened to a request of a terminal's programs; of one request in order.
    fn tell(&self, terminal: TerminalId, fact: WireFact);

    /// What users call it; None where it is not known.
    fn name(&self, terminal: TerminalId) -> Option<String>;
}
