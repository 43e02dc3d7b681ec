//! Those who wait for a text to appear in a pane.

use regex::Regex;
use tokio::sync::oneshot;

use super::emulator::Emulator;
use super::text;

#[derive(Default)]
pub(super) struct TextWaiters {
    waiters: Vec<TextWaiter>,
}

struct TextWaiter {
    pattern: Regex,
    reply: oneshot::Sender<bool>,
    /// Rows before this one cannot change any more and have been looked at.
    scanned: u64,
}

impl TextWaiters {
    pub fn add(&mut self, pattern: Regex, reply: oneshot::Sender<bool>) {
        self.waiters.push(TextWaiter {
            pattern,
            reply,
            scanned: 0,
        });
    }

    /// Rows have other numbers: everything is looked at again.
    pub fn renumbered(&mut self) {
        for waiter in &mut self.waiters {
            waiter.scanned = 0;
        }
    }

    /// Answers those whose text is there, and forgets those who wait no more.
    pub fn answer(&mut self, emulator: &Emulator) {
        if self.waiters.is_empty() {
            return;
        }
        let (start, top, end) = emulator.extent();
        for mut waiter in std::mem::take(&mut self.waiters) {
            let rows = emulator.rows(waiter.scanned.max(start)..end);
            if text::matches(&waiter.pattern, &rows) {
                let _ = waiter.reply.send(true);
            } else if !waiter.reply.is_closed() {
                waiter.scanned = top;
                self.waiters.push(waiter);
            }
        }
    }
}
