//! The versioned copy of the journal in a Dolt server.
//!
//! One task ships: it takes rows from the journal's outbox, writes them in transactions that may be repeated, and
//! acknowledges them after their COMMIT alone. Nobody waits for it but who asks it for something. It writes to no server
//! that is not Dolt, and to no database that is not this store's.

mod connect;
mod error;
mod insert;
mod managed;
mod probe;
mod revisions;
mod ship;

pub use connect::Server;
pub use error::DoltError;
pub use managed::ManagedOptions;
pub use revisions::{Change, ChangeKind};
pub use ship::{ShipOptions, Shipped};

use tokio::sync::{mpsc, oneshot, watch};

use super::journal::Journal;
use super::status::{Commit, DoltState, DoltStatus};
use crate::runtime::tasks::Tasks;
use managed::Managed;
use ship::{Load, Request, Shipper};

/// Requests that wait for the shipper: a person asks.
const REQUESTS: usize = 8;

/// Talks to the shipper; cheap to clone.
#[derive(Clone, Debug)]
pub struct Dolt {
    status: watch::Receiver<DoltStatus>,
    /// None where it is disabled.
    requests: Option<mpsc::Sender<Request>>,
}

impl Dolt {
    /// No copy is kept.
    #[must_use]
    pub fn disabled() -> Self {
        Self {
            status: watch::channel(DoltStatus::default()).1,
            requests: None,
        }
    }

    /// Starts to ship what the journal's outbox holds, until `ending`.
    #[must_use]
    pub fn start(
        journal: Journal,
        options: ShipOptions,
        managed: Option<ManagedOptions>,
        tasks: &Tasks,
        ending: impl Future<Output = ()> + Send + 'static,
    ) -> (Self, oneshot::Receiver<()>) {
        let status = watch::Sender::new(DoltStatus {
            state: DoltState::Connecting,
            server: managed.is_none().then(|| options.server.address()),
            database: Some(options.server.database.clone()),
            is_managed: managed.is_some(),
            ..DoltStatus::default()
        });
        let (sender, requests) = mpsc::channel(REQUESTS);
        let dolt = Self {
            status: status.subscribe(),
            requests: Some(sender),
        };
        let shipper = Shipper {
            journal,
            options,
            managed: managed.map(Managed::new),
            status,
            requests,
            load: Load::default(),
        };
        let (done, ended) = oneshot::channel();
        tasks.spawn("dolt", async move {
            Box::pin(shipper.run(ending)).await;
            let _ = done.send(());
        });
        (dolt, ended)
    }

    #[must_use]
    pub fn status(&self) -> DoltStatus {
        self.status.borrow().clone()
    }

    /// Changes with the state.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<DoltStatus> {
        self.status.clone()
    }

    /// Ships what waits, and commits it. Dropped before it is done, it is done all the same.
    ///
    /// # Errors
    /// [`DoltError`] when the copy cannot be reached or written.
    pub async fn ship(&self) -> Result<Shipped, DoltError> {
        self.ask(Request::Ship).await
    }

    /// The latest commits, the newest first.
    ///
    /// # Errors
    /// [`DoltError`] when the copy cannot be reached.
    pub async fn log(&self, most: usize) -> Result<Vec<Commit>, DoltError> {
        self.ask(|reply| Request::Log { most, reply }).await
    }

    /// The rows that differ between two revisions; without any, those of the last commit.
    ///
    /// # Errors
    /// [`DoltError`] when the copy cannot be reached, or knows no such revision.
    pub async fn diff(
        &self,
        from: Option<String>,
        to: Option<String>,
    ) -> Result<Vec<Change>, DoltError> {
        self.ask(|reply| Request::Diff { from, to, reply }).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, DoltError>>) -> Request,
    ) -> Result<T, DoltError> {
        let Some(requests) = &self.requests else {
            return Err(DoltError::Disabled);
        };
        let (reply, answer) = oneshot::channel();
        let asked = requests.send(request(reply)).await;
        asked.map_err(|_| DoltError::Ending)?;
        answer.await.unwrap_or(Err(DoltError::Ending))
    }
}
