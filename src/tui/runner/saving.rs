//! What would have to be brought back after a crash, told a moment after it has changed.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::tui::session::SavedSession;
use crate::tui::update::Redraw;

/// How long after a change of the session it is looked what would have to be brought back.
const AFTER_CHANGE: Duration = Duration::from_millis(200);
/// The same after output of a pane.
const AFTER_OUTPUT: Duration = Duration::from_secs(2);

pub(super) struct Saving {
    saved: watch::Sender<Option<SavedSession>>,
    due: Option<Instant>,
}

impl Saving {
    pub fn new(saved: watch::Sender<Option<SavedSession>>) -> Self {
        Self { saved, due: None }
    }

    /// Something changed that was to be drawn like this.
    pub fn changed(&mut self, redraw: Redraw, now: Instant) {
        let after = match redraw {
            Redraw::All => AFTER_CHANGE,
            // Its program may have gone to another folder.
            Redraw::Panes => AFTER_OUTPUT,
            Redraw::Nothing => return,
        };
        let at = now + after;
        self.due = Some(self.due.map_or(at, |earlier| earlier.min(at)));
    }

    /// When to look.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Tells what would have to be brought back now, where that is something else than before.
    pub fn tell(&mut self, saved: Option<SavedSession>) {
        self.due = None;
        self.saved.send_if_modified(|before| {
            let has_changed = *before != saved;
            *before = saved;
            has_changed
        });
    }
}
