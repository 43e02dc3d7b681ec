//! Sessions that are over and have not said yet where they left off.
//!
//! A client may know that its socket is closed before its session has ended here: the answer to its own close goes out with
//! what was being written, and one that is cut off is so before anybody reads it. One without a name that comes back at once
//! has to find where it left off, so that it waits for those.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::domain::id::TerminalId;

/// A session that takes longer has a socket that takes nothing, whose client has not come back.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many sessions of each terminal are about to leave.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    counts: Mutex<HashMap<TerminalId, usize>>,
    attached: Mutex<Vec<Watched>>,
    left: Notify,
}

/// The socket of a session that is attached to a terminal.
type Watched = (TerminalId, Arc<OwnedFd>);

/// A session whose socket is looked at for its peer's end, until this is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Attached<'l> {
    leaving: &'l Leaving,
    descriptor: Arc<OwnedFd>,
}

/// A session that is about to leave; it has when this is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct AboutToLeave<'l> {
    leaving: &'l Leaving,
    id: TerminalId,
}

impl Leaving {
    /// A session of the terminal is over.
    pub fn begin(&self, id: TerminalId) -> AboutToLeave<'_> {
        *self.counts().entry(id).or_default() += 1;
        AboutToLeave { leaving: self, id }
    }

    /// A session of the terminal begins; `descriptor` is its socket once more.
    pub fn watch(&self, id: TerminalId, descriptor: OwnedFd) -> Attached<'_> {
        let descriptor = Arc::new(descriptor);
        self.attached().push((id, Arc::clone(&descriptor)));
        Attached {
            leaving: self,
            descriptor,
        }
    }

    /// Waits until no session of the terminal is about to leave, or would if it read that its peer has gone; at most two
    /// seconds. Cancelled, it leaves nothing behind.
    pub async fn until_left(&self, id: TerminalId) {
        let all = async {
            loop {
                let left = self.left.notified();
                tokio::pin!(left);
                left.as_mut().enable();
                if !self.counts().contains_key(&id) && !self.is_any_cut(id) {
                    return;
                }
                left.await;
            }
        };
        // One that holds the others up any longer is left behind.
        let _ = timeout(PATIENCE, all).await;
    }

    /// Whether the peer of a session of the terminal has gone, as the kernel knows before its session does.
    fn is_any_cut(&self, id: TerminalId) -> bool {
        let ends = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
        let attached = self.attached();
        let sockets = attached.iter().filter(|(terminal, _)| *terminal == id);
        let mut sockets: Vec<PollFd<'_>> = sockets
            .map(|(_, socket)| PollFd::new(socket, ends))
            .collect();
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let _ = poll(&mut sockets, Some(&at_once));
        sockets
            .iter()
            .any(|socket| socket.revents().intersects(ends))
    }

    fn attached(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<TerminalId, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        let mine = |socket: &Arc<OwnedFd>| Arc::ptr_eq(socket, &self.descriptor);
        self.leaving.attached().retain(|(_, socket)| !mine(socket));
        self.leaving.left.notify_waiters();
    }
}

impl Drop for AboutToLeave<'_> {
    fn drop(&mut self) {
        let mut counts = self.leaving.counts();
        if let Some(count) = counts.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.id);
                self.leaving.left.notify_waiters();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_waits_for_all_who_leave_the_same_terminal() {
        let leaving = Leaving::default();
        let (id, other) = (TerminalId::random(), TerminalId::random());
        let began = tokio::time::Instant::now();
        let _elsewhere = leaving.begin(other);
        leaving.until_left(id).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        let (one, two) = (leaving.begin(id), leaving.begin(id));
        let half = Duration::from_millis(500);
        tokio::join!(leaving.until_left(id), async {
            drop(one);
            tokio::time::sleep(half).await;
            drop(two);
        });
        assert_eq!(began.elapsed(), half);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_waits_for_one_that_was_cut_off_and_does_not_know_it() {
        let leaving = Leaving::default();
        let id = TerminalId::random();
        let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
        let began = tokio::time::Instant::now();
        let session = leaving.watch(id, here.into());
        leaving.until_left(id).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        drop(there);
        let half = Duration::from_millis(500);
        tokio::join!(leaving.until_left(id), async {
            tokio::time::sleep(half).await;
            drop(session);
        });
        assert_eq!(began.elapsed(), half);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_leaves_holds_nobody_up_for_long() {
        let leaving = Leaving::default();
        let id = TerminalId::random();
        let _stuck = leaving.begin(id);
        let began = tokio::time::Instant::now();
        leaving.until_left(id).await;
        assert_eq!(began.elapsed(), PATIENCE);
    }
}
