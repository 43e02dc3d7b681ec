//! The terminal that shows the session, as far as it matters to what is drawn: its size and colours, what it can do, what a
//! key would mean now, and what lies over the panes.
//!
//! A new terminal gets a new `Client`; nothing here outlives it. Plain values; only `update` changes them.

mod journal;
mod launcher;
mod log_view;
mod overlay;
mod overview;
mod panel;
mod picker;
mod prompt;
mod rank;
mod report;

use std::time::{Duration, Instant};

pub use journal::{
    HistoryEntry, JournalContents, JournalPage, JournalQuery, JournalSpan, JournalView, READ_AGAIN,
    Reading, UsageContents,
};
pub use launcher::{Choosable, Launch, LaunchField, Launcher};
pub use log_view::{LogEntry, LogField, LogView, READ_LOG_AGAIN};
pub use overlay::{Address, Ask, Choice, Confirm, Help, Log, Overlay, Resolve, Wants};
pub use overview::{AgentLook, Overview};
pub use panel::{Page, Panel};
pub use picker::{Item, Picked, Picker, PickerKind};
pub use prompt::Prompt;
pub use report::{About, Report};

use crate::domain::id::TerminalId;
use crate::domain::input::KeyCode;
use crate::tui::theme::Theme;

/// After the prefix the keys are listed once the user hesitates for so long.
pub const LIST_AFTER: Duration = Duration::from_millis(400);
/// Columns and rows below which nothing useful can be shown.
pub const MIN_SIZE: (u16, u16) = (20, 5);

/// What a key that comes now would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Normal,
    /// The prefix was pressed.
    Prefix {
        since: Instant,
        /// The list of keys is shown, since some time has passed.
        listed: bool,
    },
    /// A key that may be pressed again without the prefix was pressed.
    Repeat {
        until: Instant,
    },
}

/// What the mouse holds on to while its button is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drag {
    /// A divider, by one of its cells.
    Divider { at: (u16, u16) },
    /// The program in a pane gets what the mouse does, wherever it goes.
    Program { id: TerminalId },
    /// Pressed in a pane: becomes a selection once it moves.
    Press { id: TerminalId, at: (u16, u16) },
    /// A selection in a pane's copy mode.
    Selection { id: TerminalId },
}

/// The last press of the left button, to tell double and triple clicks.
#[derive(Clone, Copy, Debug)]
pub struct Click {
    pub at: (u16, u16),
    pub when: Instant,
    pub count: u8,
}

#[derive(Debug)]
pub struct Client {
    /// Columns and rows.
    pub size: (u16, u16),
    /// It stands for no terminal at all.
    pub is_away: bool,
    pub theme: Theme,
    /// It speaks kitty's keyboard protocol.
    pub keyboard: bool,
    /// Its window has the focus, as far as it tells.
    pub outer_focused: bool,
    pub mouse: bool,
    pub mode: Mode,
    pub overlay: Option<Overlay>,
    pub drag: Option<Drag>,
    pub click: Option<Click>,
    /// Keys whose press was taken here, so that their release is not passed on.
    pub held: Vec<KeyCode>,
}

impl Client {
    #[must_use]
    pub fn new(size: (u16, u16), theme: Theme, mouse: bool) -> Self {
        Self {
            size,
            is_away: false,
            theme,
            keyboard: false,
            outer_focused: true,
            mouse,
            mode: Mode::Normal,
            overlay: None,
            drag: None,
            click: None,
            held: Vec::new(),
        }
    }

    /// No terminal: nothing is shown, and nobody has the focus.
    #[must_use]
    pub fn away(theme: Theme) -> Self {
        Self {
            is_away: true,
            outer_focused: false,
            ..Self::new((0, 0), theme, false)
        }
    }

    #[must_use]
    pub fn is_too_small(&self) -> bool {
        self.size.0 < MIN_SIZE.0 || self.size.1 < MIN_SIZE.1
    }

    /// When something changes by itself: the list of keys comes, the time for a repeat is over, or what is read is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let due = match &self.overlay {
            Some(Overlay::Journal(view)) => view.due(),
            Some(Overlay::LogFile(view)) => view.due,
            Some(Overlay::Overview(overview)) => overview.next_deadline(),
            _ => None,
        };
        let mode = match self.mode {
            Mode::Prefix {
                since,
                listed: false,
            } => Some(since + LIST_AFTER),
            Mode::Repeat { until } => Some(until),
            Mode::Normal | Mode::Prefix { listed: true, .. } => None,
        };
        due.into_iter().chain(mode).min()
    }
}
