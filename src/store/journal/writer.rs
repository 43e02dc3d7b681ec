//! The one thread that owns the connection that writes.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use super::shared::{JournalInner, OutboxSignal, Question};
use crate::domain::fact::{Fact, What};
use crate::store::backlog::Backlog;
use crate::store::database::{self, Database};
use crate::store::error::StoreError;
use crate::store::outbox;
use crate::store::retention::Sweep;
use crate::store::schema;
use crate::store::status::StoreState;
use crate::store::sync::Syncer;
use crate::store::write::{Scribe, Written};

/// Facts of one transaction, so that none waits long behind others.
const BATCH: usize = 1024;
/// Between tries to write to a disk that failed.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// The writer's thread.
pub(super) struct Writer {
    shared: Arc<JournalInner>,
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
    pub(super) fn new(shared: Arc<JournalInner>) -> std::io::Result<Self> {
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

    pub(super) fn run(mut self) {
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
                return Work::End(inbox.take());
            }
            if std::mem::take(&mut inbox.is_shortened) {
                self.sweep.begin();
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
                inbox = shared.gather(inbox);
                return Work::Write(inbox.take());
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
            backlog = self.shared.inbox().take();
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
                let backlog = self.shared.inbox().take();
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
