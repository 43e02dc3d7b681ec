//! The journal: a queue that never waits, and the one thread that writes what is in it.

mod shared;
mod writer;

pub use shared::OutboxSignal;

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tracing::warn;
use uuid::Uuid;

use super::database;
use super::error::StoreError;
use super::outbox::Shipment;
use super::status::{StoreState, StoreStatus};
use super::write::JournalOptions;
use crate::domain::fact::{Fact, Recorder};
use shared::{Inbox, JournalInner, Question};
use writer::Writer;

/// How long the end of the process waits for a disk.
const LAST_PATIENCE: Duration = Duration::from_secs(2);
/// Questions of the shipper that wait: it asks one after the other.
const QUESTIONS: usize = 16;

/// Talks to the journal; cheap to clone.
///
/// [`Recorder::record`] puts a fact into a queue in memory and never waits. Its rule for full: usage is added up, and
/// past 10,000 events the oldest go, which `store.state` tells once there is a place to tell it.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<JournalInner>,
}

/// The running writer, for whoever ends it.
#[derive(Debug)]
pub struct JournalThread {
    journal: Journal,
    ended: oneshot::Receiver<()>,
}

impl Journal {
    /// Starts the writer; the file is opened on its thread.
    ///
    /// # Errors
    /// [`std::io::Error`] when no thread can be started.
    pub fn start(options: JournalOptions) -> std::io::Result<(Self, JournalThread)> {
        Self::go_on(options, Uuid::now_v7().to_string())
    }

    /// The same as an instance whose row has been begun by another program in this process.
    ///
    /// # Errors
    /// [`std::io::Error`] when no thread can be started.
    pub fn go_on(
        options: JournalOptions,
        instance_id: String,
    ) -> std::io::Result<(Self, JournalThread)> {
        let status = StoreStatus::unknown(&options.path);
        let inbox = Inbox {
            retention: options.retention,
            outbox: options.outbox,
            ..Inbox::default()
        };
        let shared = Arc::new(JournalInner {
            inbox: Mutex::new(inbox),
            wake: Condvar::new(),
            status: Mutex::new(status),
            changed: watch::Sender::new(0),
            store_id: watch::Sender::new(None),
            outbox: watch::Sender::default(),
            written: watch::Sender::default(),
            options,
            instance_id,
        });
        let writer = Writer::new(Arc::clone(&shared))?;
        let (done, ended) = oneshot::channel();
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                writer.run();
                let _ = done.send(());
            })?;
        let journal = Self { shared };
        let thread = JournalThread {
            journal: journal.clone(),
            ended,
        };
        Ok((journal, thread))
    }

    /// The journal alone; its copy is told by whoever ships.
    #[must_use]
    pub fn status(&self) -> StoreStatus {
        let mut status = self.shared.status().clone();
        let inbox = self.shared.inbox();
        status.waiting = inbox.backlog.len() + inbox.in_hand;
        status.outbox = self.shared.outbox.borrow().waiting;
        drop(inbox);
        status.size = database::size_of(&status.path);
        status
    }

    /// Changes with the state.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// The instance's own id in all tables.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        &self.shared.instance_id
    }

    /// Waits until the journal's file is open, and tells the store's id; None once nothing is kept. Cancel-safe.
    pub async fn opened(&self) -> Option<String> {
        let mut store_id = self.shared.store_id.subscribe();
        let mut changed = self.watch();
        loop {
            if let Some(id) = store_id.borrow_and_update().clone() {
                return Some(id);
            }
            if self.shared.inbox().off {
                return None;
            }
            tokio::select! {
                told = store_id.changed() => told.ok()?,
                told = changed.changed() => told.ok()?,
            }
        }
    }

    /// Waits until the journal's file is open, or it is known why it is not. Cancel-safe.
    pub async fn settled(&self) {
        let mut changed = self.watch();
        while !self.is_settled() && changed.changed().await.is_ok() {}
    }

    fn is_settled(&self) -> bool {
        self.shared.status().state != StoreState::Off || self.shared.inbox().off
    }

    /// What waits to be copied.
    #[must_use]
    pub fn outbox(&self) -> watch::Receiver<OutboxSignal> {
        self.shared.outbox.subscribe()
    }

    /// Changes whenever something was written.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.shared.written.subscribe()
    }

    /// Keeps events for another time from now on; where it is shorter, what is too old now goes at once.
    pub fn set_retention(&self, retention: Duration) {
        let mut inbox = self.shared.inbox();
        if retention < inbox.retention {
            inbox.is_shortened = true;
            self.shared.wake.notify_one();
        }
        inbox.retention = retention;
    }

    /// Begins or ends to keep an outbox: whether rows are to be copied from now on.
    pub fn set_outbox(&self, wanted: bool) {
        let mut inbox = self.shared.inbox();
        if inbox.outbox != wanted {
            inbox.outbox = wanted;
            self.shared.wake.notify_one();
        }
    }

    /// Puts everything there is into the outbox: for a copy that holds nothing.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be written. Dropped before it is done, it may or may not be done.
    pub async fn ship_all(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Question::All { reply });
        answer.await.unwrap_or_else(|_| Err(self.not_kept()))
    }

    /// The rows that wait longest for their copy.
    ///
    /// # Errors
    /// [`StoreError`] where the journal cannot be read. Dropped before it is done, it has changed nothing.
    pub async fn next_shipment(&self, most: usize) -> Result<Shipment, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Question::Next { most, reply });
        answer.await.unwrap_or_else(|_| Err(self.not_kept()))
    }

    /// Notes that rows have arrived in the copy.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be written: the rows are shipped once more, which does no harm. Dropped before
    /// it is done, it may or may not be noted.
    pub async fn arrived(&self, places: Vec<i64>) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Question::Arrived { places, reply });
        answer.await.unwrap_or_else(|_| Err(self.not_kept()))
    }

    /// Waits until what was recorded before is written, or cannot be. Cancel-safe.
    pub async fn flush(&self) {
        let (reply, answer) = oneshot::channel();
        self.ask(Question::Flush { reply });
        let _ = answer.await;
    }

    fn ask(&self, question: Question) {
        let mut inbox = self.shared.inbox();
        // Dropped, it is answered by its channel's end.
        if !inbox.off && !inbox.closing && inbox.questions.len() < QUESTIONS {
            inbox.questions.push_back(question);
            self.shared.wake.notify_one();
        }
    }

    fn not_kept(&self) -> StoreError {
        StoreError::NotKept(self.shared.status().state.as_str().to_owned())
    }
}

impl Recorder for Journal {
    fn record(&self, fact: Fact) {
        let mut inbox = self.shared.inbox();
        if inbox.off {
            return;
        }
        inbox.backlog.push(fact);
        if std::mem::take(&mut inbox.asleep) {
            drop(inbox);
            self.shared.wake.notify_one();
        }
    }
}

impl JournalThread {
    /// Writes what waits and ends the writer; a disk that does not take it is waited for for two seconds. Dropped before
    /// it is done, the writer goes on ending by itself.
    pub async fn close(self) {
        self.journal.shared.inbox().closing = true;
        self.journal.shared.wake.notify_one();
        if tokio::time::timeout(LAST_PATIENCE, self.ended)
            .await
            .is_err()
        {
            warn!("the journal did not end in time");
        }
    }
}
