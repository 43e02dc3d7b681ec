//! How and where the copy is kept.

use std::time::Duration;

use super::connect::Server;
use super::managed::ManagedOptions;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoltOptions {
    /// Where it is; of a server that tundra runs only the database counts.
    pub server: Server,
    /// None for a server that somebody else runs.
    pub managed: Option<ManagedOptions>,
    pub commit_every: Duration,
    /// This machine's name, which commits are told by.
    pub host: String,
}

impl DoltOptions {
    /// Whether a connection for these serves those, too.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (&self.managed, &other.managed) {
            (Some(managed), Some(others)) => {
                managed == others && self.server.database == other.server.database
            }
            (None, None) => self.server == other.server,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}
