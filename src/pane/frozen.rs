//! What a pane's thread leaves behind for the next program.

use std::time::Instant;

use super::emulator::Emulator;
use super::kept::KeptLive;
use super::pty::Pty;
use super::publisher::Publisher;
use super::write_queue::WriteQueue;
use crate::runtime::handover::{Outgoing, millis_since};

/// A pane between two reads of its output: what comes now waits in the kernel's buffer.
pub(super) struct FrozenPane {
    pub pty: Option<Pty>,
    pub hung_up: bool,
    pub emulator: Emulator,
    pub input: WriteQueue,
    pub born: Instant,
    pub last_activity: Instant,
    pub terminating: bool,
    /// Held, since its end would tell those who watch that the terminal has ended.
    pub publisher: Publisher,
}

impl FrozenPane {
    /// Keeps all of it. The master goes over; what watches the screen is held for as long as this process lasts.
    pub fn keep(self, out: &mut Outgoing) -> KeptLive {
        std::mem::forget(self.publisher);
        KeptLive {
            emulator: self.emulator.keep(out),
            input: out.bytes(self.input.head()),
            master: self.pty.map(|pty| out.descriptor(pty.into_master())),
            hung_up: self.hung_up,
            born_ms: millis_since(self.born),
            active_ms: millis_since(self.last_activity),
            terminating: self.terminating,
        }
    }
}
