//! What terminals are drawn on where a program sets no colour: told by whoever shows them, asked by programs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::screen::Backdrop;

/// The backdrop of all terminals of a pool, as of now; cheap to clone. It outlives resets of a terminal, since it is not the
/// program's.
#[derive(Clone, Debug)]
pub struct SharedBackdrop(Arc<AtomicU64>);

impl SharedBackdrop {
    pub fn get(&self) -> Backdrop {
        let [_, _, r, g, b, red, green, blue] = self.0.load(Ordering::Relaxed).to_be_bytes();
        Backdrop {
            foreground: [r, g, b],
            background: [red, green, blue],
        }
    }

    pub fn set(&self, backdrop: Backdrop) {
        self.0.store(packed(backdrop), Ordering::Relaxed);
    }
}

impl Default for SharedBackdrop {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(packed(Backdrop::default()))))
    }
}

fn packed(backdrop: Backdrop) -> u64 {
    let [r, g, b] = backdrop.foreground;
    let [red, green, blue] = backdrop.background;
    u64::from_be_bytes([0, 0, r, g, b, red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_what_everybody_sees() {
        let shared = SharedBackdrop::default();
        let seen = shared.clone();
        assert_eq!(seen.get(), Backdrop::default());
        let light = Backdrop {
            foreground: [1, 2, 3],
            background: [253, 254, 255],
        };
        shared.set(light);
        assert_eq!(seen.get(), light);
    }
}
