//! The way from whoever asks for an upgrade to whoever carries it out.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Upgrades at a time: others are refused while one is looked at or carried out.
const UNDER_WAY: usize = 1;

/// A wish to go on as another program.
#[derive(Debug)]
pub struct UpgradeRequest {
    /// An absolute path.
    pub program: PathBuf,
    /// Told why nothing came of it; dropped without a word where the other program goes on.
    pub refused: oneshot::Sender<String>,
    /// Given back with the request.
    pub turn: OwnedSemaphorePermit,
}

/// Asks for an upgrade; cheap to clone.
#[derive(Clone, Debug)]
pub struct Upgrades {
    requests: mpsc::Sender<UpgradeRequest>,
    turns: Arc<Semaphore>,
}

impl Upgrades {
    /// A way, and its other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<UpgradeRequest>) {
        let (requests, receiver) = mpsc::channel(UNDER_WAY);
        let turns = Arc::new(Semaphore::new(UNDER_WAY));
        (Self { requests, turns }, receiver)
    }

    /// Asks, and waits for why nothing comes of it. Does not come back where the other program goes on: this one ends.
    /// Cancelled, the upgrade goes on.
    pub async fn ask(&self, program: PathBuf) -> String {
        let (refused, why) = oneshot::channel();
        let turn = Arc::clone(&self.turns).try_acquire_owned();
        let sent = turn.is_ok_and(|turn| {
            let request = UpgradeRequest {
                program,
                refused,
                turn,
            };
            self.requests.try_send(request).is_ok()
        });
        if !sent {
            return "an upgrade is under way already".to_owned();
        }
        match why.await {
            Ok(why) => why,
            Err(_) => std::future::pending().await,
        }
    }
}
