//! What feeding bytes brought about besides the screen.

/// Most events told of one chunk of output; later ones are dropped.
const EVENT_LIMIT: usize = 256;

/// What feeding bytes brought about besides the screen.
#[derive(Debug, Default)]
pub struct Feedback {
    /// Answers to the program's queries, to be written to its pty in this order; at most 64 KiB and one answer.
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

impl Feedback {
    /// Adds an event. One that only tells the newest state replaces an older one of its kind.
    pub(super) fn tell(&mut self, event: EmulatorEvent) {
        let replaces = matches!(
            event,
            EmulatorEvent::Title(_)
                | EmulatorEvent::Bell
                | EmulatorEvent::Progress(_)
                | EmulatorEvent::WorkingDirectory(_)
                | EmulatorEvent::Clipboard(_)
        );
        let kind = std::mem::discriminant(&event);
        let older = self
            .events
            .iter()
            .position(|older| replaces && std::mem::discriminant(older) == kind);
        if let Some(older) = older {
            self.events.remove(older);
        }
        if self.events.len() < EVENT_LIMIT {
            self.events.push(event);
        }
    }
}
