//! tundra's arm wipes what it frees, as the binary does; the others have the system's allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use tundra::runtime::wiping::WipingAllocator;

pub struct BinarysAllocator {
    wipes: AtomicBool,
}

impl BinarysAllocator {
    pub const fn plain() -> Self {
        Self {
            wipes: AtomicBool::new(false),
        }
    }

    /// From here on this process frees as the binary does.
    pub fn wipe(&self) {
        self.wipes.store(true, Ordering::Relaxed);
    }

    fn wipes(&self) -> bool {
        self.wipes.load(Ordering::Relaxed)
    }
}

// SAFETY: both take their blocks from the system's allocator and give them back there, so that one may free what the other
// has given.
#[allow(unsafe_code, reason = "the arms of a bench differ in their allocator")]
unsafe impl GlobalAlloc for BinarysAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe {
            if self.wipes() {
                WipingAllocator.dealloc(block, layout);
            } else {
                System.dealloc(block, layout);
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            if self.wipes() {
                WipingAllocator.realloc(block, layout, new_size)
            } else {
                System.realloc(block, layout, new_size)
            }
        }
    }
}
