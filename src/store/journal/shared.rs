//! What the journal's handle and its writer share: what came and waits, and what is told of it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::store::backlog::Backlog;
use crate::store::error::StoreError;
use crate::store::outbox::Shipment;
use crate::store::status::StoreStatus;
use crate::store::write::JournalOptions;

/// What comes within this time after a first fact is written with it.
const GATHER: Duration = Duration::from_millis(10);

/// What the outbox tells whoever empties it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxSignal {
    pub waiting: u64,
    /// Rises with whatever a commit should not wait long for.
    pub milestones: u64,
}

#[derive(Debug)]
pub(super) struct JournalInner {
    pub(super) inbox: Mutex<Inbox>,
    pub(super) wake: Condvar,
    pub(super) status: Mutex<StoreStatus>,
    /// Rises when the state changes.
    pub(super) changed: watch::Sender<u64>,
    /// The store's own id, once it is known.
    pub(super) store_id: watch::Sender<Option<String>>,
    pub(super) outbox: watch::Sender<OutboxSignal>,
    /// Rises whenever something was written.
    pub(super) written: watch::Sender<u64>,
    pub(super) options: JournalOptions,
    pub(super) instance_id: String,
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) backlog: Backlog,
    /// Facts that the writer has taken and not written yet.
    pub(super) in_hand: usize,
    pub(super) questions: VecDeque<Question>,
    pub(super) retention: Duration,
    /// There may be events that are too old since then.
    pub(super) is_shortened: bool,
    /// Rows are to be copied elsewhere.
    pub(super) outbox: bool,
    /// The writer sleeps, and must be woken.
    pub(super) asleep: bool,
    pub(super) closing: bool,
    /// Nothing is kept.
    pub(super) off: bool,
}

#[derive(Debug)]
pub(super) enum Question {
    Next {
        most: usize,
        reply: oneshot::Sender<Result<Shipment, StoreError>>,
    },
    Arrived {
        places: Vec<i64>,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Everything is to be copied, once more.
    All {
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Answered once all that was recorded before is written, or cannot be.
    Flush { reply: oneshot::Sender<()> },
}

impl JournalInner {
    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> MutexGuard<'_, StoreStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets what comes right after a fact come, so that a burst is one transaction.
    pub(super) fn gather<'a>(&'a self, inbox: MutexGuard<'a, Inbox>) -> MutexGuard<'a, Inbox> {
        let has_time = |inbox: &mut Inbox| !inbox.closing && inbox.questions.is_empty();
        let waited = self.wake.wait_timeout_while(inbox, GATHER, has_time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Inbox {
    /// What waits, for the writer to write.
    pub(super) fn take(&mut self) -> Backlog {
        let backlog = std::mem::take(&mut self.backlog);
        self.in_hand = backlog.len();
        backlog
    }
}
