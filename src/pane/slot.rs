//! One place in the pool.

use std::sync::Arc;

use super::pool::Registry;

/// A place taken in the pool; given back exactly once, when it is dropped.
pub(super) struct Slot {
    registry: Arc<Registry>,
}

impl Slot {
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.registry.give_back();
    }
}
