//! The way to talk to one pane.

use std::ops::Range;
use std::sync::Arc;

use regex::Regex;
use tokio::sync::watch;

use super::error::PaneError;
use crate::domain::agent::AgentState;
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::domain::screen::{Row, ScreenSnapshot};
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalInfo};

/// Talks to one pane; cheap to clone. The terminal goes on living when every handle is dropped.
#[derive(Clone, Debug)]
pub struct PaneHandle {
    id: TerminalId,
}

/// The live screen of a pane. While at least one exists the pane publishes snapshots, at most 60 a second.
#[derive(Debug)]
pub struct ScreenWatch {
    receiver: watch::Receiver<Arc<ScreenSnapshot>>,
}

impl ScreenWatch {
    /// The newest snapshot.
    pub fn latest(&self) -> Arc<ScreenSnapshot> {
        Arc::clone(&self.receiver.borrow())
    }

    /// Waits until there is a newer snapshot than the last one seen; false once the pane has ended. Cancel-safe.
    pub async fn changed(&mut self) -> bool {
        self.receiver.changed().await.is_ok()
    }
}

/// A pane's screen, and its history where asked for, at one point of the byte stream.
#[derive(Clone, Debug)]
pub struct Capture {
    pub screen: ScreenSnapshot,
    pub scrollback: Vec<Arc<Row>>,
}

/// Some rows of history and screen by absolute number, and where history and screen lie now.
#[derive(Clone, Debug)]
pub struct RowWindow {
    /// Absolute number of the first row in `rows`, moved up to what still exists.
    pub start: u64,
    pub rows: Vec<Arc<Row>>,
    pub history_start: u64,
    pub top: u64,
    /// One more than the number of the last row of the screen.
    pub end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// A search through history and screen; starts strictly beyond `from` and does not wrap around.
#[derive(Clone, Debug)]
pub struct Search {
    pub pattern: Regex,
    /// Absolute row and column.
    pub from: (u64, u16),
    pub direction: Direction,
}

/// Where a search hit begins and ends; `end` is exclusive. A hit lies within one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub row: u64,
    pub cols: (u16, u16),
}

/// What [`PaneHandle::wait`] waits for.
#[derive(Clone, Debug)]
pub enum WaitFor {
    /// The text of history and screen matches, or has matched since the wait began.
    Text(Regex),
    Exit,
    State(AgentState),
}

#[allow(clippy::todo, clippy::unused_async, clippy::needless_pass_by_value)]
impl PaneHandle {
    pub fn id(&self) -> TerminalId {
        self.id
    }

    pub fn info(&self) -> TerminalInfo {
        todo!()
    }

    /// Queues input without waiting. Fails when the program has left too much unread, or has ended; then nothing of
    /// this input was typed.
    pub fn try_input(&self, _input: Input) -> Result<(), PaneError> {
        todo!()
    }

    /// Sets the size; of several in a row only the last may be applied.
    pub fn resize(&self, _size: Size) {
        todo!()
    }

    pub fn rename(&self, _name: &str) {
        todo!()
    }

    pub fn set_owner(&self, _owner: Owner) {
        todo!()
    }

    /// The user has looked at this pane: an agent that was done becomes idle.
    pub fn seen(&self) {
        todo!()
    }

    /// Begins to end the terminal's whole session: HUP, TERM, and after the grace KILL. Doing so twice does no harm.
    pub fn kill(&self) {
        todo!()
    }

    /// Starts to publish snapshots; the first one is there when this returns a watch (it may be blank for a moment).
    pub fn watch(&self) -> ScreenWatch {
        todo!()
    }

    pub async fn capture(&self, _scrollback: bool) -> Result<Capture, PaneError> {
        todo!()
    }

    /// Reads rows by absolute number; what lies outside of history and screen is left out.
    pub async fn rows(&self, _range: Range<u64>) -> Result<RowWindow, PaneError> {
        todo!()
    }

    pub async fn search(&self, _search: Search) -> Result<Option<Match>, PaneError> {
        todo!()
    }

    /// Waits until it holds; true if it does, false if the terminal ended and it never will.
    pub async fn wait(&self, _what: WaitFor) -> bool {
        todo!()
    }
}
