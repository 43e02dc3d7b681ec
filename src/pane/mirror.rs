//! A copy of a pane's emulator on the viewer's side, kept in step by keyframes and output.

use std::ops::Range;
use std::sync::Arc;

use super::emulator::{Emulator, EmulatorEvent, Feedback};
use super::encode;
use crate::domain::input::Input;
use crate::domain::screen::{Row, ScreenSnapshot};
use crate::domain::size::Size;

/// Shows what a pane elsewhere shows. It answers no queries: that is the pane's own to do.
pub struct Mirror {
    emulator: Emulator,
    history_lines: usize,
    shown: Option<ScreenSnapshot>,
    feedback: Feedback,
}

/// What a program asked of the terminal of whoever looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HostRequests {
    pub bell: bool,
    /// The text for the clipboard (OSC 52).
    pub clipboard: Option<String>,
}

impl Mirror {
    /// A blank screen.
    #[must_use]
    pub fn new(size: Size, history_lines: usize) -> Self {
        Self {
            emulator: Emulator::new(size, history_lines),
            history_lines,
            shown: None,
            feedback: Feedback::default(),
        }
    }

    /// Takes over a keyframe. What a program asked for before it is not asked again.
    pub fn restore(&mut self, size: Size, keyframe: &[u8]) {
        self.emulator = Emulator::new(size, self.history_lines);
        self.feed(keyframe);
    }

    /// Takes in output that follows.
    pub fn feed(&mut self, output: &[u8]) -> HostRequests {
        self.emulator.feed(output, &mut self.feedback);
        self.feedback.replies.clear();
        let mut requests = HostRequests::default();
        for event in self.feedback.events.drain(..) {
            match event {
                EmulatorEvent::Bell => requests.bell = true,
                EmulatorEvent::Clipboard(text) => requests.clipboard = Some(text),
                _ => {}
            }
        }
        requests
    }

    /// The screen now; rows that did not change since the last call are the same ones.
    pub fn screen(&mut self) -> &ScreenSnapshot {
        let snapshot = self.emulator.snapshot(self.shown.as_ref());
        self.shown.insert(snapshot)
    }

    /// The absolute numbers of the oldest row of history and of the screen's first row.
    #[must_use]
    pub fn history(&self) -> (u64, u64) {
        let (oldest, top, _) = self.emulator.extent();
        (oldest, top)
    }

    /// Rows of history and screen by absolute number, cut to what exists.
    #[must_use]
    pub fn rows(&self, range: Range<u64>) -> Vec<Arc<Row>> {
        self.emulator.rows(range)
    }

    #[must_use]
    pub fn alternate_screen(&self) -> bool {
        self.emulator.alternate_screen()
    }

    /// The bytes of an input, as the program in the pane has asked for.
    #[must_use]
    pub fn encode(&self, input: &Input) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (modes, alternate) = (
            self.emulator.input_modes(),
            self.emulator.alternate_screen(),
        );
        encode::encode(input, &modes, alternate, &mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirror").finish_non_exhaustive()
    }
}
