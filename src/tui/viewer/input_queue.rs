//! What a viewer's user did and nobody has taken yet: a bounded queue, which refuses what it has no room for.

use std::collections::VecDeque;

use super::event::Outgoing;

/// More than is pasted on purpose. What comes beyond it is refused.
const MAX_BYTES: usize = 8 << 20;
/// Keys that wait are gathered into pieces of this size.
const MAX_PIECE: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(super) struct InputQueue {
    waiting: VecDeque<Outgoing>,
    bytes: usize,
}

impl InputQueue {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds one at the end; false where there is no room for it.
    pub fn push(&mut self, outgoing: Outgoing) -> bool {
        let size = size(&outgoing);
        if self.bytes + size > MAX_BYTES {
            return false;
        }
        self.bytes += size;
        match (self.waiting.back_mut(), outgoing) {
            (Some(Outgoing::Input(piece)), Outgoing::Input(bytes))
                if piece.len() + bytes.len() <= MAX_PIECE =>
            {
                piece.extend(bytes);
            }
            // Only the newest size counts.
            (Some(last @ Outgoing::Resize(_)), newer @ Outgoing::Resize(_)) => *last = newer,
            (_, outgoing) => self.waiting.push_back(outgoing),
        }
        true
    }

    pub fn pop(&mut self) -> Option<Outgoing> {
        let outgoing = self.waiting.pop_front()?;
        self.bytes -= size(&outgoing);
        Some(outgoing)
    }
}

fn size(outgoing: &Outgoing) -> usize {
    match outgoing {
        Outgoing::Input(bytes) => bytes.len(),
        Outgoing::Paste(text) => text.len(),
        Outgoing::Key(_) | Outgoing::Resize(_) | Outgoing::Take => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::size::Size;

    #[test]
    fn keys_are_gathered_and_their_order_is_kept() {
        let mut queue = InputQueue::default();
        let resize = |cols| Outgoing::Resize(Size::clamped(cols, 10));
        for outgoing in [
            Outgoing::Input(b"a".to_vec()),
            Outgoing::Input(b"b".to_vec()),
            Outgoing::Take,
            Outgoing::Input(b"c".to_vec()),
            resize(10),
            resize(20),
        ] {
            assert!(queue.push(outgoing));
        }
        let mut taken = Vec::new();
        while let Some(outgoing) = queue.pop() {
            taken.push(outgoing);
        }
        assert_eq!(
            taken,
            [
                Outgoing::Input(b"ab".to_vec()),
                Outgoing::Take,
                Outgoing::Input(b"c".to_vec()),
                resize(20)
            ]
        );
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn there_is_an_end_to_what_waits() {
        let mut queue = InputQueue::default();
        while queue.push(Outgoing::Input(vec![b'x'; 1000])) {}
        assert!((MAX_BYTES - 1000..=MAX_BYTES).contains(&queue.bytes));
        assert!(queue.waiting.len() <= MAX_BYTES / (MAX_PIECE - 1000) + 1);
        queue.pop();
        assert!(queue.push(Outgoing::Input(vec![b'x'; 1000])));
    }
}
