//! The process's allocator, which leaves nothing in the memory that it takes back.
//!
//! A login passes through buffers of libraries (the HTTP codec's, TLS's, header values), which free them as they are.
//! What is freed would stay readable in a core dump or to whoever may read the process's memory, until something else is
//! written there. So every block is overwritten when it is freed or moved: then what lives as long as a request is gone
//! with it, wherever the copies were. Blocks beyond [`MOST`] are passed on as they are: no head of a request is in them,
//! since the codec's buffers end below it, and large blocks are given back to the kernel.

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::asm;

/// The largest block that is overwritten: above every buffer that holds the head of a request.
const MOST: usize = 1024 * 1024;

/// The system's allocator, but for what it leaves behind.
#[derive(Clone, Copy, Debug)]
pub struct WipingAllocator;

// SAFETY: every block comes from `System` and goes back to it with the layout that it was asked for with. Nothing is
// written but within a block, before it goes back, while nobody else may look at it.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise on `layout` is `System`'s condition.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives the block up, which is valid for `layout.size()` bytes until `System` has it back.
        unsafe {
            if layout.size() <= MOST {
                wipe(block, layout.size());
            }
            System.dealloc(block, layout);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let old_size = layout.size();
        if old_size > MOST {
            // SAFETY: the caller's promises are `System`'s conditions.
            return unsafe { System.realloc(block, layout, new_size) };
        }
        // SAFETY: the caller promises that `new_size` is not zero and does not overflow with this alignment. The new block is
        // another one than the old, and both are valid for the bytes that are copied; the old one is given up afterwards,
        // and only where there is a new one.
        unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
            let new = System.alloc(new_layout);
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(block, new, old_size.min(new_size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

/// Overwrites a block with zeros.
///
/// # Safety
/// `block` is valid for writes of `size` bytes, and nothing reads them afterwards.
#[allow(unsafe_code)]
unsafe fn wipe(block: *mut u8, size: usize) {
    // SAFETY: the caller's promise. The empty assembly may read the block as far as the compiler knows, so that it does
    // not take the zeros for useless; it touches neither stack nor flags.
    unsafe {
        std::ptr::write_bytes(block, 0, size);
        asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags, readonly));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a freed block's memory holds, seen where it is taken out of the allocator's hands only afterwards.
    #[test]
    fn a_block_is_empty_once_it_is_wiped() {
        let mut block = vec![b'x'; 100];
        // SAFETY: the vector is valid for its bytes, and its type takes any.
        #[allow(unsafe_code)]
        unsafe {
            wipe(block.as_mut_ptr(), 60);
        }
        assert_eq!(block[..60], [0; 60]);
        assert_eq!(block[60..], [b'x'; 40]);
    }

    #[test]
    fn what_grows_and_shrinks_keeps_its_bytes() {
        let mut text: Vec<u8> = Vec::new();
        for byte in 0..3_000_000_u32 {
            text.push(byte.to_le_bytes()[0]);
        }
        let whole = |text: &[u8]| {
            let mut bytes = text.iter().zip(0_u32..);
            bytes.all(|(byte, number)| *byte == number.to_le_bytes()[0])
        };
        assert!(whole(&text));
        text.truncate(70_000);
        text.shrink_to_fit();
        assert!(whole(&text));
        text.truncate(7);
        text.shrink_to_fit();
        assert_eq!(text, [0, 1, 2, 3, 4, 5, 6]);
    }
}
