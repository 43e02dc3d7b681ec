//! A terminal that one process lends to another: what each tells the other.
//!
//! The lender is the process that the user's shell waits for; the borrower is the instance, which reads and draws on the
//! descriptors themselves. So there is no copy of keys or cells in between, only these few words.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use tokio::sync::mpsc;

use super::signals::Termination;
use crate::domain::code::Code;

/// Words of a lender that wait; it says a few in a minute.
pub const LENDER_EVENTS: usize = 16;
/// Words for a lender that wait.
pub const BORROWER_EVENTS: usize = 4;

/// A terminal's line settings (termios(3)), as far as raw mode changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineModes {
    pub input: u32,
    pub output: u32,
    pub control: u32,
    pub local: u32,
    /// `VMIN` and `VTIME`.
    pub min: u8,
    pub time: u8,
}

/// A terminal as it is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The lender.
    pub pid: u32,
    /// The variables that tell what the terminal can show.
    pub environment: Vec<(String, String)>,
    /// As they were before the lender touched them: what the borrower gives back.
    pub modes: LineModes,
    /// What to open in a tab of its own; empty for nothing.
    pub command: Vec<String>,
    /// Where the lender was started.
    pub cwd: Option<PathBuf>,
    /// The terminal of an instance that the lender itself runs in, by its id.
    pub inside: Option<String>,
}

/// What a lender tells of its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LenderEvent {
    Resized,
    /// The lender is to stop (SIGTSTP), and needs its terminal back for so long.
    Stop,
    /// The lender goes on after a stop that it was not asked about (SIGSTOP).
    Continued,
    /// A signal ends the lender.
    Recalled(Termination),
    /// There is no lender any more.
    Gone,
}

/// What became of the loan, as its lender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BorrowerEvent {
    /// The terminal is about to be drawn on.
    Shown,
    /// The borrower has left the terminal as it was; nothing follows.
    Left(Departure),
}

/// Why a borrower left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The instance goes on without a terminal.
    Detached,
    /// Another process lends its terminal now.
    TakenOver { pid: u32 },
    /// The lender is to stop, and may lend its terminal again.
    Suspended,
    /// The terminal is as it was drawn: the lender is to lend it again as soon as somebody takes it.
    Again,
    /// The instance ends with this exit code. The connection is closed once it is gone.
    Ended { exit: u8 },
    Failed {
        code: Code,
        message: String,
        /// The instance ends, too.
        ends: bool,
    },
}

/// A terminal on loan. Dropping it without a word is [`Departure::Detached`], and a refusal where it has never been shown.
#[derive(Debug)]
pub struct LentTerminal {
    pub input: OwnedFd,
    pub output: OwnedFd,
    pub offer: Offer,
    pub events: mpsc::Receiver<LenderEvent>,
    pub told: mpsc::Sender<BorrowerEvent>,
}
