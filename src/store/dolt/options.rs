//! How and where the copy is kept.

use std::time::Duration;

use super::connect::Server;
use super::managed::ManagedOptions;
use crate::store::status::{DoltState, DoltStatus};

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
    /// What is told where there is no journal to ship from.
    pub(super) const UNSHIPPED: &str = "nothing is shipped: no journal is kept";

    /// How the copy stands before anybody has looked.
    #[must_use]
    pub fn at_first(&self) -> DoltStatus {
        let is_managed = self.managed.is_some();
        DoltStatus {
            state: DoltState::Connecting,
            server: (!is_managed).then(|| self.server.address()),
            database: Some(self.server.database.clone()),
            is_managed,
            ..DoltStatus::default()
        }
    }

    /// The same where there is no journal to ship from.
    #[must_use]
    pub fn unshipped(&self) -> DoltStatus {
        DoltStatus {
            message: Some(Self::UNSHIPPED.to_owned()),
            ..self.at_first()
        }
    }

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
