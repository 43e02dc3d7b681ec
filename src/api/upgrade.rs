//! The way from whoever asks for an upgrade to whoever carries it out.

use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

/// Upgrades that wait: one at a time is carried out, and others are refused.
const WAITING: usize = 1;

/// A wish to go on as another program.
#[derive(Debug)]
pub struct UpgradeRequest {
    /// An absolute path.
    pub program: PathBuf,
    /// Told why nothing came of it; dropped without a word where the other program goes on.
    pub refused: oneshot::Sender<String>,
}

/// Asks for an upgrade; cheap to clone.
#[derive(Clone, Debug)]
pub struct Upgrades(mpsc::Sender<UpgradeRequest>);

impl Upgrades {
    /// A way, and its other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<UpgradeRequest>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Asks, and waits for why nothing comes of it. Does not come back where the other program goes on: this one ends.
    /// Cancelled, the upgrade goes on.
    pub async fn ask(&self, program: PathBuf) -> String {
        let (refused, why) = oneshot::channel();
        let request = UpgradeRequest { program, refused };
        if self.0.try_send(request).is_err() {
            return "an upgrade is under way already".to_owned();
        }
        match why.await {
            Ok(why) => why,
            Err(_) => std::future::pending().await,
        }
    }
}
