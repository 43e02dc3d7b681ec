//! What the outer terminal tells.

use crate::domain::input::{KeyEvent, MouseEvent};
use crate::domain::screen::Backdrop;

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
    /// Its eight leading bits of each part.
    #[must_use]
    pub fn rgb(self) -> [u8; 3] {
        let Self { red, green, blue } = self;
        [red, green, blue].map(|part| part.to_be_bytes()[0])
    }

    #[must_use]
    pub fn is_light(self) -> bool {
        Backdrop::on(self.rgb()).is_light()
    }
}
