//! Terminal emulation: bytes of a program in, screen, history, replies and events out.
//!
//! The only room that names the emulator crate, so that another one could stand behind this face. Knows nothing of
//! ptys, threads or time; a panic inside is caught here and the emulator rebuilt.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::screen::{Modes, Row, ScreenSnapshot};
use crate::domain::size::Size;

/// One terminal's emulator.
pub struct Emulator {}

/// What feeding bytes brought about besides the screen.
#[derive(Debug, Default)]
pub struct Feedback {
    /// Answers to the program's queries, to be written to its pty in this order.
    pub replies: Vec<u8>,
    pub events: Vec<EmulatorEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmulatorEvent {
    Title(String),
    Bell,
    /// OSC 9, 99, 777; cleaned and capped.
    Notification(String),
    /// OSC 9;4: 0 none, 1 normal, 2 error, 3 busy, 4 paused.
    Progress(u8),
    /// OSC 52 write, decoded.
    Clipboard(String),
    /// OSC 7, decoded to a path.
    WorkingDirectory(String),
    /// OSC 133 with its letter (A prompt, B command line, C output, D end).
    PromptMark(char),
    /// The emulator panicked and was rebuilt.
    Reset,
}

#[allow(clippy::todo, clippy::unused_self, clippy::needless_pass_by_value)]
impl Emulator {
    pub fn new(_size: Size, _history_lines: usize) -> Self {
        todo!()
    }

    pub fn feed(&mut self, _bytes: &[u8], _feedback: &mut Feedback) {
        todo!()
    }

    pub fn resize(&mut self, _size: Size) {
        todo!()
    }

    pub fn set_history_lines(&mut self, _lines: usize) {
        todo!()
    }

    /// Whether the program holds a synchronized update (mode 2026) open.
    pub fn update_open(&self) -> bool {
        todo!()
    }

    /// Counts up with everything that could change a snapshot.
    pub fn version(&self) -> u64 {
        todo!()
    }

    /// The screen now; rows equal to those of `previous` are shared with it.
    pub fn snapshot(&self, _previous: Option<&ScreenSnapshot>) -> ScreenSnapshot {
        todo!()
    }

    pub fn alternate_screen(&self) -> bool {
        todo!()
    }

    pub fn modes(&self) -> Modes {
        todo!()
    }

    /// Absolute numbers of the oldest row of history, of the screen's top row, and of the row after its last.
    pub fn extent(&self) -> (u64, u64, u64) {
        todo!()
    }

    /// Rows of history and screen by absolute number, cut to what exists.
    pub fn rows(&self, _range: Range<u64>) -> Vec<Arc<Row>> {
        todo!()
    }
}
