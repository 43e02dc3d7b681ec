//! The store as the other rooms hold it: journal and copy in one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::dolt::{Change, Course, Dolt, DoltError, DoltOptions, Shipped};
use super::error::StoreError;
use super::journal::{Journal, JournalThread};
use super::kept::{KeptManaged, KeptStore};
use super::query::Reader;
use super::status::{Commit, DoltStatus, StoreStatus};
use super::write::JournalOptions;
use crate::domain::fact::{End, Fact, Recorder, What};
use crate::runtime::tasks::Tasks;

/// How long the end waits for the copy, a managed server's own end included.
const DOLT_PATIENCE: Duration = Duration::from_secs(40);
/// How long whoever asks for the status waits for a journal that is being opened.
const SETTLE: Duration = Duration::from_secs(1);
/// How long the copy may take to be left: what is being shipped is shipped whole.
const LEAVE_DOLT: Duration = Duration::from_secs(5);
/// For the last step of that.
const TAKE_DOLT: Duration = Duration::from_millis(200);

/// What the store is made of.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub path: PathBuf,
    pub host: String,
    pub version: String,
    pub pid: u32,
    pub started_at: Timestamp,
    pub retention: Duration,
    /// None where no copy is kept.
    pub dolt: Option<DoltOptions>,
}

/// Keeps what happened and tells it; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    journal: Journal,
    dolt: Dolt,
    copy_exit: CopyExit,
    path: PathBuf,
}

/// How the copy ends.
#[derive(Clone, Debug, Default)]
struct CopyExit {
    /// Cancelled before `stop` where another program goes on.
    leave: CancellationToken,
    stop: CancellationToken,
}

/// What runs behind a [`Store`], for whoever ends it.
#[derive(Debug)]
pub struct RunningStore {
    store: Store,
    journal: JournalThread,
    dolt_ended: oneshot::Receiver<Option<KeptManaged>>,
    /// The managed server that runs on.
    left: Option<KeptManaged>,
}

impl Store {
    /// Starts the journal's writer and the shipper; must be called within the runtime. Neither is waited for.
    ///
    /// # Errors
    /// [`std::io::Error`] when no thread can be started.
    pub fn start(options: StoreOptions, tasks: &Tasks) -> std::io::Result<(Self, RunningStore)> {
        let (version, pid) = (options.version.clone(), options.pid);
        let started_at = options.started_at;
        let (store, running) = Self::go_on(options, KeptStore::default(), tasks)?;
        store.journal.record(Fact::at(
            started_at,
            What::InstanceStarted {
                version: version.into(),
                pid,
            },
        ));
        Ok((store, running))
    }

    /// The same as an instance that goes on from another program in this process, whose start was told then.
    ///
    /// # Errors
    /// [`std::io::Error`] when no thread can be started.
    pub fn go_on(
        options: StoreOptions,
        kept: KeptStore,
        tasks: &Tasks,
    ) -> std::io::Result<(Self, RunningStore)> {
        let journal_options = JournalOptions {
            path: options.path.clone(),
            host: options.host,
            version: options.version,
            pid: options.pid,
            started_at: options.started_at,
            retention: options.retention,
            outbox: options.dolt.is_some(),
        };
        let (journal, thread) = if kept.instance_id.is_empty() {
            Journal::start(journal_options)?
        } else {
            Journal::go_on(journal_options, kept.instance_id.clone())?
        };
        let copy_exit = CopyExit::default();
        let course = Course {
            left: kept.dolt,
            leave: copy_exit.leave.clone(),
            ending: copy_exit.stop.clone().cancelled_owned(),
        };
        let (dolt, dolt_ended) = Dolt::start(journal.clone(), options.dolt, tasks, course);
        let store = Self {
            journal,
            dolt,
            copy_exit,
            path: options.path,
        };
        let running = RunningStore {
            store: store.clone(),
            journal: thread,
            dolt_ended,
            left: None,
        };
        Ok((store, running))
    }

    /// For the rooms that tell facts.
    #[must_use]
    pub fn recorder(&self) -> Arc<dyn Recorder> {
        Arc::new(self.journal.clone())
    }

    #[must_use]
    pub fn status(&self) -> StoreStatus {
        StoreStatus {
            dolt: self.dolt.status(),
            ..self.journal.status()
        }
    }

    /// Changes with the journal's state.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.journal.watch()
    }

    /// Changes whenever something was written.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.journal.written()
    }

    /// Changes with the copy's.
    #[must_use]
    pub fn watch_dolt(&self) -> watch::Receiver<DoltStatus> {
        self.dolt.watch()
    }

    /// The instance's own id in all tables.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        self.journal.instance_id()
    }

    /// Waits until the journal is open; false once nothing is kept. Cancel-safe.
    pub async fn opened(&self) -> bool {
        self.journal.opened().await.is_some()
    }

    /// Waits until it is known how the journal stands, [`SETTLE`] at most: it is opened beside the start. Cancel-safe.
    pub async fn settled(&self) {
        let _ = timeout(SETTLE, self.journal.settled()).await;
    }

    /// Reads the journal. It is the disk that is read: not for a thread that draws or serves.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be opened.
    pub fn read(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }

    /// Keeps events for another time from now on.
    pub fn set_retention(&self, retention: Duration) {
        self.journal.set_retention(retention);
    }

    /// Keeps a copy elsewhere, or none, from now on.
    pub fn set_dolt(&self, options: Option<DoltOptions>) {
        self.dolt.set_options(options);
    }

    /// Ships what waits and commits it. Dropped before it is done, it is done all the same.
    ///
    /// # Errors
    /// [`DoltError`] when the copy cannot be reached or written.
    pub async fn ship(&self) -> Result<Shipped, DoltError> {
        self.unless_left(self.dolt.ship()).await
    }

    /// The latest commits, the newest first.
    ///
    /// # Errors
    /// [`DoltError`] when the copy cannot be reached.
    pub async fn log(&self, most: usize) -> Result<Vec<Commit>, DoltError> {
        self.unless_left(self.dolt.log(most)).await
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
        self.unless_left(self.dolt.diff(from, to)).await
    }
}

impl Store {
    /// Ships no more and lets a managed server run on, for another program in this process to go on with. The journal is
    /// still written; what is not shipped is shipped by that program.
    pub async fn leave_copy(&self) {
        self.copy_exit.leave.cancel();
        self.copy_exit.stop.cancel();
        if timeout(LEAVE_DOLT, self.dolt.ended()).await.is_err() {
            warn!("the copy in dolt was not left in time");
        }
    }

    /// What the shipper answers. Where it has left, the next program is to be asked instead: no answer comes.
    async fn unless_left<T>(
        &self,
        asked: impl Future<Output = Result<T, DoltError>>,
    ) -> Result<T, DoltError> {
        let answer = asked.await;
        if answer.is_err() && self.copy_exit.leave.is_cancelled() {
            return std::future::pending().await;
        }
        answer
    }
}

impl RunningStore {
    /// Takes what [`Store::leave_copy`] has left.
    pub async fn take_copy(&mut self) {
        if let Ok(left) = timeout(TAKE_DOLT, &mut self.dolt_ended).await {
            self.left = left.ok().flatten();
        }
    }

    /// Writes what waits and closes the journal, for another program in this process to go on with.
    pub async fn keep(self) -> KeptStore {
        let instance_id = self.store.instance_id().to_owned();
        self.journal.close().await;
        KeptStore {
            instance_id,
            dolt: self.left,
        }
    }

    /// Writes how the instance ended, makes the copy's last commit and ends a managed server, then the journal. Dropped
    /// half way, what is not shipped is shipped at the next start.
    pub async fn end(self, end: End) {
        let journal = &self.store.journal;
        journal.record(Fact::at(Timestamp::now(), What::InstanceStopped { end }));
        self.store.copy_exit.stop.cancel();
        let ended = timeout(DOLT_PATIENCE, self.dolt_ended).await;
        if ended.is_err() {
            warn!("the copy in dolt did not end in time");
        }
        self.journal.close().await;
    }
}
