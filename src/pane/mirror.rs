//! A copy of a pane's emulator on the viewer's side, kept in step by keyframes and output.

use super::emulator::{Emulator, Feedback};
use super::encode;
use crate::domain::input::Input;
use crate::domain::screen::ScreenSnapshot;
use crate::domain::size::Size;

/// Shows what a pane elsewhere shows. It answers no queries: that is the pane's own to do.
pub struct Mirror {
    emulator: Emulator,
    shown: Option<ScreenSnapshot>,
    feedback: Feedback,
}

impl Mirror {
    /// A blank screen.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            emulator: Emulator::new(size, 0),
            shown: None,
            feedback: Feedback::default(),
        }
    }

    /// Takes over a keyframe.
    pub fn restore(&mut self, size: Size, keyframe: &[u8]) {
        self.emulator = Emulator::new(size, 0);
        self.feed(keyframe);
    }

    /// Takes in output that follows.
    pub fn feed(&mut self, output: &[u8]) {
        self.emulator.feed(output, &mut self.feedback);
        self.feedback.replies.clear();
        self.feedback.events.clear();
    }

    /// The screen now; rows that did not change since the last call are the same ones.
    pub fn screen(&mut self) -> &ScreenSnapshot {
        let snapshot = self.emulator.snapshot(self.shown.as_ref());
        self.shown.insert(snapshot)
    }

    /// The bytes of an input, as the program in the pane has asked for.
    #[must_use]
    pub fn encode(&self, input: &Input) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (modes, alternate) = (self.emulator.modes(), self.emulator.alternate_screen());
        encode::encode(input, &modes, alternate, &mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirror").finish_non_exhaustive()
    }
}
