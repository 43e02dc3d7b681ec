//! What is asked of the shipper, and how it is answered.

use tokio::sync::oneshot;

use super::error::DoltError;
use super::revisions::Change;
use crate::store::status::Commit;

/// What shipping by hand has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    pub hash: String,
    /// Rows in the commit.
    pub rows: u64,
}

/// Asked of the shipper.
#[derive(Debug)]
pub(super) enum Request {
    Ship(oneshot::Sender<Result<Shipped, DoltError>>),
    Log {
        most: usize,
        reply: oneshot::Sender<Result<Vec<Commit>, DoltError>>,
    },
    Diff {
        from: Option<String>,
        to: Option<String>,
        reply: oneshot::Sender<Result<Vec<Change>, DoltError>>,
    },
}

impl Request {
    /// Answers with an error.
    pub fn refuse(self, error: impl Fn() -> DoltError) {
        match self {
            Self::Ship(reply) => drop(reply.send(Err(error()))),
            Self::Log { reply, .. } => drop(reply.send(Err(error()))),
            Self::Diff { reply, .. } => drop(reply.send(Err(error()))),
        }
    }
}

/// Answers a request; an error of the connection also ends the work with it.
pub(super) fn answer<T>(
    reply: oneshot::Sender<Result<T, DoltError>>,
    outcome: Result<T, DoltError>,
) -> Result<(), DoltError> {
    let lost = match &outcome {
        Err(error) if !error.is_the_servers() => Err(DoltError::Unreachable {
            address: "dolt".to_owned(),
            why: error.to_string(),
        }),
        _ => Ok(()),
    };
    let _ = reply.send(outcome);
    lost
}
