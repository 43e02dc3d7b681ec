//! What a pane's thread and its handles have in common.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::facts::Facts;
use super::final_state::FinalState;
use super::mailbox::Mailbox;
use super::output::OutputBuffer;
use super::screen_feed::ScreenFeed;

/// The meeting points of one pane's thread and its handles, each with one purpose and a lock of its own.
#[derive(Clone)]
pub(super) struct PaneParts {
    pub facts: Arc<Facts>,
    /// The way into the thread.
    pub mailbox: Arc<Mailbox>,
    /// What viewers read.
    pub output: Arc<OutputBuffer>,
    /// What the front end shows.
    pub feed: Arc<ScreenFeed>,
    /// What is left to be seen once the thread has let go.
    final_state: Arc<Mutex<Option<FinalState>>>,
}

impl PaneParts {
    pub fn new(facts: Facts, mailbox: Mailbox, output: OutputBuffer, feed: ScreenFeed) -> Self {
        Self {
            facts: Arc::new(facts),
            mailbox: Arc::new(mailbox),
            output: Arc::new(output),
            feed: Arc::new(feed),
            final_state: Arc::default(),
        }
    }

    pub fn final_state(&self) -> MutexGuard<'_, Option<FinalState>> {
        self.final_state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
