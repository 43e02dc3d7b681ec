//! What is heard of the store.

use tokio::sync::watch;

use crate::store::{DoltStatus, Store};

/// News of the store. Once it is gone there are none any more.
pub(super) struct StoreWatch {
    state: Option<watch::Receiver<u64>>,
    dolt: Option<watch::Receiver<DoltStatus>>,
    written: Option<watch::Receiver<u64>>,
}

pub(super) enum StoreNews {
    /// The state of the journal or of its copy has changed.
    State,
    /// Something was written.
    Written,
}

impl StoreWatch {
    pub fn new(store: &Store) -> Self {
        Self {
            state: Some(store.watch()),
            dolt: Some(store.watch_dolt()),
            written: Some(store.written()),
        }
    }

    /// Waits for news; of what was written only where somebody looks at it. Cancel-safe.
    pub async fn next(&mut self, reads: bool) -> StoreNews {
        loop {
            let (news, is_over) = tokio::select! {
                is_over = changed(&mut self.state) => (StoreNews::State, is_over),
                is_over = changed(&mut self.dolt) => (StoreNews::State, is_over),
                is_over = changed(&mut self.written), if reads => (StoreNews::Written, is_over),
            };
            if !is_over {
                return news;
            }
        }
    }
}

/// Waits for a change, and tells whether there will be none any more; then it is not asked again.
async fn changed<T>(watched: &mut Option<watch::Receiver<T>>) -> bool {
    let Some(receiver) = watched else {
        return std::future::pending().await;
    };
    let is_over = receiver.changed().await.is_err();
    if is_over {
        *watched = None;
    }
    is_over
}
