//! What a viewer wants of its connection, and what it is told.

use bytes::Bytes;

use crate::domain::chord::Chord;
use crate::domain::size::Size;

/// What the viewer wants. The channel's end is its leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bytes as a terminal sends them.
    Input(Vec<u8>),
    Paste(String),
    /// A key that the instance encodes, since it alone knows what the program understands.
    Key(Chord),
    Resize(Size),
    Take,
}

/// What the viewer is told. A full channel slows the instance's output to this viewer and nobody else's; so a viewer
/// must take these whatever becomes of its commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    State(ConnectionState),
    /// The screen whole; output goes on from it.
    Snapshot {
        size: Size,
        bytes: Bytes,
    },
    Output(Bytes),
    Role {
        writer: bool,
        /// Who writes, where it is another one: `front` or `viewer`.
        other: Option<&'static str>,
    },
    /// Input found no room while there was no connection.
    Dropped,
    /// What was typed without a connection was given up: another one writes by now.
    NotTyped {
        bytes: usize,
    },
    /// A paste was longer than a message may be; nothing of it was typed.
    TooLong,
    /// The program does not read; this input was dropped.
    Unread,
    Exit {
        code: Option<i32>,
        signal: Option<i32>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    Connecting,
    Connected,
    /// The connection is lost and tried again.
    Lost,
}
