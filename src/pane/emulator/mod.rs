//! Terminal emulation: bytes of a program in, screen, history, replies and events out.
//!
//! The only room that names the emulator crate, so that another one could stand behind this face. Knows nothing of
//! ptys, threads or time; a panic inside is caught here and the emulator rebuilt.
//!
//! `parser` splits the bytes; `terminal` carries out what they say on a `screen`, whose `page` keeps a `grid` (the
//! crate) and the `history` above it. `tail` holds lines back from the grid while a program only prints lines, and
//! `carriage` takes through the grid what its cells have no place for.

mod carriage;
mod cells;
mod charset;
mod decode;
mod grid;
mod history;
mod modes;
mod osc;
mod packed;
mod page;
mod palette;
mod params;
mod parser;
mod replies;
mod screen;
mod style;
mod tabs;
mod tail;
mod terminal;

use std::cell::RefCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::domain::screen::{Cursor, Modes, Row, ScreenSnapshot};
use crate::domain::size::Size;
use history::History;
use terminal::Terminal;

/// Most events told of one chunk of output; later ones are dropped.
const EVENT_LIMIT: usize = 256;

/// One terminal's emulator.
pub struct Emulator {
    /// In a cell, since lines may have to be put into the grid before they can be read.
    terminal: RefCell<Terminal>,
    history_lines: usize,
    version: u64,
    /// A panic was caught where it could not be told.
    reset: bool,
}

/// What feeding bytes brought about besides the screen.
#[derive(Debug, Default)]
pub struct Feedback {
    /// Answers to the program's queries, to be written to its pty in this order; at most 64 KiB and one answer.
    pub replies: Vec<u8>,
    pub events: Vec<EmulatorEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmulatorEvent {
    Title(String),
    Bell,
    /// OSC 9, 99, 777; cleaned and capped.
    Notification(String),
    /// OSC 9;4: 0 none, 1 normal, 2 error, 3 busy, 4 paused.
    Progress(u8),
    /// OSC 52 write, decoded.
    Clipboard(String),
    /// OSC 7, decoded to a path.
    WorkingDirectory(String),
    /// OSC 133 with its letter (A prompt, B command line, C output, D end).
    PromptMark(char),
    /// The emulator panicked and was rebuilt.
    Reset,
}

impl Feedback {
    /// Adds an event. One that only tells the newest state replaces an older one of its kind.
    fn tell(&mut self, event: EmulatorEvent) {
        let replaces = matches!(
            event,
            EmulatorEvent::Title(_)
                | EmulatorEvent::Bell
                | EmulatorEvent::Progress(_)
                | EmulatorEvent::WorkingDirectory(_)
                | EmulatorEvent::Clipboard(_)
        );
        let kind = std::mem::discriminant(&event);
        let older = self
            .events
            .iter()
            .position(|older| replaces && std::mem::discriminant(older) == kind);
        if let Some(older) = older {
            self.events.remove(older);
        }
        if self.events.len() < EVENT_LIMIT {
            self.events.push(event);
        }
    }
}

impl Emulator {
    pub fn new(size: Size, history_lines: usize) -> Self {
        Self {
            terminal: RefCell::new(Terminal::new(size, History::new(history_lines))),
            history_lines,
            version: 0,
            reset: false,
        }
    }

    /// Takes in a chunk of output; sequences and characters may be cut anywhere between two chunks.
    pub fn feed(&mut self, bytes: &[u8], feedback: &mut Feedback) {
        self.version += 1;
        self.guarded(|terminal| terminal.feed(bytes, feedback));
        if std::mem::take(&mut self.reset) {
            feedback.events.push(EmulatorEvent::Reset);
        }
    }

    /// With less height blank rows below the cursor go first, then top rows go into history; they come back with more.
    pub fn resize(&mut self, size: Size) {
        self.version += 1;
        self.guarded(|terminal| terminal.screen_mut().resize(size));
        if self.terminal.get_mut().screen().size() != size {
            self.rebuild(size);
        }
    }

    pub fn set_history_lines(&mut self, lines: usize) {
        self.version += 1;
        self.history_lines = lines;
        self.guarded(|terminal| terminal.screen_mut().set_history_limit(lines));
    }

    fn guarded(&mut self, change: impl FnOnce(&mut Terminal)) {
        let terminal = self.terminal.get_mut();
        if catch_unwind(AssertUnwindSafe(|| change(terminal))).is_err() {
            let size = terminal.screen().size();
            self.rebuild(size);
        }
    }

    /// Begins anew with what history there is.
    fn rebuild(&mut self, size: Size) {
        let mut history = self.terminal.get_mut().screen_mut().take_history();
        history.hold(0);
        history.set_limit(self.history_lines);
        *self.terminal.get_mut() = Terminal::new(size, history);
        self.reset = true;
    }

    /// Whether the program holds a synchronized update (mode 2026) open.
    pub fn update_open(&self) -> bool {
        self.terminal.borrow().switches().update_open
    }

    /// Counts up with everything that could change a snapshot.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The screen now; rows equal to those of `previous` are shared with it.
    pub fn snapshot(&self, previous: Option<&ScreenSnapshot>) -> ScreenSnapshot {
        let mut terminal = self.terminal.borrow_mut();
        let screen = terminal.screen_mut();
        let mut rows = screen.rows().to_vec();
        for (index, (row, older)) in rows
            .iter_mut()
            .zip(previous.map_or(&[][..], |older| &older.rows))
            .enumerate()
        {
            if !Arc::ptr_eq(row, older) && **row == **older {
                row.clone_from(older);
                screen.share(index, older);
            }
        }
        let (row, col) = screen.position();
        let (history_start, top) = (screen.history().start(), screen.history().end());
        let (size, alternate_screen) = (screen.size(), screen.is_alternate());
        let switches = terminal.switches();
        ScreenSnapshot {
            size,
            rows,
            cursor: Cursor {
                row,
                col,
                visible: switches.cursor_visible,
                shape: switches.cursor_shape,
                blinking: switches.cursor_blinking,
            },
            title: Arc::clone(terminal.title()),
            alternate_screen,
            reverse: switches.reverse,
            modes: terminal.modes(),
            history_start,
            top,
        }
    }

    /// Whether the alternate screen is shown.
    pub fn alternate_screen(&self) -> bool {
        self.terminal.borrow().screen().is_alternate()
    }

    pub fn modes(&self) -> Modes {
        self.terminal.borrow().modes()
    }

    /// Absolute numbers of the oldest row of history, of the screen's top row, and of the row after its last.
    pub fn extent(&self) -> (u64, u64, u64) {
        let mut terminal = self.terminal.borrow_mut();
        let screen = terminal.screen_mut();
        screen.settle();
        let (start, top) = (screen.history().start(), screen.history().end());
        (start, top, top + u64::from(screen.size().rows()))
    }

    /// Rows of history and screen by absolute number, cut to what exists.
    pub fn rows(&self, range: Range<u64>) -> Vec<Arc<Row>> {
        let mut terminal = self.terminal.borrow_mut();
        let screen = terminal.screen_mut();
        screen.settle();
        let top = screen.history().end();
        let mut rows: Vec<Arc<Row>> = screen.history().rows(range.clone()).map(Arc::new).collect();
        let part = |number: u64| usize::try_from(number.saturating_sub(top)).unwrap_or(usize::MAX);
        let (from, to) = (part(range.start), part(range.end));
        rows.extend(screen.rows().iter().take(to).skip(from).cloned());
        rows
    }
}
