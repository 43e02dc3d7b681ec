//! What copy mode is told, what it asks for, and what is to be drawn.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::action::Action;
use crate::domain::input::KeyEvent;
use crate::domain::screen::{Row, ScreenSnapshot};
use crate::domain::size::Size;
use crate::pane::{Match, PlacesNow, RowWindow, Search};

/// What copy mode is told.
#[derive(Clone, Debug)]
pub enum CopyEvent {
    /// An action of [`crate::domain::action::Context::Copy`], while [`CopyMode::wants_text`] is false.
    Action(Action),
    /// A digit of a count (`5j`), or a character of the search prompt.
    Key(KeyEvent),
    /// Text pasted, which goes to the search prompt.
    Text(String),
    /// Wheel steps in lines; negative is up.
    Wheel(i32),
    /// Left button down at a cell of the view; begins a selection once it is dragged.
    Press {
        row: u16,
        col: u16,
    },
    /// The pointer at a cell of the view with the button down; rows outside of it scroll.
    Drag {
        row: i32,
        col: u16,
    },
    /// Left button up: what was dragged over is copied.
    Release,
    /// Two or three clicks: a word or a line is selected.
    SelectWord {
        row: u16,
        col: u16,
    },
    SelectLine {
        row: u16,
    },
    /// The pane has a newer screen.
    Screen(Arc<ScreenSnapshot>),
    /// The answer to [`CopyEffect::NeedRows`].
    Rows(RowWindow),
    /// The answer to the search with this number.
    Found {
        number: u64,
        hit: Option<Match>,
    },
    /// The answer to [`CopyEffect::NeedPlaces`].
    Places(PlacesNow),
    /// The view has another size.
    Resize(Size),
}

/// What copy mode asks for.
#[derive(Clone, Debug)]
pub enum CopyEffect {
    /// Read these rows and tell [`CopyEvent::Rows`].
    NeedRows(Range<u64>),
    /// Lines were wrapped at another width: find out where these places are now and tell [`CopyEvent::Places`].
    NeedPlaces { since: u64, places: Vec<(u64, u16)> },
    /// Search, and tell [`CopyEvent::Found`] with this number; only the newest number counts.
    Search { number: u64, search: Search },
    /// Put on the clipboard and into the paste buffer.
    Copy(String),
    /// Something the user should know.
    Message(String),
    /// Copy mode is over.
    Leave,
}

/// A run of cells in one row of the view; `cols` is half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub row: u16,
    pub cols: (u16, u16),
}

/// The search prompt, while it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptView {
    /// `/` or `?`.
    pub sign: char,
    pub text: String,
    /// Why the pattern cannot be used.
    pub error: Option<String>,
}

/// What to draw in place of the live screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyView {
    /// As many as the view has rows; None while a row is on its way.
    pub rows: Vec<Option<Arc<Row>>>,
    /// Row and column of the cursor in the view.
    pub cursor: (u16, u16),
    pub selection: Vec<Span>,
    pub matches: Vec<Span>,
    pub current_match: Option<Span>,
    /// `[123/4567]`: lines scrolled back, and lines of history.
    pub indicator: String,
    pub prompt: Option<PromptView>,
}
