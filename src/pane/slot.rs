//! One place in the pool.

use std::sync::Arc;

use super::pool::Ledger;

/// A place taken in the pool; given back exactly once, when it is dropped.
pub(super) struct Slot {
    ledger: Arc<Ledger>,
}

impl Slot {
    pub fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.ledger.give_back();
    }
}
