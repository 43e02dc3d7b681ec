//! Who is attached to a pane, and which one of them types into it and decides its size.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;
use tracing::info;

use super::error::PaneError;
use super::facts::Facts;
use super::kept::KeptAttachments;
use super::mailbox::{Mailbox, Message};
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::domain::terminal::Owner;
use crate::domain::writer::{Access, Admission, ViewerId, Writer, WriterLock};
use crate::runtime::handover::{millis_since, since_millis};

/// A pane's viewers and its writer. Lock order: this one before the pane's facts.
pub(super) struct Attachments {
    facts: Arc<Facts>,
    mailbox: Arc<Mailbox>,
    state: Mutex<State>,
    writer: watch::Sender<Option<Writer>>,
}

struct State {
    lock: WriterLock,
    /// Where and when the last viewer without a place of its own left off.
    left_off: Option<(u64, Instant)>,
}

/// A viewer's place at a pane; leaving is dropping it.
pub struct Attachment {
    pane: Arc<Attachments>,
    id: ViewerId,
    access: Access,
    left_off: Option<(u64, Instant)>,
    left: bool,
}

impl Attachments {
    pub fn new(facts: Arc<Facts>, mailbox: Arc<Mailbox>) -> Self {
        let lock = WriterLock::new(facts.info().owner == Owner::Front);
        Self {
            facts,
            mailbox,
            writer: watch::Sender::new(lock.writer()),
            state: Mutex::new(State {
                lock,
                left_off: None,
            }),
        }
    }

    /// What goes over to another program: who writes, and where viewers left off.
    pub fn keep(&self) -> KeptAttachments {
        let state = self.state();
        let left_off = state.left_off;
        KeptAttachments {
            left_off: left_off.map(|(seq, at)| (seq, millis_since(at))),
            ..KeptAttachments::from(&state.lock.keep(Instant::now()))
        }
    }

    /// Takes up what was kept, before anybody is attached.
    pub fn resume(&self, kept: &KeptAttachments) {
        let mut state = self.state();
        let is_front_owned = self.facts.info().owner == Owner::Front;
        state.lock = WriterLock::resume(&kept.into(), is_front_owned, Instant::now());
        state.left_off = kept.left_off.map(|(seq, ms)| (seq, since_millis(ms)));
        self.writer.send_replace(state.lock.writer());
    }

    /// Lets a viewer in again that was attached in another program, as the one it was.
    ///
    /// # Errors
    /// [`PaneError::Dead`] when the terminal has ended.
    pub fn rejoin(self: &Arc<Self>, id: ViewerId, access: Access) -> Result<Attachment, PaneError> {
        if self.facts.ended_for().is_some() {
            return Err(PaneError::Dead(self.facts.id));
        }
        let mut state = self.state();
        state.lock.rejoin(id);
        Ok(Attachment {
            pane: Arc::clone(self),
            id,
            access,
            left_off: None,
            left: false,
        })
    }

    /// Tells how many are attached, once all have rejoined.
    pub fn settle(&self) {
        self.publish(&self.state().lock);
    }

    /// Lets a viewer in. The first one of full access writes, unless a front end shows the pane.
    ///
    /// # Errors
    /// [`PaneError::Dead`] when the terminal has ended.
    pub fn attach(self: &Arc<Self>, access: Access) -> Result<Attachment, PaneError> {
        if self.facts.ended_for().is_some() {
            return Err(PaneError::Dead(self.facts.id));
        }
        let mut state = self.state();
        let left_off = state.left_off.take().filter(|_| state.lock.viewers() == 0);
        let now = Instant::now();
        let size = state.lock.expire(now);
        let id = state.lock.attach(access, now);
        self.publish(&state.lock);
        drop(state);
        self.apply(size);
        Ok(Attachment {
            pane: Arc::clone(self),
            id,
            access,
            left_off,
            left: false,
        })
    }

    /// Who writes now, and every change of it.
    pub fn writer(&self) -> watch::Receiver<Option<Writer>> {
        self.writer.subscribe()
    }

    /// How often somebody has attached.
    pub fn attach_count(&self) -> u64 {
        self.state().lock.attach_count()
    }

    /// Gives up the place of a writer that was cut off, once its time is over.
    pub fn expire_writer(&self) {
        self.change(|lock| ((), lock.expire(Instant::now())));
    }

    /// The front end's user did something: whether it is for the program. A key takes the pane back from a viewer; the
    /// mouse passing over it does not, and is not told to the program then.
    pub fn admit_front(&self, input: &Input) -> bool {
        match input {
            Input::Key(_) | Input::Text(_) | Input::Paste(_) | Input::Bytes(_) => {
                self.change(|lock| ((), lock.take_back()));
                true
            }
            Input::Mouse(_) | Input::Focus(_) => self.state().lock.holder().is_none(),
        }
    }

    /// The front end shows the pane in that size; while a viewer writes it is only remembered.
    pub fn set_front_size(&self, size: Size) {
        self.change(|lock| ((), lock.set_front_size(size)));
    }

    /// No front end shows the pane any more.
    pub fn leave_front(&self) {
        self.change(|lock| {
            lock.leave_front();
            ((), None)
        });
    }

    pub fn set_owner(&self, owner: Owner) {
        self.facts.update(|info| {
            info.owner = owner;
            info.settle(Timestamp::now());
        });
        self.change(|lock| {
            lock.set_front_owned(owner == Owner::Front);
            ((), None)
        });
    }

    /// Changes who writes, tells everybody, and carries out the change of size that follows.
    fn change<T>(&self, change: impl FnOnce(&mut WriterLock) -> (T, Option<Size>)) -> T {
        let mut state = self.state();
        let before = (state.lock.writer(), state.lock.viewers());
        let (outcome, size) = change(&mut state.lock);
        if before != (state.lock.writer(), state.lock.viewers()) {
            self.publish(&state.lock);
        }
        drop(state);
        self.apply(size);
        outcome
    }

    /// Tells everybody who is attached and who writes now.
    fn publish(&self, lock: &WriterLock) {
        let writer = lock.writer();
        self.writer.send_if_modified(|known| {
            if *known == writer {
                return false;
            }
            let name = |writer: Option<Writer>| {
                writer.map_or("nobody".to_owned(), |writer| writer.to_string())
            };
            info!(id = %self.facts.id, writer = name(writer), before = name(*known), "the writer changes");
            *known = writer;
            true
        });
        self.facts.update(|info| {
            info.taken = lock.holder().is_some();
            if info.viewers != lock.viewers() {
                info.viewers = lock.viewers();
                info.settle(Timestamp::now());
            }
        });
    }

    fn apply(&self, size: Option<Size>) {
        if let Some(size) = size {
            // A terminal that has ended keeps its size.
            let _ = self.mailbox.post(Message::Resize(size));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attachment {
    /// Names this viewer of this terminal.
    pub fn id(&self) -> ViewerId {
        self.id
    }

    /// Whether it may ever write.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Where and when a viewer without a place of its own left off, if this one is the first to attach since and nobody
    /// else was attached.
    pub fn left_off(&self) -> Option<(u64, Instant)> {
        self.left_off
    }

    /// Stays attached, for another program to go on with; tells as whom.
    #[must_use]
    pub fn keep(mut self) -> ViewerId {
        self.left = true;
        self.id
    }

    /// Queues input, if this viewer writes or nobody does.
    ///
    /// # Errors
    /// As [`PaneHandle::try_input`](super::PaneHandle::try_input).
    pub fn try_input(&self, input: Input) -> Result<Admission, PaneError> {
        let admission = self.claim();
        if admission == Admission::Accepted {
            self.pane.mailbox.try_input(input)?;
        }
        Ok(admission)
    }

    /// Sets the size, if this viewer writes or nobody does.
    pub fn resize(&self, size: Size) -> Admission {
        let admission = self.claim();
        if admission == Admission::Accepted {
            self.pane.apply(Some(size));
        }
        admission
    }

    /// Becomes the one who writes, whoever did before.
    pub fn take(&self) -> Admission {
        self.pane
            .change(|lock| (lock.take(self.id, self.access), None))
    }

    /// Goes on as the same viewer as `former`, whose connection is given up or was cut.
    pub fn succeed(&self, former: ViewerId) {
        self.pane.change(|lock| {
            lock.succeed(self.id, self.access, former);
            ((), None)
        });
    }

    /// Takes the place of the writer where it is free.
    fn claim(&self) -> Admission {
        let now = Instant::now();
        self.pane.change(|lock| {
            let size = lock.expire(now);
            (lock.claim(self.id, self.access, now), size)
        })
    }

    /// Leaves. `left_off` tells where a viewer without a place of its own stopped reading. Where this one wrote, its place
    /// is kept for a successor for as long as `keep_for` says. True if nobody is left.
    pub fn leave(&mut self, left_off: Option<u64>, keep_for: Option<Duration>) -> bool {
        if self.left {
            return false;
        }
        self.left = true;
        let now = Instant::now();
        let mut state = self.pane.state();
        state.left_off = left_off.map(|seq| (seq, now));
        let kept_until = keep_for.and_then(|keep_for| now.checked_add(keep_for));
        let size = state.lock.detach(self.id, kept_until);
        let is_last = state.lock.viewers() == 0;
        self.pane.publish(&state.lock);
        drop(state);
        self.pane.apply(size);
        is_last
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.leave(None, None);
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Attachment").field(&self.id).finish()
    }
}
