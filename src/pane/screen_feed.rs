//! The live screen of a pane for those who watch it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::mailbox::{Mailbox, Message};
use crate::domain::id::TerminalId;
use crate::domain::screen::ScreenSnapshot;

/// The screen published last, and how many watch it.
pub(super) struct ScreenFeed {
    watchers: AtomicUsize,
    /// The watchers of all panes together.
    all_watchers: Arc<AtomicUsize>,
    screen: watch::Receiver<Arc<ScreenSnapshot>>,
}

/// The live screen of a pane. While at least one exists the pane publishes snapshots, at most 60 a second.
pub struct ScreenWatch {
    id: TerminalId,
    receiver: watch::Receiver<Arc<ScreenSnapshot>>,
    feed: Arc<ScreenFeed>,
    mailbox: Arc<Mailbox>,
}

impl ScreenFeed {
    pub fn new(
        screen: watch::Receiver<Arc<ScreenSnapshot>>,
        all_watchers: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            watchers: AtomicUsize::new(0),
            all_watchers,
            screen,
        }
    }

    /// The screen published last; blank where nobody watched.
    pub fn last_published(&self) -> ScreenSnapshot {
        ScreenSnapshot::clone(&self.screen.borrow())
    }

    /// Whether anybody watches the screen.
    pub fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// Whether this pane is hidden while another one is not.
    pub fn only_others_are_watched(&self) -> bool {
        !self.is_watched() && self.all_watchers.load(Ordering::Relaxed) > 0
    }
}

impl ScreenWatch {
    /// Begins to watch.
    pub(super) fn new(id: TerminalId, feed: &Arc<ScreenFeed>, mailbox: &Arc<Mailbox>) -> Self {
        feed.watchers.fetch_add(1, Ordering::Relaxed);
        feed.all_watchers.fetch_add(1, Ordering::Relaxed);
        let receiver = feed.screen.clone();
        let _ = mailbox.post(Message::Watchers);
        Self {
            id,
            receiver,
            feed: Arc::clone(feed),
            mailbox: Arc::clone(mailbox),
        }
    }

    /// Shows a screen that never changes: the last one of a terminal that has ended.
    pub(super) fn freeze(&mut self, screen: ScreenSnapshot) {
        self.receiver = watch::channel(Arc::new(screen)).1;
    }

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
        f.debug_tuple("ScreenWatch").field(&self.id).finish()
    }
}

impl Drop for ScreenWatch {
    fn drop(&mut self) {
        self.feed.watchers.fetch_sub(1, Ordering::Relaxed);
        self.feed.all_watchers.fetch_sub(1, Ordering::Relaxed);
        let _ = self.mailbox.post(Message::Watchers);
    }
}
