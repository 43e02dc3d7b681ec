//! The bounded way into a pane's thread.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use regex::Regex;
use rustix::pipe::PipeFlags;
use tokio::sync::oneshot;

use super::handle::{Capture, Match, RowWindow, Search};
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
    HistoryLines(usize),
    Capture {
        scrollback: bool,
        reply: oneshot::Sender<Capture>,
    },
    Rows {
        range: Range<u64>,
        reply: oneshot::Sender<RowWindow>,
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
}

/// Why a message was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full { pending: usize },
    Closed,
}

/// Messages from any thread to the pane's own, and the pipe that wakes it from `poll`.
pub(super) struct Mailbox {
    inbox: Mutex<Inbox>,
    wake_writer: OwnedFd,
    wake_reader: OwnedFd,
}

#[derive(Default)]
struct Inbox {
    delivery: Delivery,
    /// Bytes of input accepted and not yet written to the pty.
    pending_input: usize,
    woken: bool,
    closed: bool,
    hurried: bool,
}

impl Mailbox {
    pub fn new() -> io::Result<Self> {
        let (wake_reader, wake_writer) =
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Self {
            inbox: Mutex::default(),
            wake_writer,
            wake_reader,
        })
    }

    /// Posts a message. Of resizes in a row only the last is kept.
    pub fn post(&self, message: Message) -> Result<(), Refusal> {
        let mut inbox = self.lock();
        if inbox.closed {
            return Err(Refusal::Closed);
        }
        let cost = match &message {
            Message::Input(input) => input_size(input),
            _ => 0,
        };
        let pending = inbox.pending_input;
        let crowded = inbox.delivery.messages.len() >= MAX_MESSAGES;
        if crowded || (cost > 0 && pending + cost > MAX_PENDING_INPUT) {
            return Err(Refusal::Full { pending });
        }
        inbox.pending_input += cost;
        let messages = &mut inbox.delivery.messages;
        match (&message, messages.back_mut()) {
            (Message::Resize(_), Some(last @ Message::Resize(_))) => *last = message,
            _ => messages.push_back(message),
        }
        self.wake(&mut inbox);
        Ok(())
    }

    /// Asks for the terminal's end; never refused, since it must work on a pane that takes nothing else.
    pub fn kill(&self) {
        let mut inbox = self.lock();
        inbox.delivery.kill = true;
        self.wake(&mut inbox);
    }

    /// Asks that what is left of the session after its leader's end be killed at once.
    pub fn hurry(&self) {
        self.lock().hurried = true;
    }

    pub fn is_hurried(&self) -> bool {
        self.lock().hurried
    }

    /// Says that the child may have ended.
    pub fn check_child(&self) {
        let mut inbox = self.lock();
        inbox.delivery.check_child = true;
        self.wake(&mut inbox);
    }

    /// Takes all there is and re-arms the wake-up.
    pub fn take(&self) -> Delivery {
        let mut inbox = self.lock();
        if inbox.woken {
            inbox.woken = false;
            let mut byte = [0; 8];
            let _ = rustix::io::read(&self.wake_reader, &mut byte);
        }
        std::mem::take(&mut inbox.delivery)
    }

    /// Refuses everything from now on and drops what was not taken, so that whoever waits for a reply learns of it.
    pub fn close(&self) {
        let mut inbox = self.lock();
        inbox.closed = true;
        inbox.delivery = Delivery::default();
    }

    /// Corrects the input account: `taken` bytes of messages became `queued` bytes for the pty.
    pub fn encoded(&self, taken: usize, queued: usize) {
        let mut inbox = self.lock();
        inbox.pending_input = inbox.pending_input.saturating_sub(taken) + queued;
    }

    /// `count` bytes of input have been written to the pty.
    pub fn written(&self, count: usize) {
        let mut inbox = self.lock();
        inbox.pending_input = inbox.pending_input.saturating_sub(count);
    }

    /// Readable when there is something to take.
    pub fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake_reader.as_fd()
    }

    fn wake(&self, inbox: &mut Inbox) {
        if !inbox.woken {
            inbox.woken = true;
            // A full pipe is readable, which is all that is wanted.
            let _ = rustix::io::write(&self.wake_writer, &[1]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
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
