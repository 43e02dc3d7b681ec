//! What can be asked of a pane's screen and history, and what is answered.

use std::sync::Arc;

use regex::Regex;

use crate::domain::agent::AgentState;
use crate::domain::screen::{Row, ScreenSnapshot};
use crate::domain::terminal::Status;

/// A pane's screen, and its history where asked for, at one point of the byte stream.
#[derive(Clone, Debug)]
pub struct Capture {
    /// What it shows.
    pub screen: ScreenSnapshot,
    /// Its history, oldest first; empty where it was not asked for.
    pub scrollback: Vec<Arc<Row>>,
}

/// Some rows of history and screen by absolute number, and where history and screen lie now.
#[derive(Clone, Debug, Default)]
pub struct RowWindow {
    /// Absolute number of the first row in `rows`, moved up to what still exists.
    pub start: u64,
    /// Those of the rows asked for that there are.
    pub rows: Vec<Arc<Row>>,
    /// Absolute number of the oldest row that is kept.
    pub history_start: u64,
    /// Absolute number of the top row of the screen.
    pub top: u64,
    /// One more than the number of the last row of the screen.
    pub end: u64,
    /// How often lines had been wrapped at another width: numbers hold only while this stays as it is.
    pub rewraps: u64,
}

/// Places by absolute row and column, after lines were wrapped at another width.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacesNow {
    /// In the order in which they were asked for.
    pub places: Vec<(u64, u16)>,
    /// The count that they hold for.
    pub rewraps: u64,
}

/// Which way a search goes: up is towards older rows.
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
    /// Absolute number of its row.
    pub row: u64,
    /// First column, and the one after the last.
    pub cols: (u16, u16),
}

/// What [`wait`](super::PaneHandle::wait) waits for.
#[derive(Clone, Debug)]
pub enum WaitFor {
    /// The text of history and screen matches, or has matched since the wait began.
    Text(Regex),
    Exit,
    State(AgentState),
    Status(Status),
}
