//! The way to talk to one pane.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use regex::Regex;
use rustix::process::Pid;
use tokio::sync::{Notify, broadcast, oneshot, watch};

use super::attach::Seats;
use super::error::PaneError;
use super::final_state::FinalState;
use super::mailbox::{Mailbox, Message, Refusal};
use super::output::OutputBuffer;
use crate::domain::agent::AgentState;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::domain::screen::{Row, ScreenSnapshot};
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, Status, TerminalInfo};

/// Talks to one pane; cheap to clone. The terminal goes on living when every handle is dropped.
#[derive(Clone)]
pub struct PaneHandle {
    shared: Arc<Shared>,
}

/// What a pane's thread and its handles share.
pub(super) struct Shared {
    pub id: TerminalId,
    pub pid: Pid,
    pub mailbox: Mailbox,
    pub output: OutputBuffer,
    pub seats: Seats,
    info: Mutex<TerminalInfo>,
    /// Rung after every change of `info`.
    changed: Notify,
    events: broadcast::Sender<TerminalEvent>,
    watchers: AtomicUsize,
    /// The watchers of all panes together.
    audience: Arc<AtomicUsize>,
    /// Cloned for each watcher.
    screen: watch::Receiver<Arc<ScreenSnapshot>>,
    /// What is left to be seen once the pane's thread has let go.
    final_state: Mutex<Option<FinalState>>,
    /// The working directory that the program told last (OSC 7).
    directory: Mutex<Option<PathBuf>>,
    ended_at: OnceLock<Instant>,
    /// The last process of the session is gone.
    session_gone: AtomicBool,
}

/// The live screen of a pane. While at least one exists the pane publishes snapshots, at most 60 a second.
pub struct ScreenWatch {
    receiver: watch::Receiver<Arc<ScreenSnapshot>>,
    shared: Arc<Shared>,
}

/// A pane's screen, and its history where asked for, at one point of the byte stream.
#[derive(Clone, Debug)]
pub struct Capture {
    pub screen: ScreenSnapshot,
    pub scrollback: Vec<Arc<Row>>,
}

/// Some rows of history and screen by absolute number, and where history and screen lie now.
#[derive(Clone, Debug, Default)]
pub struct RowWindow {
    /// Absolute number of the first row in `rows`, moved up to what still exists.
    pub start: u64,
    pub rows: Vec<Arc<Row>>,
    pub history_start: u64,
    pub top: u64,
    /// One more than the number of the last row of the screen.
    pub end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// A search through history and screen; starts strictly beyond `from` and does not wrap around.
#[derive(Clone, Debug)]
pub struct Search {
    pub pattern: Regex,
    /// Absolute row and column.
    pub from: (u64, u16),
    pub direction: Direction,
}

/// Where a search hit begins and ends; `end` is exclusive. A hit lies within one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub row: u64,
    pub cols: (u16, u16),
}

/// What [`PaneHandle::wait`] waits for.
#[derive(Clone, Debug)]
pub enum WaitFor {
    /// The text of history and screen matches, or has matched since the wait began.
    Text(Regex),
    Exit,
    State(AgentState),
    Status(Status),
}

impl PaneHandle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn shared_arc(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub fn id(&self) -> TerminalId {
        self.shared.id
    }

    pub fn info(&self) -> TerminalInfo {
        self.shared.info().clone()
    }

    /// Queues input without waiting.
    ///
    /// # Errors
    /// [`PaneError::InputFull`] when the program has left too much unread, [`PaneError::Dead`] when it has ended;
    /// nothing of this input is typed then.
    pub fn try_input(&self, input: Input) -> Result<(), PaneError> {
        match self.shared.mailbox.post(Message::Input(input)) {
            Ok(()) => Ok(()),
            Err(Refusal::Full { pending }) => Err(PaneError::InputFull { pending }),
            Err(Refusal::Closed) => Err(PaneError::Dead(self.id())),
        }
    }

    /// Sets the size; of several in a row only the last may be applied. A terminal that has ended keeps its size.
    pub fn resize(&self, size: Size) {
        self.tell(Message::Resize(size));
    }

    /// Sets the name. An empty one is left out.
    pub fn rename(&self, name: &str) {
        let name = name.trim();
        if !name.is_empty() {
            self.shared.update(|info| name.clone_into(&mut info.name));
        }
    }

    /// Where the program in the terminal is now: as it told (OSC 7), else as the kernel knows of the first process.
    pub fn working_directory(&self) -> PathBuf {
        let told = self
            .shared
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        told.filter(|path| path.is_dir())
            .or_else(|| {
                let pid = self.shared.pid.as_raw_nonzero();
                std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
            })
            .unwrap_or_else(|| self.shared.info().cwd.clone())
    }

    pub fn set_owner(&self, owner: Owner) {
        self.shared.update(|info| {
            info.owner = owner;
            info.settle(Timestamp::now());
        });
        self.owner_changed(owner);
    }

    /// The user has looked at this pane: an agent that was done becomes idle.
    pub fn seen(&self) {
        self.tell(Message::Seen);
    }

    /// Begins to end the terminal's whole session: HUP, TERM, and after the grace KILL. Doing so twice does no harm.
    pub fn kill(&self) {
        self.shared.mailbox.kill();
    }

    /// Starts to publish snapshots; until the first arrives the watch holds a blank one. A terminal that has ended
    /// shows its last screen.
    pub fn watch(&self) -> ScreenWatch {
        self.shared.watchers.fetch_add(1, Ordering::Relaxed);
        self.shared.audience.fetch_add(1, Ordering::Relaxed);
        let mut receiver = self.shared.screen.clone();
        self.tell(Message::Watchers);
        if let Some(final_state) = self.shared.final_state().as_ref() {
            receiver = watch::channel(Arc::new(final_state.capture(false).screen)).1;
        }
        ScreenWatch {
            receiver,
            shared: Arc::clone(&self.shared),
        }
    }

    /// The screen now, with the whole history where asked for. A terminal that has ended shows its last screen.
    pub async fn capture(&self, scrollback: bool) -> Result<Capture, PaneError> {
        match self
            .ask(|reply| Message::Capture { scrollback, reply })
            .await
        {
            Some(capture) => Ok(capture),
            None => self.read_final_state(|final_state| final_state.capture(scrollback)),
        }
    }

    /// Reads rows by absolute number; what lies outside of history and screen is left out.
    pub async fn rows(&self, range: Range<u64>) -> Result<RowWindow, PaneError> {
        let asked = range.clone();
        match self
            .ask(|reply| Message::Rows {
                range: asked,
                reply,
            })
            .await
        {
            Some(window) => Ok(window),
            None => self.read_final_state(|final_state| final_state.rows(range)),
        }
    }

    /// The nearest hit in the search's direction.
    pub async fn search(&self, search: Search) -> Result<Option<Match>, PaneError> {
        let asked = search.clone();
        match self
            .ask(|reply| Message::Search {
                search: asked,
                reply,
            })
            .await
        {
            Some(found) => Ok(found),
            None => self.read_final_state(|final_state| final_state.search(&search)),
        }
    }

    /// Waits until everything asked of the pane so far has been done, such as a resize. Cancel-safe.
    pub async fn settled(&self) {
        // An answered question has every earlier message behind it; a dead pane has none to do.
        let _ = self.ask(|reply| Message::Rows { range: 0..0, reply }).await;
    }

    /// Waits until it holds; true if it does, false if the terminal ended and it never will. Cancel-safe.
    pub async fn wait(&self, what: WaitFor) -> bool {
        match what {
            WaitFor::Text(pattern) => {
                let asked = pattern.clone();
                match self
                    .ask(|reply| Message::WaitText {
                        pattern: asked,
                        reply,
                    })
                    .await
                {
                    Some(found) => found,
                    None => self
                        .read_final_state(|final_state| final_state.contains(&pattern))
                        .unwrap_or(false),
                }
            }
            WaitFor::Exit => self.wait_info(|info| info.status == Status::Dead).await,
            WaitFor::Status(status) => self.wait_info(|info| info.status == status).await,
            WaitFor::State(state) => {
                self.wait_info(|info| {
                    info.agent
                        .as_ref()
                        .is_some_and(|agent| agent.state == state)
                })
                .await
            }
        }
    }

    /// Waits until the terminal has ended and no process of its session is left. Cancel-safe.
    pub async fn wait_session_gone(&self) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.shared.session_gone.load(Ordering::Acquire) {
                return;
            }
            changed.await;
        }
    }

    async fn wait_info(&self, holds: impl Fn(&TerminalInfo) -> bool) -> bool {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            // Armed before looking, so that a change in between is not slept through.
            changed.as_mut().enable();
            {
                let info = self.shared.info();
                if holds(&info) {
                    return true;
                }
                if info.status == Status::Dead {
                    return false;
                }
            }
            changed.await;
        }
    }

    /// Posts a question and waits for its answer; None once the pane's thread has let go.
    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Message) -> Option<T> {
        self.shared.ask(question).await
    }

    /// Posts what needs no answer and loses its meaning when the terminal has ended.
    fn tell(&self, message: Message) {
        let _ = self.shared.mailbox.post(message);
    }

    fn read_final_state<T>(&self, read: impl FnOnce(&FinalState) -> T) -> Result<T, PaneError> {
        self.shared
            .final_state()
            .as_ref()
            .map(read)
            .ok_or(PaneError::Dead(self.id()))
    }
}

impl fmt::Debug for PaneHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PaneHandle").field(&self.id()).finish()
    }
}

impl Shared {
    pub fn new(
        info: TerminalInfo,
        pid: Pid,
        mailbox: Mailbox,
        events: broadcast::Sender<TerminalEvent>,
        screen: watch::Receiver<Arc<ScreenSnapshot>>,
        replay_bytes: usize,
        audience: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            id: info.id,
            pid,
            mailbox,
            output: OutputBuffer::new(replay_bytes),
            seats: Seats::new(info.owner),
            info: Mutex::new(info),
            changed: Notify::new(),
            events,
            watchers: AtomicUsize::new(0),
            audience,
            screen,
            final_state: Mutex::new(None),
            directory: Mutex::new(None),
            ended_at: OnceLock::new(),
            session_gone: AtomicBool::new(false),
        }
    }

    pub fn info(&self) -> MutexGuard<'_, TerminalInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the facts and tells those who wait or listen, unless nothing changed.
    pub fn update(&self, change: impl FnOnce(&mut TerminalInfo)) {
        {
            let mut info = self.info();
            let before = info.clone();
            change(&mut info);
            if *info == before {
                return;
            }
        }
        self.changed.notify_waiters();
        self.tell(TerminalEvent::Changed { id: self.id });
    }

    /// Like [`Shared::update`], for the last change of all.
    pub fn ended(&self, change: impl FnOnce(&mut TerminalInfo)) {
        self.ended_at.get_or_init(Instant::now);
        self.update(change);
    }

    /// Nobody of the session is left.
    pub fn set_session_gone(&self) {
        self.session_gone.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Posts a question and waits for its answer; None once the pane's thread has let go.
    pub async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Message) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.mailbox.post(question(reply)).ok()?;
        answer.await.ok()
    }

    /// How long ago the terminal ended, if it has.
    pub fn ended_for(&self) -> Option<Duration> {
        self.ended_at.get().map(Instant::elapsed)
    }

    pub fn told_directory(&self, path: PathBuf) {
        *self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(path);
    }

    /// The screen published last; blank where nobody watched.
    pub fn last_shown(&self) -> ScreenSnapshot {
        ScreenSnapshot::clone(&self.screen.borrow())
    }

    /// Whether anybody watches the screen.
    pub fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// Whether this pane is hidden while another one is not.
    pub fn only_others_are_watched(&self) -> bool {
        !self.is_watched() && self.audience.load(Ordering::Relaxed) > 0
    }

    /// Tells every listener; nobody listening is no fault.
    pub fn tell(&self, event: TerminalEvent) {
        let _ = self.events.send(event);
    }

    pub fn final_state(&self) -> MutexGuard<'_, Option<FinalState>> {
        self.final_state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl ScreenWatch {
    /// The newest snapshot.
    pub fn latest(&self) -> Arc<ScreenSnapshot> {
        Arc::clone(&self.receiver.borrow())
    }

    /// Waits until there is a newer snapshot than the last one seen; false once the pane has ended. Cancel-safe.
    pub async fn changed(&mut self) -> bool {
        self.receiver.changed().await.is_ok()
    }
}

impl fmt::Debug for ScreenWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScreenWatch").field(&self.shared.id).finish()
    }
}

impl Drop for ScreenWatch {
    fn drop(&mut self) {
        self.shared.watchers.fetch_sub(1, Ordering::Relaxed);
        self.shared.audience.fetch_sub(1, Ordering::Relaxed);
        let _ = self.shared.mailbox.post(Message::Watchers);
    }
}
