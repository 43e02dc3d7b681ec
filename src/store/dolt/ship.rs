//! The shipper: one task with one connection, which carries the outbox into the copy and commits it there.

use std::time::Duration;

use jiff::Timestamp;
use mysql_async::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::connect::{AUTHOR, Server, Session};
use super::error::DoltError;
use super::insert;
use super::load::Load;
use super::managed::Managed;
use super::options::DoltOptions;
use super::request::{Request, Shipped, answer};
use super::revisions;
use crate::store::journal::{Journal, OutboxSignal};
use crate::store::kept::KeptManaged;
use crate::store::outbox::Row;
use crate::store::status::{DoltState, DoltStatus};

/// Rows of one transaction.
const BATCH: usize = 500;
/// Bytes of one statement; a server takes 16 MiB at least.
const MOST_BYTES: usize = 1 << 20;
/// What comes within this time is shipped together.
const GATHER: Duration = Duration::from_millis(200);
/// A milestone is committed after this time, with what follows it.
const DEBOUNCE: Duration = Duration::from_secs(10);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);
/// Tries of one transaction that a lock or a conflict kept out.
const TRIES: u32 = 5;
/// How long the end of the process waits for the last commit.
const FINISH: Duration = Duration::from_secs(5);

pub(super) struct Shipper {
    journal: Journal,
    server: Server,
    host: String,
    /// As they are now, whose times hold at once.
    options: watch::Receiver<Option<DoltOptions>>,
    commit_every: Duration,
    managed: Option<Managed>,
    status: watch::Sender<DoltStatus>,
    requests: mpsc::Receiver<Request>,
    /// Cancelled before the end where another program in this process goes on.
    leave: CancellationToken,
    /// What was shipped since the last commit.
    load: Load,
    /// Milestones that were told of, over all commits.
    milestones: u64,
}

/// Why the work with a connection ended.
enum Left {
    Ending,
    Failed(DoltError),
}

impl Shipper {
    /// A shipper for one place; `options` are watched for how often it commits.
    pub fn new(
        journal: Journal,
        place: DoltOptions,
        options: watch::Receiver<Option<DoltOptions>>,
        managed: Option<Managed>,
        status: watch::Sender<DoltStatus>,
        requests: mpsc::Receiver<Request>,
        leave: CancellationToken,
    ) -> Self {
        Self {
            journal,
            server: place.server,
            host: place.host,
            options,
            commit_every: place.commit_every,
            managed,
            status,
            requests,
            leave,
            load: Load::default(),
            milestones: 0,
        }
    }

    /// Ships until `ending` resolves, and then what is left; gives back the requests that nobody has answered. Where
    /// another program goes on, what is left is shipped by that one, which gets the managed server as it runs. Dropped half
    /// way, rows are shipped once more by the next.
    pub async fn run(
        mut self,
        ending: impl Future<Output = ()> + Send,
    ) -> (mpsc::Receiver<Request>, Option<KeptManaged>) {
        self.ship_until(ending).await;
        let left = match self.managed.take() {
            Some(managed) if self.leave.is_cancelled() => managed.leave().await,
            Some(managed) => {
                managed.stop().await;
                None
            }
            None => None,
        };
        (self.requests, left)
    }

    async fn ship_until(&mut self, ending: impl Future<Output = ()> + Send) {
        tokio::pin!(ending);
        self.set(|status| status.state = DoltState::Connecting);
        let journal = self.journal.clone();
        let opened = tokio::select! {
            opened = journal.opened() => opened,
            () = &mut ending => return,
        };
        let Some(store_id) = opened else {
            self.rest(&mut ending).await;
            return;
        };
        let mut pause = FIRST_RETRY;
        loop {
            let opened = tokio::select! {
                opened = self.open(&store_id) => opened,
                () = &mut ending => return,
            };
            let error = match opened {
                Ok(copy) => {
                    pause = FIRST_RETRY;
                    match Box::pin(self.work(copy, &mut ending)).await {
                        Left::Ending => return,
                        Left::Failed(error) => error,
                    }
                }
                Err(error) => error,
            };
            self.tell_failure(&error, pause);
            tokio::select! {
                () = self.pass_time(pause, &error) => {}
                () = &mut ending => return,
            }
            pause = (pause * 2).min(LAST_RETRY);
        }
    }

    /// Waits for the end where there is no journal to ship from.
    async fn rest(&mut self, ending: &mut (impl Future<Output = ()> + Unpin)) {
        self.set(|status| status.message = Some(DoltOptions::UNSHIPPED.to_owned()));
        loop {
            tokio::select! {
                () = &mut *ending => return,
                request = self.requests.recv() => match request {
                    Some(request) => request.refuse(|| DoltError::NoJournal),
                    None => return ending.await,
                },
            }
        }
    }

    async fn open(&mut self, store_id: &str) -> Result<Session, DoltError> {
        if let Some(managed) = &mut self.managed {
            let (server, pid) = managed.serve(&self.server).await?;
            self.set(|status| {
                status.server = Some(server.address());
                status.pid = Some(pid);
            });
            self.server = server;
        }
        let mut copy = Session::open(&self.server, store_id).await?;
        if copy.is_empty() {
            // Before it is this store's: what is interrupted here begins anew.
            let filled = self.journal.ship_all().await;
            filled.map_err(|error| DoltError::Journal(error.to_string()))?;
        }
        copy.bring_up(store_id).await?;
        let last_commit = revisions::log(&mut copy, 1).await?.into_iter().next();
        let dirty = copy.rows("SELECT 1 FROM dolt_status LIMIT 1").await?;
        self.load.is_dirty |= !dirty.is_empty();
        info!(
            server = self.server.address(),
            version = copy.version,
            "the copy in dolt is reached"
        );
        let version = copy.version.clone();
        self.set(|status| {
            status.state = DoltState::Ready;
            status.message = None;
            status.version = Some(version);
            status.retry_at = None;
            status.last_commit = last_commit;
        });
        Ok(copy)
    }

    /// Ships and commits as it falls due, until the connection fails or the instance ends.
    async fn work(
        &mut self,
        mut copy: Session,
        ending: &mut (impl Future<Output = ()> + Unpin),
    ) -> Left {
        let mut outbox = self.journal.outbox();
        outbox.mark_changed();
        self.load.commit_within(DEBOUNCE);
        let mut options = self.options.clone();
        loop {
            let due = self.load.due;
            let commit_due = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                () = &mut *ending => {
                    self.finish(copy).await;
                    return Left::Ending;
                }
                request = self.requests.recv() => match request {
                    Some(request) => self.answer(&mut copy, request).await,
                    None => Ok(()),
                },
                changed = outbox.changed() => match changed {
                    Ok(()) => {
                        let signal = *outbox.borrow_and_update();
                        self.shipped_on(&mut copy, signal).await
                    }
                    // The journal's writer is gone, and with it what there is to ship.
                    Err(_) => std::future::pending().await,
                },
                Ok(()) = options.changed() => {
                    if let Some(options) = &*options.borrow_and_update() {
                        self.commit_every = options.commit_every;
                    }
                    self.load.commit_within(self.commit_every);
                    Ok(())
                }
                () = commit_due => self.commit(&mut copy).await.map(drop),
            };
            if let Err(error) = done {
                return Left::Failed(error);
            }
        }
    }

    /// Ships what the outbox holds.
    async fn shipped_on(
        &mut self,
        copy: &mut Session,
        signal: OutboxSignal,
    ) -> Result<(), DoltError> {
        if signal.waiting == 0 {
            return Ok(());
        }
        sleep(GATHER).await;
        self.ship(copy).await?;
        if signal.milestones > self.milestones {
            self.milestones = signal.milestones;
            self.load.commit_within(DEBOUNCE);
        }
        Ok(())
    }

    /// Ships until nothing waits.
    async fn ship(&mut self, copy: &mut Session) -> Result<(), DoltError> {
        loop {
            let shipment = self
                .journal
                .next_shipment(BATCH)
                .await
                .map_err(|error| DoltError::Journal(error.to_string()))?;
            if shipment.places.is_empty() {
                return Ok(());
            }
            self.deliver(copy, &shipment.rows).await?;
            self.load.add(&shipment.rows);
            self.load.commit_within(self.commit_every);
            // Only what was committed is acknowledged; what is not is shipped once more, to the same rows.
            self.journal
                .arrived(shipment.places)
                .await
                .map_err(|error| DoltError::Journal(error.to_string()))?;
            if shipment.is_last {
                return Ok(());
            }
        }
    }

    /// One transaction, tried again where a lock or somebody else's change kept it out.
    async fn deliver(&self, copy: &mut Session, rows: &[Row]) -> Result<(), DoltError> {
        let statements = insert::statements(rows, MOST_BYTES);
        let mut tries = 1;
        loop {
            match transact(copy, &statements).await {
                Err(error) if error.is_passing() && tries < TRIES => {
                    debug!(%error, tries, "a transaction is tried again");
                    let _ = copy.run("ROLLBACK").await;
                    sleep(jitter(tries)).await;
                    tries += 1;
                }
                Err(error) if error.is_the_servers() => {
                    let _ = copy.run("ROLLBACK").await;
                    return Err(error);
                }
                done => return done,
            }
        }
    }

    /// Commits what was shipped; nothing to commit is no error. Tells how many rows it holds.
    async fn commit(&mut self, copy: &mut Session) -> Result<u64, DoltError> {
        let message = Value::from(self.load.message(&self.host)).as_sql(false);
        copy.rows(&format!(
            "CALL dolt_commit('-A', '--skip-empty', '-m', {message}, '--author', '{AUTHOR}')"
        ))
        .await?;
        let rows = self.load.committed();
        let last = revisions::log(copy, 1).await?.into_iter().next();
        self.set(|status| status.last_commit = last);
        Ok(rows)
    }

    async fn answer(&mut self, copy: &mut Session, request: Request) -> Result<(), DoltError> {
        match request {
            Request::Ship(reply) => {
                let shipped = self.ship_by_hand(copy).await;
                answer(reply, shipped)
            }
            Request::Log { most, reply } => answer(reply, revisions::log(copy, most).await),
            Request::Diff { from, to, reply } => {
                let diff = revisions::diff(copy, from.as_deref(), to.as_deref()).await;
                answer(reply, diff)
            }
        }
    }

    async fn ship_by_hand(&mut self, copy: &mut Session) -> Result<Shipped, DoltError> {
        self.journal.flush().await;
        self.ship(copy).await?;
        let rows = self.commit(copy).await?;
        let last = self.status.borrow().last_commit.clone();
        Ok(Shipped {
            hash: last.map(|commit| commit.hash).unwrap_or_default(),
            rows,
        })
    }

    /// Ships and commits what is left.
    async fn finish(&mut self, mut copy: Session) {
        if self.leave.is_cancelled() {
            return copy.close().await;
        }
        let last = async {
            self.journal.flush().await;
            self.ship(&mut copy).await?;
            self.commit(&mut copy).await
        };
        match timeout(FINISH, last).await {
            Ok(Ok(rows)) => debug!(rows, "the last commit is made"),
            Ok(Err(error)) => warn!(%error, "what waits for dolt is shipped at the next start"),
            Err(_) => warn!("dolt is slow: what waits is shipped at the next start"),
        }
        copy.close().await;
    }

    /// Waits for the next try; whoever asks for something meanwhile makes it at once, and is told why it fails.
    async fn pass_time(&mut self, pause: Duration, error: &DoltError) {
        let why = error.to_string();
        let until = Instant::now() + pause;
        tokio::select! {
            () = sleep_until(until) => {}
            request = self.requests.recv() => {
                let Some(request) = request else {
                    return sleep_until(until).await;
                };
                self.try_for(request, &why).await;
            }
        }
    }

    /// Tries at once for the sake of a request, and answers it either way.
    async fn try_for(&mut self, request: Request, why: &str) {
        let Some(store_id) = self.journal.opened().await else {
            return request.refuse(|| DoltError::Managed(why.to_owned()));
        };
        match self.open(&store_id).await {
            Ok(mut copy) => {
                let _ = self.answer(&mut copy, request).await;
                copy.close().await;
            }
            Err(error) => request.refuse(|| DoltError::Managed(error.to_string())),
        }
    }

    fn tell_failure(&self, error: &DoltError, pause: Duration) {
        let message = error.to_string();
        let is_new = {
            let status = self.status.borrow();
            status.message.as_deref() != Some(message.as_str())
        };
        if is_new {
            warn!(
                state = error.state().as_str(),
                error = message,
                "the copy in dolt"
            );
        }
        let retry_at = Timestamp::now().checked_add(pause).ok();
        self.set(|status| {
            status.state = error.state();
            status.message = Some(message);
            status.retry_at = retry_at;
        });
    }

    fn set(&self, change: impl FnOnce(&mut DoltStatus)) {
        self.status.send_modify(change);
    }
}

async fn transact(copy: &mut Session, statements: &[String]) -> Result<(), DoltError> {
    copy.run("START TRANSACTION").await?;
    for statement in statements {
        copy.run(statement).await?;
    }
    copy.run("COMMIT").await
}

/// 20 ms and more, growing with the tries, never the same for two.
fn jitter(tries: u32) -> Duration {
    let nanos = u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs());
    Duration::from_millis(20 * u64::from(tries) + nanos % 40)
}
