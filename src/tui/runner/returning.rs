//! The terminal that the program before this one showed on: its process is about to lend it again.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// How long it is waited for by those who want it left.
const RETURNS_WITHIN: Duration = Duration::from_secs(5);

/// A terminal that is still to come.
pub(super) struct Returning {
    until: Instant,
    waiters: Vec<oneshot::Sender<()>>,
}

impl Returning {
    pub fn soon() -> Self {
        Self {
            until: Instant::now() + RETURNS_WITHIN,
            waiters: Vec::new(),
        }
    }

    /// Somebody wants it left.
    pub fn wait(&mut self, left: oneshot::Sender<()>) {
        self.waiters.push(left);
    }

    /// When those who wait are told that it does not come.
    pub fn due(&self) -> Instant {
        self.until
    }

    /// Who wants it left.
    pub fn into_waiters(self) -> Vec<oneshot::Sender<()>> {
        self.waiters
    }
}
