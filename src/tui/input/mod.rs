//! What the outer terminal sends: bytes in, keys, mouse, pastes and answers out.
//!
//! `decode` is a pure state machine; `reader` is the one thread that reads. This room must not know what a key does.

mod csi;
mod decode;
mod reader;

pub use decode::{Decoder, Reply};
pub use reader::spawn;

use crate::domain::input::{KeyEvent, MouseEvent};

/// One thing that came from the outer terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputEvent {
    Key(KeyEvent),
    /// Row and column count from 0 at the top left of the whole screen.
    Mouse(MouseEvent),
    Paste(String),
    /// Text without a key: an input method's result.
    Text(String),
    Focus(bool),
    Reply(Reply),
    /// There is nothing more to come: the outer terminal is gone.
    Closed,
}
