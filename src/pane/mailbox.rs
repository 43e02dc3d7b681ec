//! The bounded way into a pane's thread.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use regex::Regex;
use rustix::pipe::PipeFlags;
use tokio::sync::oneshot;

use super::error::PaneError;
use super::keyframe::Keyframe;
use super::limits::Limits;
use super::query::{Capture, Match, PlacesNow, RowWindow, Search};
use crate::domain::agent::WireFact;
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::domain::size::Size;

/// The bytes of input that may wait for a program that does not read: room for a large paste, and a bound.
const MAX_PENDING_INPUT: usize = 4 << 20;

/// The messages that may wait for a pane's thread, far above what people and scripts cause within one of its rounds.
const MAX_MESSAGES: usize = 16_384;

/// What a single key or mouse event counts for against [`MAX_PENDING_INPUT`].
const SMALL_INPUT: usize = 16;

pub(super) enum Message {
    Input(Input),
    Resize(Size),
    /// Somebody began or ceased to watch the screen.
    Watchers,
    Seen,
    /// Something happened to a request of its programs.
    Wire(WireFact),
    HistoryLines(usize),
    Limits(Limits),
    Capture {
        scrollback: bool,
        reply: oneshot::Sender<Capture>,
    },
    Keyframe {
        /// Rows of history, at most.
        history: usize,
        reply: oneshot::Sender<Keyframe>,
    },
    Rows {
        range: Range<u64>,
        reply: oneshot::Sender<RowWindow>,
    },
    PlacesNow {
        since: u64,
        places: Vec<(u64, u16)>,
        reply: oneshot::Sender<PlacesNow>,
    },
    Search {
        search: Search,
        reply: oneshot::Sender<Option<Match>>,
    },
    WaitText {
        pattern: Regex,
        reply: oneshot::Sender<bool>,
    },
}

/// Everything that came in since the pane's thread last looked.
#[derive(Default)]
pub(super) struct Delivery {
    pub messages: VecDeque<Message>,
    pub kill: bool,
    pub check_child: bool,
    pub freeze: bool,
}

/// Why a message was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full { pending: usize },
    Closed,
}

/// Messages from any thread to the pane's own.
pub(super) struct Mailbox {
    id: TerminalId,
    inbox: Mutex<Inbox>,
}

/// The pipe's end by which the pane's thread is woken from `poll`.
pub(super) struct Wakeup {
    reader: OwnedFd,
}

#[derive(Default)]
struct Inbox {
    delivery: Delivery,
    /// Bytes of input accepted and not yet written to the pty.
    pending_input: usize,
    woken: bool,
    /// None once closed: an ended terminal is remembered and must not keep descriptors.
    waker: Option<OwnedFd>,
    kill_now: bool,
}

impl Mailbox {
    /// Makes a mailbox and the end that its owner polls.
    pub fn new(id: TerminalId) -> io::Result<(Self, Wakeup)> {
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let inbox = Inbox {
            waker: Some(writer),
            ..Inbox::default()
        };
        let inbox = Mutex::new(inbox);
        Ok((Self { id, inbox }, Wakeup { reader }))
    }

    /// Queues input without waiting.
    ///
    /// # Errors
    /// [`PaneError::InputFull`] when the program has left too much unread, [`PaneError::Dead`] when it has ended;
    /// nothing of this input is typed then.
    pub fn try_input(&self, input: Input) -> Result<(), PaneError> {
        self.post(Message::Input(input))
            .map_err(|refusal| match refusal {
                Refusal::Full { pending } => PaneError::InputFull { pending },
                Refusal::Closed => PaneError::Dead(self.id),
            })
    }

    /// Posts a question and waits for its answer; None once the pane's thread has let go. Cancel-safe: an answer that
    /// nobody waits for is dropped.
    pub async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Message) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.post(question(reply)).ok()?;
        answer.await.ok()
    }

    /// Posts a message. Of resizes in a row only the last is kept.
    ///
    /// # Errors
    /// [`Refusal`] where there is no room for it, or the pane's thread has let go.
    pub fn post(&self, message: Message) -> Result<(), Refusal> {
        let mut inbox = self.lock();
        if inbox.waker.is_none() {
            return Err(Refusal::Closed);
        }
        let cost = match &message {
            Message::Input(input) => input_size(input),
            _ => 0,
        };
        let pending = inbox.pending_input;
        // A request's end must not be lost; there are no more of them than requests, and these are few.
        let most = match &message {
            Message::Wire(_) => 2 * MAX_MESSAGES,
            _ => MAX_MESSAGES,
        };
        let crowded = inbox.delivery.messages.len() >= most;
        if crowded || (cost > 0 && pending + cost > MAX_PENDING_INPUT) {
            return Err(Refusal::Full { pending });
        }
        inbox.pending_input += cost;
        let messages = &mut inbox.delivery.messages;
        match (&message, messages.back_mut()) {
            (Message::Resize(_), Some(last @ Message::Resize(_))) => *last = message,
            _ => messages.push_back(message),
        }
        inbox.wake();
        Ok(())
    }

    /// Asks for the terminal's end; never refused, since it must work on a pane that takes nothing else.
    pub fn kill(&self) {
        let mut inbox = self.lock();
        inbox.delivery.kill = true;
        inbox.wake();
    }

    /// Asks that what is left of the session after its leader's end be killed at once.
    pub fn kill_now(&self) {
        self.lock().kill_now = true;
    }

    pub fn is_kill_now(&self) -> bool {
        self.lock().kill_now
    }

    /// Asks the pane's thread to leave everything as it is for the next program. What was posted before is done first.
    pub fn freeze(&self) {
        let mut inbox = self.lock();
        inbox.delivery.freeze = true;
        inbox.wake();
    }

    /// Says that the child may have ended.
    pub fn check_child(&self) {
        let mut inbox = self.lock();
        inbox.delivery.check_child = true;
        inbox.wake();
    }

    /// Takes all there is and re-arms the wake-up.
    pub fn take(&self, wakeup: &Wakeup) -> Delivery {
        let mut inbox = self.lock();
        if std::mem::take(&mut inbox.woken) {
            let _ = rustix::io::read(&wakeup.reader, &mut [0; 8]);
        }
        std::mem::take(&mut inbox.delivery)
    }

    /// Refuses everything from now on and drops what was not taken, so that whoever waits for a reply learns of it.
    pub fn close(&self) {
        let mut inbox = self.lock();
        inbox.waker = None;
        inbox.delivery = Delivery::default();
    }

    /// Corrects the input account: `taken` bytes of messages became `queued` bytes for the pty.
    pub fn encoded(&self, taken: usize, queued: usize) {
        let mut inbox = self.lock();
        inbox.pending_input = inbox.pending_input.saturating_sub(taken) + queued;
    }

    /// Counts input that another program has accepted and not yet written.
    pub fn resume_pending(&self, count: usize) {
        self.lock().pending_input = count;
    }

    /// `count` bytes of input have been written to the pty.
    pub fn written(&self, count: usize) {
        let mut inbox = self.lock();
        inbox.pending_input = inbox.pending_input.saturating_sub(count);
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    fn wake(&mut self) {
        let Some(waker) = &self.waker else { return };
        if !self.woken {
            self.woken = true;
            // A full pipe is readable, which is all that is wanted.
            let _ = rustix::io::write(waker, &[1]);
        }
    }
}

impl AsFd for Wakeup {
    /// Readable when there is something to take.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// What an input counts for while it waits.
pub(super) fn input_size(input: &Input) -> usize {
    match input {
        Input::Text(text) | Input::Paste(text) => text.len(),
        Input::Bytes(bytes) => bytes.len(),
        Input::Key(_) | Input::Mouse(_) | Input::Focus(_) => SMALL_INPUT,
    }
}
