//! What a viewer is told, and what its user does.

use tokio::sync::mpsc;

use crate::config::Settings;
use crate::domain::chord::Chord;
use crate::domain::size::Size;
use crate::runtime::signals::Terminations;

/// What the pane elsewhere shows, and how the way to it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Snapshot {
        size: Size,
        bytes: Vec<u8>,
    },
    Output(Vec<u8>),
    /// How the connection is, for the line below.
    State(String),
    /// What went wrong with something the user did; on the line below until the next key.
    Told(String),
    Role {
        writer: bool,
        /// Who writes, where it is another one.
        other: Option<String>,
    },
    /// The terminal has ended; the viewer does too.
    Ended,
}

/// What the user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    Input(Vec<u8>),
    Paste(String),
    /// A key that the instance encodes, since it alone knows what the program understands.
    Key(Chord),
    Resize(Size),
    Take,
}

/// What a viewer works with. Leaving is dropping `outgoing`.
#[derive(Debug)]
pub struct Viewing {
    pub settings: Settings,
    /// What the pane is called.
    pub name: String,
    pub read_only: bool,
    pub incoming: mpsc::Receiver<Incoming>,
    pub outgoing: mpsc::Sender<Outgoing>,
    pub terminations: Terminations,
}
