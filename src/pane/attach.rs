//! Who is attached to a pane, and which one of them types into it and decides its size.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::watch;
use tracing::info;

use super::error::PaneError;
use super::handle::{PaneHandle, Shared};
use super::mailbox::Message;
use super::output::OutputCursor;
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::domain::terminal::Owner;

/// Names one viewer of one pane; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewerId(u64);

/// Who types into a pane and decides its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writer {
    /// The front end that shows the pane.
    Front,
    Viewer(ViewerId),
}

impl fmt::Display for ViewerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "viewer {}", self.0)
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Front => f.write_str("the front end"),
            Self::Viewer(id) => id.fmt(f),
        }
    }
}

/// Whether a viewer may ever write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    ReadOnly,
    Full,
}

/// What became of something a viewer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Accepted,
    /// Another one writes, or the viewer may only read.
    NotWriter,
}

/// A pane's seats. Lock order: seats before the pane's facts.
pub(super) struct Seats {
    books: Mutex<Books>,
    writer: watch::Sender<Option<Writer>>,
}

#[derive(Default)]
struct Books {
    last_id: u64,
    viewers: u32,
    /// A viewer that writes; where there is none, a front end that shows the pane does.
    holder: Option<ViewerId>,
    /// The size that the front end gave last, in force again when it writes again. Without any it does not show the pane.
    front_size: Option<Size>,
    /// Where and when the last viewer without a place of its own left off.
    left_off: Option<(u64, Instant)>,
}

/// A viewer's place at a pane; leaving is dropping it.
pub struct Attachment {
    shared: Arc<Shared>,
    id: ViewerId,
    access: Access,
    left_off: Option<(u64, Instant)>,
    left: bool,
}

impl Seats {
    pub fn new(owner: Owner) -> Self {
        let writer = (owner == Owner::Front).then_some(Writer::Front);
        Self {
            books: Mutex::default(),
            writer: watch::Sender::new(writer),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells everybody who writes now.
fn settle(shared: &Shared, books: &Books, owner: Owner) {
    let writer = match books.holder {
        Some(viewer) => Some(Writer::Viewer(viewer)),
        None => books.is_front(owner).then_some(Writer::Front),
    };
    shared.seats.writer.send_if_modified(|known| {
        if *known == writer {
            return false;
        }
        let name = |writer: Option<Writer>| {
            writer.map_or("nobody".to_owned(), |writer| writer.to_string())
        };
        info!(id = %shared.id, writer = name(writer), before = name(*known), "the writer changes");
        *known = writer;
        true
    });
    shared.update(|info| info.taken = books.holder.is_some());
}

impl Books {
    /// Whether the pane is the front end's where no viewer has taken it over.
    fn is_front(&self, owner: Owner) -> bool {
        owner == Owner::Front || self.front_size.is_some()
    }
}

impl PaneHandle {
    /// Takes a seat. The first one of full access writes, unless a front end shows the pane.
    ///
    /// # Errors
    /// [`PaneError::Dead`] when the terminal has ended.
    pub fn attach(&self, access: Access) -> Result<Attachment, PaneError> {
        let shared = self.shared_arc();
        if shared.ended_for().is_some() {
            return Err(PaneError::Dead(shared.id));
        }
        let (id, left_off) = {
            let mut books = shared.seats.books();
            let left_off = books.left_off.take().filter(|_| books.viewers == 0);
            books.last_id += 1;
            let id = ViewerId(books.last_id);
            books.viewers += 1;
            let viewers = books.viewers;
            let mut owner = Owner::Local;
            shared.update(|info| {
                info.viewers = viewers;
                info.settle(Timestamp::now());
                owner = info.owner;
            });
            if access == Access::Full && books.holder.is_none() && !books.is_front(owner) {
                books.holder = Some(id);
            }
            settle(&shared, &books, owner);
            (id, left_off)
        };
        Ok(Attachment {
            shared,
            id,
            access,
            left_off,
            left: false,
        })
    }

    /// Who writes now, and every change of it.
    pub fn writer(&self) -> watch::Receiver<Option<Writer>> {
        self.shared().seats.writer.subscribe()
    }

    /// How often somebody has taken a seat.
    pub fn attach_count(&self) -> u64 {
        self.shared().seats.books().last_id
    }

    /// Queues what the front end's user did. A key takes the pane back from a viewer, with the size that the front end
    /// has; the mouse passing over it does not, and is not told to the program then.
    ///
    /// # Errors
    /// As [`PaneHandle::try_input`].
    pub fn try_input_from_front(&self, input: Input) -> Result<(), PaneError> {
        match input {
            Input::Key(_) | Input::Text(_) | Input::Paste(_) | Input::Bytes(_) => self.take_back(),
            Input::Mouse(_) | Input::Focus(_) => {
                if self.shared().seats.books().holder.is_some() {
                    return Ok(());
                }
            }
        }
        self.try_input(input)
    }

    /// Sets the size that the front end shows the pane in; while a viewer writes it is only remembered.
    pub fn resize_from_front(&self, size: Size) {
        let taken = {
            let mut books = self.shared().seats.books();
            if books.front_size.replace(size).is_none() {
                let owner = self.shared().info().owner;
                settle(self.shared(), &books, owner);
            }
            books.holder.is_some()
        };
        if !taken {
            self.resize(size);
        }
    }

    fn take_back(&self) {
        let mut books = self.shared().seats.books();
        if books.holder.take().is_some() {
            let owner = self.shared().info().owner;
            settle(self.shared(), &books, owner);
            let size = books.front_size;
            drop(books);
            if let Some(size) = size {
                self.resize(size);
            }
        }
    }

    /// The owner has changed.
    pub(super) fn owner_changed(&self, owner: Owner) {
        let books = self.shared().seats.books();
        settle(self.shared(), &books, owner);
    }

    /// Reads the output from the present on, after a keyframe with at most `history` rows of history.
    ///
    /// # Errors
    /// [`PaneError::Dead`] when the terminal has ended.
    pub async fn output(
        &self,
        history: usize,
    ) -> Result<(Arc<super::keyframe::Keyframe>, OutputCursor), PaneError> {
        OutputCursor::fresh(&self.shared_arc(), history).await
    }

    /// Reads the output on from `next`; None where that is no longer kept.
    pub fn output_from(&self, next: u64) -> Option<OutputCursor> {
        OutputCursor::resume(&self.shared_arc(), next)
    }

    /// The numbers of the oldest byte of output kept and of the next one to come.
    pub fn output_extent(&self) -> (u64, u64) {
        self.shared().output.extent()
    }

    /// Keeps at most so many bytes of output for viewers.
    pub fn set_replay_bytes(&self, bytes: usize) {
        self.shared().output.set_capacity(bytes);
    }
}

impl Attachment {
    pub fn id(&self) -> ViewerId {
        self.id
    }

    pub fn access(&self) -> Access {
        self.access
    }

    /// Where and when a viewer without a place of its own left off, if this seat is the first one taken since and nobody
    /// else sat there.
    pub fn left_off(&self) -> Option<(u64, Instant)> {
        self.left_off
    }

    /// Queues input, if this viewer writes or nobody does.
    ///
    /// # Errors
    /// As [`PaneHandle::try_input`].
    pub fn try_input(&self, input: Input) -> Result<Admission, PaneError> {
        if !self.claim() {
            return Ok(Admission::NotWriter);
        }
        PaneHandle::new(Arc::clone(&self.shared))
            .try_input(input)
            .map(|()| Admission::Accepted)
    }

    /// Sets the size, if this viewer writes or nobody does.
    pub fn resize(&self, size: Size) -> Admission {
        if !self.claim() {
            return Admission::NotWriter;
        }
        PaneHandle::new(Arc::clone(&self.shared)).resize(size);
        Admission::Accepted
    }

    /// Becomes the one who writes, whoever did before.
    pub fn take(&self) -> Admission {
        if self.access == Access::ReadOnly {
            return Admission::NotWriter;
        }
        let mut books = self.shared.seats.books();
        books.holder = Some(self.id);
        let owner = self.shared.info().owner;
        settle(&self.shared, &books, owner);
        Admission::Accepted
    }

    /// Goes on as another seat of the same viewer, whose connection is given up.
    pub fn succeed(&self, former: ViewerId) {
        if self.access == Access::ReadOnly {
            return;
        }
        let mut books = self.shared.seats.books();
        if books.holder == Some(former) {
            books.holder = Some(self.id);
            let owner = self.shared.info().owner;
            settle(&self.shared, &books, owner);
        }
    }

    /// Takes the place of the writer where it is free.
    fn claim(&self) -> bool {
        if self.access == Access::ReadOnly {
            return false;
        }
        let mut books = self.shared.seats.books();
        if let Some(holder) = books.holder {
            return holder == self.id;
        }
        let owner = self.shared.info().owner;
        if books.is_front(owner) {
            return false;
        }
        books.holder = Some(self.id);
        settle(&self.shared, &books, owner);
        true
    }

    /// Leaves, and tells where a viewer without a place of its own stopped reading. True if nobody is left.
    pub fn leave(&mut self, left_off: Option<u64>) -> bool {
        if self.left {
            return false;
        }
        self.left = true;
        let mut books = self.shared.seats.books();
        books.viewers = books.viewers.saturating_sub(1);
        books.left_off = left_off.map(|seq| (seq, Instant::now()));
        let viewers = books.viewers;
        let mut owner = Owner::Local;
        self.shared.update(|info| {
            info.viewers = viewers;
            info.settle(Timestamp::now());
            owner = info.owner;
        });
        let mut size = None;
        if books.holder == Some(self.id) {
            books.holder = None;
            settle(&self.shared, &books, owner);
            size = books.front_size;
        }
        drop(books);
        if let Some(size) = size {
            let _ = self.shared.mailbox.post(Message::Resize(size));
        }
        viewers == 0
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.leave(None);
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Attachment").field(&self.id).finish()
    }
}
