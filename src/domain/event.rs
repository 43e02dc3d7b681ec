//! What happened to terminals, for whoever listens.

use super::id::TerminalId;
use super::terminal::{Exit, Owner};

/// Told to every listener in the order it happened; a listener that lags misses the oldest and reads the pool's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// It is there, and its program runs.
    Opened { id: TerminalId, owner: Owner },
    /// Name, title, size, owner, viewers or agent state changed.
    Changed { id: TerminalId },
    /// Its first process has been reaped.
    Exited { id: TerminalId, exit: Exit },
    /// Its program rang (BEL).
    Bell { id: TerminalId },
    /// A desktop notification (OSC 9, 99, 777), cleaned of control characters.
    Notification { id: TerminalId, text: String },
    /// A program set the clipboard (OSC 52), already decoded and capped.
    Clipboard { id: TerminalId, text: String },
    /// The emulator panicked on this terminal's output and was rebuilt.
    EmulatorReset { id: TerminalId },
}
