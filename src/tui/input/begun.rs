//! What has been read and means nothing yet, where another program reads on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Shared by the reading thread and whoever stops it.
#[derive(Debug, Default)]
pub struct Begun {
    goes_on: AtomicBool,
    bytes: Mutex<Vec<u8>>,
}

impl Begun {
    /// Another program reads on: a reading that is stopped now ends at once, and its end is not awaited.
    pub fn let_go_on(&self) {
        self.goes_on.store(true, Ordering::Relaxed);
    }

    pub(super) fn goes_on(&self) -> bool {
        self.goes_on.load(Ordering::Relaxed)
    }

    /// What another program has begun to read of the same terminal, or this one.
    pub fn put(&self, bytes: Vec<u8>) {
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    /// The bytes, once.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
