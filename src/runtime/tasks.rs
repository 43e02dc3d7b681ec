//! The one place that spawns tasks.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, warn};

/// Spawns tasks and ends them together; cheap to clone.
///
/// A task either watches [`Tasks::ending`] and leaves, or is bounded by itself. [`Tasks::shutdown`] tells them and
/// waits, so none is cut in the middle unless it overstays.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    token: CancellationToken,
}

impl Tasks {
    /// Runs `task` on the runtime under a span of that name.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let span = tracing::info_span!("task", name);
        self.tracker.spawn(task.instrument(span));
    }

    /// Resolves once shutdown has begun.
    pub fn ending(&self) -> WaitForCancellationFutureOwned {
        self.token.clone().cancelled_owned()
    }

    /// Tells every task to end and waits for them, at most `patience`.
    pub async fn shutdown(&self, patience: Duration) {
        self.token.cancel();
        self.tracker.close();
        if tokio::time::timeout(patience, self.tracker.wait())
            .await
            .is_err()
        {
            warn!(left = self.tracker.len(), "tasks did not end in time");
        }
    }
}
