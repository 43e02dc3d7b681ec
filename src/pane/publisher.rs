//! Publishes a pane's screen while somebody watches it, when the frame clock says so.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::emulator::Emulator;
use super::frames::FrameClock;
use super::screen_feed::ScreenFeed;
use crate::domain::screen::ScreenSnapshot;

pub(super) struct Publisher {
    feed: Arc<ScreenFeed>,
    frames: FrameClock,
    screen: watch::Sender<Arc<ScreenSnapshot>>,
    published_version: u64,
}

impl Publisher {
    pub fn new(feed: Arc<ScreenFeed>, screen: watch::Sender<Arc<ScreenSnapshot>>) -> Self {
        Self {
            feed,
            frames: FrameClock::default(),
            screen,
            published_version: 0,
        }
    }

    /// When the next screen is due, if one is.
    pub fn due(&self) -> Option<Instant> {
        self.frames.due()
    }

    /// Output was fed to the emulator, whose version was `before`.
    pub fn output(&mut self, bytes: &[u8], emulator: &Emulator, before: u64, now: Instant) {
        if self.feed.is_watched() && emulator.version() != before {
            self.frames.output(bytes, emulator.update_open(), now);
        }
    }

    /// Something other than output changed the screen.
    pub fn changed(&mut self, emulator: &Emulator, now: Instant) {
        self.frames.changed(emulator.update_open(), now);
    }

    /// Publishes for new watchers; once there is none, the published screen's memory is given back.
    pub fn watchers_changed(&mut self, emulator: &Emulator, now: Instant) {
        if self.feed.is_watched() {
            self.changed(emulator, now);
        } else {
            let size = self.screen.borrow().size;
            self.screen
                .send_replace(Arc::new(ScreenSnapshot::blank(size)));
            self.published_version = 0;
        }
    }

    /// Publishes where a screen is due.
    pub fn advance(&mut self, emulator: &Emulator, now: Instant) {
        if !self.frames.is_due(now) {
            return;
        }
        self.frames.published(now);
        let version = emulator.version();
        if !self.feed.is_watched() || version == self.published_version {
            return;
        }
        self.published_version = version;
        let previous = Arc::clone(&self.screen.borrow());
        let snapshot = emulator.snapshot(Some(&previous));
        self.screen.send_replace(Arc::new(snapshot));
    }

    /// Whether `version` of the emulator has been published.
    pub fn has_published(&self, version: u64) -> bool {
        version == self.published_version
    }

    /// Publishes the last screen and ends every watch.
    pub fn finish(self, last: Option<ScreenSnapshot>) {
        if let Some(last) = last.filter(|_| self.feed.is_watched()) {
            self.screen.send_replace(Arc::new(last));
        }
    }
}
