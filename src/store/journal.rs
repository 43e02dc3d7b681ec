//! The journal: a queue that never waits, and the one thread that writes what is in it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};
use uuid::Uuid;

use super::backlog::Backlog;
use super::database::{self, Database};
use super::error::StoreError;
use super::outbox::{self, Shipment};
use super::retention::Sweep;
use super::schema;
use super::status::{DoltStatus, StoreState, StoreStatus};
use super::sync::Syncer;
use super::write::{JournalOptions, Scribe, Written};
use crate::domain::fact::{Fact, Recorder, What};

/// What comes within this time after a first fact is written with it.
const GATHER: Duration = Duration::from_millis(10);
/// Facts of one transaction, so that none waits long behind others.
const BATCH: usize = 1024;
/// Between tries to write to a disk that failed.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);
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
    shared: Arc<Shared>,
}

/// What the outbox tells whoever empties it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxSignal {
    pub waiting: u64,
    /// Rises with whatever a commit should not wait long for.
    pub milestones: u64,
}

#[derive(Debug)]
pub(super) struct Shared {
    inbox: Mutex<Inbox>,
    wake: Condvar,
    status: Mutex<StoreStatus>,
    /// Rises when the state changes.
    changed: watch::Sender<u64>,
    /// The store's own id, once it is known.
    store_id: watch::Sender<Option<String>>,
    outbox: watch::Sender<OutboxSignal>,
    /// Rises whenever something was written.
    written: watch::Sender<u64>,
    options: JournalOptions,
    instance_id: String,
}

#[derive(Debug, Default)]
struct Inbox {
    backlog: Backlog,
    /// Facts that the writer has taken and not written yet.
    in_hand: usize,
    questions: VecDeque<Question>,
    retention: Duration,
    /// Rows are to be copied elsewhere.
    outbox: bool,
    /// The writer sleeps, and must be woken.
    asleep: bool,
    closing: bool,
    /// Nothing is kept.
    off: bool,
}

#[derive(Debug)]
enum Question {
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
        let status = StoreStatus {
            path: options.path.clone(),
            size: 0,
            schema: None,
            pending: Vec::new(),
            state: StoreState::Off,
            message: None,
            waiting: 0,
            events: None,
            usage_hours: None,
            outbox: 0,
            dolt: DoltStatus::default(),
        };
        let inbox = Inbox {
            retention: options.retention,
            outbox: options.outbox,
            ..Inbox::default()
        };
        let shared = Arc::new(Shared {
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

    /// Keeps events for another time from now on.
    pub fn set_retention(&self, retention: Duration) {
        self.shared.inbox().retention = retention;
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

impl Shared {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> MutexGuard<'_, StoreStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer's thread.
struct Writer {
    shared: Arc<Shared>,
    database: Option<Database>,
    scribe: Scribe,
    sweep: Sweep,
    retry: Option<Retry>,
    milestones: u64,
    syncer: Syncer,
}

/// The next try after a failure.
#[derive(Clone, Copy, Debug)]
struct Retry {
    at: Instant,
    pause: Duration,
}

/// What the writer has to do next.
enum Work {
    Write(Backlog),
    /// Begin or end to keep an outbox.
    Track(bool),
    Answer(Question),
    Sweep,
    Open,
    End(Backlog),
}

impl Writer {
    fn new(shared: Arc<Shared>) -> std::io::Result<Self> {
        let scribe = Scribe::new(&shared.instance_id, shared.options.outbox);
        let syncer = Syncer::start(database::log_of(&shared.options.path))?;
        Ok(Self {
            shared,
            database: None,
            scribe,
            sweep: Sweep::default(),
            retry: None,
            milestones: 0,
            syncer,
        })
    }

    fn run(mut self) {
        self.open();
        loop {
            match self.next() {
                Work::Write(backlog) => self.write(backlog),
                Work::Track(wanted) => self.track(wanted),
                Work::Answer(question) => self.answer(question),
                Work::Sweep => self.sweep_some(),
                Work::Open => self.open(),
                Work::End(backlog) => {
                    self.write(backlog);
                    break;
                }
            }
            if self.shared.inbox().off {
                return;
            }
        }
        if let Some(database) = self.database.take() {
            let _ =
                database
                    .connection
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    /// Waits for work. With nothing to do it sleeps until it is woken: an idle journal uses no processor.
    fn next(&mut self) -> Work {
        let shared = Arc::clone(&self.shared);
        let mut inbox = shared.inbox();
        loop {
            if inbox.closing {
                return Work::End(take(&mut inbox));
            }
            let due = self.retry.map(|retry| retry.at);
            let is_due = due.is_none_or(|due| due <= Instant::now());
            if is_due && self.database.is_none() {
                return Work::Open;
            }
            if is_due && inbox.outbox != self.scribe.has_outbox() {
                return Work::Track(inbox.outbox);
            }
            if let Some(question) = inbox.questions.pop_front() {
                return Work::Answer(question);
            }
            if is_due && !inbox.backlog.is_empty() {
                inbox = gather(&shared, inbox);
                return Work::Write(take(&mut inbox));
            }
            if is_due && self.sweep.is_due() {
                return Work::Sweep;
            }
            inbox = if let Some(due) = due {
                let pause = due.saturating_duration_since(Instant::now());
                let waited = shared.wake.wait_timeout(inbox, pause);
                waited.unwrap_or_else(PoisonError::into_inner).0
            } else {
                inbox.asleep = true;
                let woken = shared.wake.wait(inbox);
                let mut inbox = woken.unwrap_or_else(PoisonError::into_inner);
                inbox.asleep = false;
                inbox
            };
        }
    }

    fn open(&mut self) {
        self.scribe.set_outbox(self.shared.inbox().outbox);
        let opened = Database::open(&self.shared.options.path).and_then(|(mut database, moved)| {
            self.scribe.begin(&mut database, &self.shared.options)?;
            Ok((database, moved))
        });
        let (database, moved) = match opened {
            Ok(opened) => opened,
            Err(error @ StoreError::SchemaNewer { found, .. }) => {
                self.shared.status().schema = Some(found);
                {
                    // Before it is told, so that whoever hears of it finds it so.
                    let mut inbox = self.shared.inbox();
                    inbox.off = true;
                    inbox.backlog = Backlog::default();
                    inbox.questions.clear();
                }
                return self.tell(StoreState::SchemaNewer, Some(&error.to_string()), 0);
            }
            Err(error) => return self.failed(&error.to_string()),
        };
        self.sweep.begin();
        let store_id = database.store_id.clone();
        self.database = Some(database);
        self.count(Written::default());
        let message = moved.map(|moved| {
            format!(
                "the journal was no database and is kept as {}",
                moved.0.display()
            )
        });
        let was_degraded = {
            let mut status = self.shared.status();
            status.schema = Some(schema::VERSION);
            status.state == StoreState::Degraded
        };
        match &mut self.retry {
            // It is ready again once what waits is written.
            Some(retry) if was_degraded && message.is_none() => retry.at = Instant::now(),
            _ => self.recovered(message.as_deref()),
        }
        self.shared.store_id.send_replace(Some(store_id));
    }

    fn write(&mut self, mut backlog: Backlog) {
        let lost = std::mem::take(&mut backlog.lost);
        if !self.database.as_ref().is_some_and(Database::is_in_place) {
            // The file is gone or another one: what is open would be written to for nobody.
            self.database = None;
            self.put_back(backlog, lost);
            if !self.shared.inbox().closing {
                return;
            }
            self.open();
            backlog = take(&mut self.shared.inbox());
        }
        if let Some(trouble) = self.syncer.take_trouble() {
            self.put_back(backlog, lost);
            self.database = None;
            return self.failed(&trouble);
        }
        while !backlog.is_empty() {
            let later = backlog.facts.split_off(backlog.facts.len().min(BATCH));
            let Some(database) = &mut self.database else {
                backlog.facts.extend(later);
                return self.put_back(backlog, lost);
            };
            match self.scribe.write(database, &backlog) {
                Ok(written) => {
                    self.syncer.want();
                    self.count(written);
                    backlog = Backlog {
                        facts: later,
                        ..Backlog::default()
                    };
                    self.shared.inbox().in_hand = backlog.len();
                    self.shared.written.send_modify(|count| *count += 1);
                }
                Err(error) => {
                    backlog.facts.extend(later);
                    self.put_back(backlog, lost);
                    // Opened anew, what is no database any more is moved aside.
                    self.database = None;
                    return self.failed(&error.to_string());
                }
            }
        }
        self.recovered_with(None, lost);
    }

    fn track(&mut self, wanted: bool) {
        let Some(database) = &mut self.database else {
            return;
        };
        match self.scribe.track(database, wanted) {
            Ok(()) => self.count(Written::default()),
            Err(error) => {
                self.database = None;
                self.failed(&error.to_string());
            }
        }
    }

    fn put_back(&self, mut backlog: Backlog, lost: u64) {
        backlog.lost += lost;
        let mut inbox = self.shared.inbox();
        inbox.in_hand = 0;
        inbox.backlog.put_back(backlog);
    }

    fn answer(&mut self, question: Question) {
        match question {
            Question::Flush { reply } => {
                let backlog = take(&mut self.shared.inbox());
                if !backlog.is_empty() {
                    self.write(backlog);
                }
                let _ = reply.send(());
            }
            Question::Next { most, reply } => {
                let answer = match &self.database {
                    Some(database) => {
                        outbox::next(&database.connection, most).map_err(StoreError::from)
                    }
                    None => Err(StoreError::NotKept(
                        StoreState::Degraded.as_str().to_owned(),
                    )),
                };
                let _ = reply.send(answer);
            }
            Question::All { reply } => {
                let answer = match &mut self.database {
                    Some(database) => self.scribe.enqueue_all(database),
                    None => Err(StoreError::NotKept(
                        StoreState::Degraded.as_str().to_owned(),
                    )),
                };
                if answer.is_ok() {
                    self.count(Written::default());
                }
                let _ = reply.send(answer);
            }
            Question::Arrived { places, reply } => {
                let answer = match &mut self.database {
                    Some(database) => self.scribe.arrived(database, &places),
                    None => Err(StoreError::NotKept(
                        StoreState::Degraded.as_str().to_owned(),
                    )),
                };
                if answer.is_ok() {
                    self.count(Written::default());
                }
                let _ = reply.send(answer);
            }
        }
    }

    fn sweep_some(&mut self) {
        let retention = self.shared.inbox().retention;
        if let Some(database) = &mut self.database {
            match self.sweep.some(&mut database.connection, retention) {
                Ok(removed) => self.scribe.removed(removed),
                Err(error) => {
                    warn!(%error, "old events cannot be removed");
                    self.sweep.give_up();
                }
            }
            self.count(Written::default());
        }
    }

    /// Tells what is in the database now.
    fn count(&mut self, written: Written) {
        self.milestones += written.milestones;
        let counts = self.scribe.counts();
        {
            let mut status = self.shared.status();
            status.events = Some(counts.events);
            status.usage_hours = Some(counts.usage_hours);
        }
        let signal = OutboxSignal {
            waiting: counts.outbox,
            milestones: self.milestones,
        };
        self.shared.outbox.send_if_modified(|told| {
            let is_new = *told != signal;
            *told = signal;
            is_new
        });
    }

    fn failed(&mut self, why: &str) {
        let pause = self
            .retry
            .map_or(FIRST_RETRY, |retry| (retry.pause * 2).min(LAST_RETRY));
        self.retry = Some(Retry {
            at: Instant::now() + pause,
            pause,
        });
        self.tell(StoreState::Degraded, Some(why), 0);
    }

    fn recovered(&mut self, message: Option<&str>) {
        self.recovered_with(message, 0);
    }

    fn recovered_with(&mut self, message: Option<&str>, lost: u64) {
        self.retry = None;
        self.tell(StoreState::Ready, message, lost);
    }

    /// Takes another state, and tells it to the log and to the history, unless it is the same.
    fn tell(&mut self, state: StoreState, message: Option<&str>, lost: u64) {
        let before = {
            let mut status = self.shared.status();
            let before = status.state;
            if before == state && status.message.as_deref() == message && lost == 0 {
                return;
            }
            status.state = state;
            status.message = message.map(str::to_owned);
            before
        };
        self.shared.changed.send_modify(|revision| *revision += 1);
        let why = message.unwrap_or_default();
        match state {
            StoreState::Ready => info!(from = before.as_str(), lost, why, "the store is ready"),
            StoreState::Degraded | StoreState::SchemaNewer | StoreState::Off => {
                warn!(state = state.as_str(), why, "the store");
            }
        }
        let is_first = before == StoreState::Off && state == StoreState::Ready && message.is_none();
        // The first opening says nothing, and another reason for the same state is in the log.
        if is_first || (before == state && lost == 0) {
            return;
        }
        let what = What::StoreChanged {
            from: before.as_str(),
            to: state.as_str(),
            why: why.to_owned(),
            lost,
        };
        let mut inbox = self.shared.inbox();
        if !inbox.off {
            inbox.backlog.push(Fact::at(Timestamp::now(), what));
        }
    }
}

fn take(inbox: &mut Inbox) -> Backlog {
    let backlog = std::mem::take(&mut inbox.backlog);
    inbox.in_hand = backlog.len();
    backlog
}

/// Lets what comes right after a fact come, so that a burst is one transaction.
fn gather<'a>(shared: &'a Shared, inbox: MutexGuard<'a, Inbox>) -> MutexGuard<'a, Inbox> {
    let has_time = |inbox: &mut Inbox| !inbox.closing && inbox.questions.is_empty();
    let waited = shared.wake.wait_timeout_while(inbox, GATHER, has_time);
    waited.unwrap_or_else(PoisonError::into_inner).0
}
