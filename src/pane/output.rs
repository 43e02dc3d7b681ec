//! A pane's output for whoever is attached: every byte numbered, the newest kept, any number of readers.
//!
//! Readers pull from one ring, so a viewer costs no queue of its own and the pane's thread does the same work for one
//! viewer as for a hundred. A reader that falls behind the ring has lost its place and goes on from a fresh keyframe.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::error::PaneError;
use super::kept::{KeptKeyframe, KeptOutput};
use super::keyframe::Keyframe;
use super::mailbox::{Mailbox, Message};
use crate::domain::id::TerminalId;
use crate::runtime::handover::{Incoming, Outgoing, millis_since, since_millis};

/// How long the ring stays once nobody reads: a closed laptop that comes back soon misses nothing.
const LINGER: Duration = Duration::from_secs(600);

/// The size that a ring begins with.
const FIRST_ALLOCATION: usize = 16 * 1024;

/// Keyframes kept for readers to come upon; one that is further behind gets a fresh one anyway.
const MAX_KEYFRAMES: usize = 16;

/// The newest output of one pane: its thread appends, cursors take.
pub(super) struct OutputBuffer {
    state: Mutex<State>,
    head: watch::Sender<u64>,
}

struct State {
    ring: Ring,
    /// Whether output is kept; while it is not, it is only counted.
    open: bool,
    readers: usize,
    idle_since: Option<Instant>,
    /// Where output alone does not lead on, since the size changed, with the screen right after it.
    keyframes: VecDeque<Arc<Keyframe>>,
    /// How many keyframes have stood in the stream.
    keyframe_count: u64,
    /// Where the newest of those keyframes lies that are no longer kept.
    dropped_at: Option<u64>,
    /// The terminal has ended.
    ended: bool,
    /// Its last screen, for readers that are too far behind to read the end of its output.
    last: Option<Arc<Keyframe>>,
}

/// The newest bytes of a stream, at most `capacity` of them.
struct Ring {
    bytes: VecDeque<u8>,
    /// The number of the byte after the newest.
    head: u64,
    capacity: usize,
}

/// Reads one pane's output from a place in it.
pub struct OutputCursor {
    id: TerminalId,
    buffer: Arc<OutputBuffer>,
    mailbox: Arc<Mailbox>,
    next: u64,
    /// The number of the last keyframe passed.
    passed: u64,
    head: watch::Receiver<u64>,
}

/// What comes next on the way through a pane's output.
#[derive(Debug)]
pub enum Next {
    /// Bytes were added to the caller's buffer.
    Bytes,
    /// The terminal has a new size; its screen is given whole, and the bytes after it go on from there.
    Keyframe(Arc<Keyframe>),
    /// Nothing for now.
    Nothing,
    /// The bytes that come next are no longer kept: go on from [`OutputCursor::keyframe`].
    Behind,
    /// The terminal has ended and all of its output has been read.
    End,
}

impl OutputBuffer {
    pub fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State {
                ring: Ring {
                    bytes: VecDeque::new(),
                    head: 0,
                    capacity,
                },
                open: false,
                readers: 0,
                idle_since: None,
                keyframes: VecDeque::new(),
                keyframe_count: 0,
                dropped_at: None,
                ended: false,
                last: None,
            }),
            head: watch::Sender::new(0),
        }
    }

    /// Keeps the ring and what stands in it for another program.
    pub fn keep(&self, out: &mut Outgoing) -> KeptOutput {
        let state = self.state();
        let (older, newer) = state.ring.bytes.as_slices();
        let bytes = [older, newer].concat();
        KeptOutput {
            open: state.open,
            head: state.ring.head,
            bytes: out.bytes(&bytes),
            idle_ms: state.idle_since.map(millis_since),
            keyframes: state
                .keyframes
                .iter()
                .map(|keyframe| keyframe.keep(out))
                .collect(),
            keyframe_count: state.keyframe_count,
            dropped_at: state.dropped_at,
            ended: state.ended,
            last: state.last.as_ref().map(|keyframe| keyframe.keep(out)),
        }
    }

    /// The ring that was kept. Nobody reads from it yet.
    pub fn resume(kept: &KeptOutput, capacity: usize, incoming: &Incoming) -> Self {
        let buffer = Self::new(capacity);
        let keyframe = |kept: &KeptKeyframe| Arc::new(Keyframe::resume(kept, incoming));
        {
            let mut state = buffer.state();
            let bytes = incoming.bytes(kept.bytes);
            let first = bytes.len().saturating_sub(capacity);
            state.ring.bytes = bytes.get(first..).unwrap_or_default().to_vec().into();
            state.ring.head = kept.head;
            state.open = kept.open;
            // Whoever read has been told to go on reading, or comes back.
            state.idle_since = kept
                .open
                .then(|| kept.idle_ms.map_or_else(Instant::now, since_millis));
            state.keyframes = kept.keyframes.iter().map(keyframe).collect();
            state.keyframe_count = kept.keyframe_count;
            state.dropped_at = kept.dropped_at;
            state.ended = kept.ended;
            state.last = kept.last.as_ref().map(keyframe);
        }
        buffer.head.send_replace(kept.head);
        buffer
    }

    /// Numbers output and, where somebody may want it, keeps it.
    pub fn append(&self, bytes: &[u8]) {
        let head = {
            let mut state = self.state();
            if state
                .idle_since
                .is_some_and(|since| since.elapsed() > LINGER)
            {
                state.shut();
            }
            let open = state.open;
            state.ring.append(bytes, open);
            if !open {
                return;
            }
            state.ring.head
        };
        self.head.send_replace(head);
    }

    /// Keeps output from here on and tells where here is: the next byte's number and how many keyframes came before it.
    pub fn open(&self) -> (u64, u64) {
        let mut state = self.state();
        state.open = true;
        (state.ring.head, state.keyframe_count)
    }

    /// Whether output is being kept for somebody.
    pub fn is_open(&self) -> bool {
        self.state().open
    }

    /// The number of the byte that comes next.
    pub fn head(&self) -> u64 {
        self.state().ring.head
    }

    /// Puts a keyframe into the stream at the present place.
    pub fn add_keyframe(&self, mut keyframe: Keyframe) {
        let head = {
            let mut state = self.state();
            state.keyframe_count += 1;
            keyframe.number = state.keyframe_count;
            state.keyframes.push_back(Arc::new(keyframe));
            if state.keyframes.len() > MAX_KEYFRAMES {
                state.dropped_at = state.keyframes.pop_front().map(|keyframe| keyframe.seq);
            }
            state.ring.head
        };
        self.head.send_replace(head);
    }

    /// Says that no more is to come; `last` is for readers that are too far behind to read the end of it.
    pub fn end(&self, last: Option<Keyframe>) {
        let head = {
            let mut state = self.state();
            state.ended = true;
            state.last = last.map(Arc::new);
            state.ring.head
        };
        self.head.send_replace(head);
    }

    /// The numbers of the oldest byte kept and of the next one to come.
    pub fn extent(&self) -> (u64, u64) {
        let state = self.state();
        (state.ring.start(), state.ring.head)
    }

    pub fn set_capacity(&self, capacity: usize) {
        let mut state = self.state();
        state.ring.capacity = capacity;
        let excess = state.ring.bytes.len().saturating_sub(capacity);
        state.ring.bytes.drain(..excess);
        state.ring.bytes.shrink_to(capacity);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// One more reads.
    fn enter(&mut self) {
        self.readers += 1;
        self.idle_since = None;
    }

    /// Gives the kept output back.
    fn shut(&mut self) {
        self.open = false;
        self.idle_since = None;
        self.ring.bytes = VecDeque::new();
        self.keyframes = VecDeque::new();
        self.dropped_at = None;
    }

    /// Whether everything from `next` on is kept, keyframes too.
    fn keeps(&self, next: u64) -> bool {
        self.open
            && (self.ring.start()..=self.ring.head).contains(&next)
            && self.dropped_at.is_none_or(|seq| seq < next)
    }
}

impl Ring {
    fn append(&mut self, bytes: &[u8], keep: bool) {
        self.head += bytes.len() as u64;
        if !keep {
            return;
        }
        let kept = bytes.len().min(self.capacity);
        let bytes = bytes.get(bytes.len() - kept..).unwrap_or_default();
        let excess = (self.bytes.len() + kept).saturating_sub(self.capacity);
        self.bytes.drain(..excess);
        let wanted = self.bytes.len() + kept;
        if wanted > self.bytes.capacity() {
            // Doubling, but never beyond what the ring may hold.
            let size = (self.bytes.capacity() * 2)
                .max(FIRST_ALLOCATION)
                .min(self.capacity);
            self.bytes
                .reserve_exact(size.max(wanted) - self.bytes.len());
        }
        self.bytes.extend(bytes);
    }

    /// The number of the oldest byte kept.
    fn start(&self) -> u64 {
        self.head - self.bytes.len() as u64
    }

    /// Copies what begins at `from`, at most `max` bytes and not beyond `until`; tells how many.
    fn copy(&self, from: u64, until: u64, max: usize, out: &mut Vec<u8>) -> u64 {
        let skip = usize::try_from(from - self.start()).unwrap_or(usize::MAX);
        let wanted = usize::try_from(until - from).map_or(max, |there| there.min(max));
        let end = skip.saturating_add(wanted).min(self.bytes.len());
        let (older, newer) = self.bytes.as_slices();
        let cut = older.len();
        let first = older.get(skip.min(cut)..end.min(cut));
        let second = newer.get(skip.saturating_sub(cut)..end.saturating_sub(cut));
        out.extend_from_slice(first.unwrap_or_default());
        out.extend_from_slice(second.unwrap_or_default());
        end.saturating_sub(skip) as u64
    }
}

impl OutputCursor {
    /// Reads on from `next`; None where not everything from there on is still kept.
    pub(super) fn resume(
        id: TerminalId,
        buffer: &Arc<OutputBuffer>,
        mailbox: &Arc<Mailbox>,
        next: u64,
    ) -> Option<Self> {
        let passed = {
            let mut state = buffer.state();
            if !state.keeps(next) || state.ended {
                return None;
            }
            state.enter();
            // A keyframe at this very place may have been seen or not: seeing it again does no harm.
            let ahead = state.keyframes.iter().find(|keyframe| keyframe.seq >= next);
            ahead.map_or(state.keyframe_count, |keyframe| keyframe.number - 1)
        };
        let mut output = Self::at(id, buffer, mailbox, next);
        output.passed = passed;
        Some(output)
    }

    /// Reads from the present on; the keyframe is the screen there, with at most `history` rows of history.
    ///
    /// # Errors
    /// [`PaneError::Dead`] when the terminal has ended.
    pub(super) async fn fresh(
        id: TerminalId,
        buffer: &Arc<OutputBuffer>,
        mailbox: &Arc<Mailbox>,
        history: usize,
    ) -> Result<(Arc<Keyframe>, Self), PaneError> {
        buffer.state().enter();
        // From here on its drop counts it out again.
        let mut output = Self::at(id, buffer, mailbox, 0);
        let keyframe = output.keyframe(history).await.ok_or(PaneError::Dead(id))?;
        Ok((keyframe, output))
    }

    fn at(id: TerminalId, buffer: &Arc<OutputBuffer>, mailbox: &Arc<Mailbox>, next: u64) -> Self {
        Self {
            id,
            buffer: Arc::clone(buffer),
            mailbox: Arc::clone(mailbox),
            next,
            passed: 0,
            head: buffer.head.subscribe(),
        }
    }

    /// The number of the byte that is read next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The bytes that are there and not yet read.
    pub fn backlog(&self) -> u64 {
        self.buffer.head().saturating_sub(self.next)
    }

    /// Takes what is there: at most `max` bytes into `out`.
    pub fn take(&mut self, max: usize, out: &mut Vec<u8>) -> Next {
        let state = self.buffer.state();
        let keyframe = state
            .keyframes
            .iter()
            .find(|keyframe| keyframe.number > self.passed);
        // Keyframes that were dropped unseen leave a gap in their numbers.
        let skipped =
            keyframe.map_or(state.keyframe_count, |keyframe| keyframe.number - 1) != self.passed;
        if skipped || !state.keeps(self.next) {
            let at_end = state.ended && self.next == state.ring.head;
            return if at_end { Next::End } else { Next::Behind };
        }
        let until = keyframe.map_or(state.ring.head, |keyframe| keyframe.seq);
        if until > self.next {
            let taken = state.ring.copy(self.next, until, max, out);
            drop(state);
            self.next += taken;
            return Next::Bytes;
        }
        if let Some(keyframe) = keyframe.cloned() {
            drop(state);
            self.passed = keyframe.number;
            return Next::Keyframe(keyframe);
        }
        if state.ended {
            Next::End
        } else {
            Next::Nothing
        }
    }

    /// The present screen, from which reading goes on; None where the terminal has ended without one.
    pub async fn keyframe(&mut self, history: usize) -> Option<Arc<Keyframe>> {
        let asked = self
            .mailbox
            .ask(|reply| Message::Keyframe { history, reply })
            .await;
        let keyframe = match asked {
            Some(keyframe) => Arc::new(keyframe),
            None => self.buffer.state().last.clone()?,
        };
        self.next = keyframe.seq;
        self.passed = keyframe.number;
        Some(keyframe)
    }

    /// Waits until there may be more to take. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.head.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for OutputCursor {
    fn drop(&mut self) {
        let mut state = self.buffer.state();
        state.readers = state.readers.saturating_sub(1);
        if state.readers == 0 {
            state.idle_since = Some(Instant::now());
        }
    }
}

impl fmt::Debug for OutputCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputCursor")
            .field("id", &self.id)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(capacity: usize) -> Ring {
        Ring {
            bytes: VecDeque::new(),
            head: 0,
            capacity,
        }
    }

    #[test]
    fn a_ring_keeps_the_newest_bytes_under_their_numbers() {
        let mut ring = ring(8);
        for chunk in [&b"abc"[..], b"defgh", b"ij", b"klmnopqrstu", b"vw"] {
            ring.append(chunk, true);
        }
        assert_eq!((ring.start(), ring.head), (15, 23));
        let mut out = Vec::new();
        assert_eq!(ring.copy(16, 22, 4, &mut out), 4);
        assert_eq!(out, b"qrst");
        assert_eq!(ring.copy(20, 23, 100, &mut out), 3);
        assert_eq!(out, b"qrstuvw");
        assert!(ring.bytes.capacity() >= 8);
    }

    #[test]
    fn what_is_not_kept_is_still_counted() {
        let mut ring = ring(8);
        ring.append(b"abc", false);
        ring.append(b"de", true);
        let mut out = Vec::new();
        assert_eq!(ring.copy(3, 5, 9, &mut out), 2);
        assert_eq!((ring.start(), out.as_slice()), (3, &b"de"[..]));
    }
}
