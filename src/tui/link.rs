//! What other rooms ask of the front end while it runs, and what it shows them.

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::kept::KeptFront;

/// Requests that wait; each is dealt with at once.
const REQUESTS: usize = 16;

/// The terminal that shows the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontStatus {
    pub since: Timestamp,
    /// The path of its device.
    pub tty: String,
    pub cols: u16,
    pub rows: u16,
    /// The process that lends it.
    pub pid: u32,
}

/// Asks the front end; cheap to clone.
#[derive(Clone, Debug)]
pub struct FrontHandle {
    status: watch::Receiver<Option<FrontStatus>>,
    requests: mpsc::Sender<FrontRequest>,
}

/// The front end's end of it.
#[derive(Debug)]
pub struct FrontLink {
    pub(super) status: watch::Sender<Option<FrontStatus>>,
    pub(super) requests: mpsc::Receiver<FrontRequest>,
}

#[derive(Debug)]
pub(super) enum FrontRequest {
    /// Answered once no terminal shows the instance.
    Detach(oneshot::Sender<()>),
    /// Answered once the end has begun.
    Stop(oneshot::Sender<()>),
    /// Another program is to go on. Answered once the terminal is left.
    Freeze(oneshot::Sender<KeptFront>),
}

/// A handle and what belongs to it, for a front end that is to be run.
#[must_use]
pub fn link() -> (FrontHandle, FrontLink) {
    let (requests, for_front) = mpsc::channel(REQUESTS);
    let status = watch::Sender::new(None);
    let handle = FrontHandle {
        status: status.subscribe(),
        requests,
    };
    let link = FrontLink {
        status,
        requests: for_front,
    };
    (handle, link)
}

impl FrontHandle {
    /// The terminal that shows the instance now.
    #[must_use]
    pub fn status(&self) -> Option<FrontStatus> {
        self.status.borrow().clone()
    }

    /// Makes whatever terminal shows the instance leave, and waits until it has. Cancelling it does not keep it.
    pub async fn detach(&self) {
        let (left, has_left) = oneshot::channel();
        if self.requests.send(FrontRequest::Detach(left)).await.is_ok() {
            let _ = has_left.await;
        }
    }

    /// Leaves the terminal as it is drawn, to be lent again to the program that goes on in this one's place, and tells the
    /// user's place. From then on nothing is shown. None where there is no front end.
    pub async fn freeze(&self) -> Option<KeptFront> {
        let (reply, kept) = oneshot::channel();
        self.requests.send(FrontRequest::Freeze(reply)).await.ok()?;
        kept.await.ok()
    }

    /// Begins to end the instance, and waits until it has begun. Cancelled before, it may not begin.
    pub async fn stop(&self) {
        let (begun, has_begun) = oneshot::channel();
        if self.requests.send(FrontRequest::Stop(begun)).await.is_ok() {
            let _ = has_begun.await;
        }
    }
}
