//! What the outer terminal tells.

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

/// An answer to a query of tundra's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Kitty keyboard flags in force: the protocol is spoken.
    Keyboard(u8),
    /// Primary device attributes; every terminal answers these, so what was asked before has been answered by now.
    DeviceAttributes,
    /// The background colour.
    Background(Background),
}

/// A background colour, 16 bits a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Background {
    pub red: u16,
    pub green: u16,
    pub blue: u16,
}

impl Background {
    /// Whether it is light rather than dark, by perceived brightness (ITU-R BT.601).
    #[must_use]
    pub fn is_light(self) -> bool {
        let Self { red, green, blue } = self;
        let brightness = 299 * u64::from(red) + 587 * u64::from(green) + 114 * u64::from(blue);
        brightness > 500 * u64::from(u16::MAX)
    }
}
