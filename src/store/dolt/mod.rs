//! The versioned copy of the journal in a Dolt server.
//!
//! One task ships: it takes rows from the journal's outbox, writes them in transactions that may be repeated, and
//! acknowledges them after their COMMIT alone. Nobody waits for it but who asks it for something. It writes to no server
//! that is not Dolt, and to no database that is not this store's.

mod connect;
mod error;
mod insert;
mod load;
mod look;
mod managed;
mod options;
mod probe;
mod request;
mod revisions;
mod ship;

pub use connect::Server;
pub use error::DoltError;
pub use look::look;
pub use managed::ManagedOptions;
pub use options::DoltOptions;
pub use request::Shipped;
pub use revisions::{Change, ChangeKind};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::journal::Journal;
use super::kept::KeptManaged;
use super::status::{Commit, DoltStatus};
use crate::runtime::handover;
use crate::runtime::tasks::Tasks;
use managed::Managed;
use request::Request;
use ship::Shipper;

/// Requests that wait for the shipper: a person asks.
const REQUESTS: usize = 8;

/// Where a shipper comes from and how it ends.
pub(super) struct Course<E> {
    /// The managed server that another program in this process has left running.
    pub left: Option<KeptManaged>,
    /// Cancelled before the end where another program goes on.
    pub leave: CancellationToken,
    /// Resolves at the end.
    pub ending: E,
}

/// Talks to the shipper; cheap to clone.
#[derive(Clone, Debug)]
pub struct Dolt {
    status: watch::Receiver<DoltStatus>,
    requests: mpsc::Sender<Request>,
    /// None where no copy is kept.
    options: watch::Sender<Option<DoltOptions>>,
}

impl Dolt {
    /// Starts to ship what the journal's outbox holds, where a copy is kept, until its end. A managed server that runs on
    /// then comes out of the channel.
    #[must_use]
    pub(super) fn start(
        journal: Journal,
        options: Option<DoltOptions>,
        tasks: &Tasks,
        course: Course<impl Future<Output = ()> + Send + 'static>,
    ) -> (Self, oneshot::Receiver<Option<KeptManaged>>) {
        let Course {
            left,
            leave,
            ending,
        } = course;
        let status = watch::Sender::new(status_of(options.as_ref()));
        let (sender, requests) = mpsc::channel(REQUESTS);
        let options = watch::Sender::new(options);
        let keeper = ShipperTask {
            journal,
            options: options.subscribe(),
            status: status.clone(),
            requests,
            left,
            leave,
            tasks: tasks.clone(),
        };
        let dolt = Self {
            status: status.subscribe(),
            requests: sender,
            options,
        };
        let (done, ended) = oneshot::channel();
        tasks.spawn("dolt", async move {
            // A program that goes back must not have started a server, nor ended one.
            handover::arrived().await;
            let _ = done.send(Box::pin(keeper.run(ending)).await);
        });
        (dolt, ended)
    }

    /// Waits until the copy is left or at its end. Cancel-safe.
    pub async fn ended(&self) {
        self.requests.closed().await;
    }

    /// Keeps the copy elsewhere, or none, from now on. What the old one still gets is shipped and committed first.
    pub fn set_options(&self, options: Option<DoltOptions>) {
        self.options.send_if_modified(|current| {
            let is_new = *current != options;
            *current = options;
            is_new
        });
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
        let (reply, answer) = oneshot::channel();
        let asked = self.requests.send(request(reply)).await;
        asked.map_err(|_| DoltError::Ending)?;
        answer.await.unwrap_or(Err(DoltError::Ending))
    }
}

/// Lets one shipper after the other ship, as the options say.
struct ShipperTask {
    journal: Journal,
    options: watch::Receiver<Option<DoltOptions>>,
    status: watch::Sender<DoltStatus>,
    requests: mpsc::Receiver<Request>,
    /// A managed server that nobody looks after: of another program, and then for another one.
    left: Option<KeptManaged>,
    leave: CancellationToken,
    tasks: Tasks,
}

impl ShipperTask {
    async fn run(mut self, ending: impl Future<Output = ()> + Send) -> Option<KeptManaged> {
        tokio::pin!(ending);
        loop {
            let options = self.options.borrow_and_update().clone();
            self.journal.set_outbox(options.is_some());
            self.status.send_replace(status_of(options.as_ref()));
            let is_over = match options {
                None => {
                    let left = self.left.take();
                    self.end_left(left);
                    self.rest(&mut ending).await
                }
                Some(options) => {
                    let (keeper, is_over) = self.ship(options, &mut ending).await;
                    self = keeper;
                    is_over
                }
            };
            if is_over {
                return self.left;
            }
        }
    }

    /// Waits until a copy is wanted; tells whether it is the end instead.
    async fn rest(&mut self, ending: &mut (impl Future<Output = ()> + Unpin)) -> bool {
        loop {
            tokio::select! {
                () = &mut *ending => return true,
                changed = self.options.changed() => return changed.is_err(),
                request = self.requests.recv() => match request {
                    Some(request) => request.refuse(|| DoltError::Disabled),
                    None => return true,
                },
            }
        }
    }

    /// Ships until the copy is to be elsewhere; tells whether it is the end instead.
    async fn ship(
        mut self,
        options: DoltOptions,
        ending: &mut (impl Future<Output = ()> + Send + Unpin),
    ) -> (Self, bool) {
        let left = self.left.take();
        let managed = if let Some(managed) = options.managed.clone() {
            Some(Managed::new(managed, left))
        } else {
            self.end_left(left);
            None
        };
        let shipper = Shipper::new(
            self.journal.clone(),
            options.clone(),
            self.options.clone(),
            managed,
            self.status.clone(),
            self.requests,
            self.leave.clone(),
        );
        let mut watched = self.options.clone();
        let mut is_over = false;
        let stop = async {
            tokio::select! {
                () = &mut *ending => is_over = true,
                () = elsewhere(&mut watched, &options) => {}
            }
        };
        let (requests, left) = Box::pin(shipper.run(stop)).await;
        let keeper = Self {
            journal: self.journal,
            options: self.options,
            status: self.status,
            requests,
            left,
            leave: self.leave,
            tasks: self.tasks,
        };
        (keeper, is_over)
    }

    /// Ends a server that another program has left, where none is wanted any more.
    fn end_left(&self, left: Option<KeptManaged>) {
        if let Some(left) = left {
            Managed::end(left, &self.tasks);
        }
    }
}

/// Waits until the copy is to be kept elsewhere, or not at all.
async fn elsewhere(watched: &mut watch::Receiver<Option<DoltOptions>>, here: &DoltOptions) {
    loop {
        let is_here = watched
            .borrow_and_update()
            .as_ref()
            .is_some_and(|options| options.is_same_place(here));
        if !is_here || watched.changed().await.is_err() {
            return;
        }
    }
}

fn status_of(options: Option<&DoltOptions>) -> DoltStatus {
    options.map(DoltOptions::at_first).unwrap_or_default()
}
