//! Bytes on their way to a program that may read slowly.

/// A queue of bytes that is appended to at its tail and written from its head.
#[derive(Debug, Default)]
pub(super) struct WriteQueue {
    bytes: Vec<u8>,
    /// How many of `bytes` are written already.
    start: usize,
}

/// A drained queue larger than this gives its memory back.
const KEEP_CAPACITY: usize = 64 * 1024;

impl WriteQueue {
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is to be written next.
    pub fn head(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Where more is appended.
    pub fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Takes `count` written bytes off the head.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.bytes.len());
        if self.is_empty() {
            self.clear();
        } else if self.start > KEEP_CAPACITY && self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEEP_CAPACITY);
        self.start = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_they_came() {
        let mut queue = WriteQueue::default();
        queue.tail().extend_from_slice(b"abc");
        queue.consume(1);
        queue.tail().extend_from_slice(b"def");
        assert_eq!(queue.head(), b"bcdef");
        queue.consume(5);
        assert!(queue.is_empty());
    }
}
