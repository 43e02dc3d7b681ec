//! What a first terminal begins with, and how long it is waited for.

use std::time::{Duration, Instant};

use crate::tui::services::{First, Life};

/// An instance that was started for a terminal which never came ends after so long.
const UNCLAIMED_FOR: Duration = Duration::from_secs(15);

pub(super) struct Beginning {
    pub first: First,
    pub life: Life,
    started: Instant,
    /// No terminal has come yet, and nothing was there to begin with.
    is_pending: bool,
}

impl Beginning {
    pub fn new(first: First, life: Life) -> Self {
        Self {
            first,
            life,
            started: Instant::now(),
            is_pending: true,
        }
    }

    /// A terminal has come, or there is something to begin with. Whether a first terminal is to open what it begins with.
    pub fn take(&mut self) -> bool {
        let is_first = std::mem::replace(&mut self.is_pending, false);
        is_first && self.life == Life::EndsWithLastPane
    }

    /// Until when a first terminal may come, where nothing else keeps the instance.
    pub fn claimed_by(&self) -> Option<Instant> {
        let waits = self.is_pending && self.life == Life::EndsWithLastPane;
        waits.then(|| self.started + UNCLAIMED_FOR)
    }
}
