//! Terminal emulation: bytes of a program in, screen, history, replies and events out.
//!
//! The only room that names the emulator crate, so that another one could stand behind this face. Knows nothing of
//! ptys, threads or time; a panic inside is caught here and the emulator rebuilt.
//!
//! `parser` splits the bytes; `terminal` carries out what they say on a `screen`: a `canvas` (cursor and pen) on a `page`
//! (margins), which keeps a `grid` (the crate) and the `history` above it. `pending_lines` holds lines back from the grid while
//! a program only prints lines, and `style_table` takes through the grid what its cells have no place for. What was cells
//! already goes back into the grid through `row_writer`, wrapped anew by `wrap`.
//!
//! Where terminals differ: EL and ED to the right leave the last column alone while a wrap is pending, as tmux, VTE and
//! xterm.js do (xterm erases it). DECCOLM (`CSI ? 3 h`) clears the screen without mode 40, as public recordings expect it.

mod block;
mod canvas;
mod carry;
mod cells;
mod charset;
mod decode;
mod edit;
mod feedback;
mod grid;
mod history;
mod kept;
mod kept_screen;
mod modes;
mod motion;
mod osc;
mod packed;
mod page;
mod palette;
mod params;
mod parser;
mod pen;
mod pending_lines;
mod replies;
mod restore;
mod rewraps;
mod row_cache;
mod row_map;
mod row_usage;
mod row_writer;
mod screen;
mod sgr;
mod state;
mod style;
mod style_table;
mod tabs;
mod terminal;
#[cfg(test)]
mod widths;
mod wrap;

use std::cell::RefCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::domain::screen::{InputModes, Row, ScreenSnapshot};
use crate::domain::size::Size;
use crate::pane::backdrop::SharedBackdrop;
use crate::runtime::handover::{Incoming, Outgoing};
pub use feedback::{EmulatorEvent, Feedback};
use history::History;
pub use kept::KeptEmulator;
pub use kept_screen::KeptScreen;
use terminal::Terminal;

/// One terminal's emulator.
pub struct Emulator {
    /// In a cell, since lines may have to be put into the grid before they can be read.
    guarded: RefCell<Guarded>,
    version: u64,
}

/// A terminal that is rebuilt when it panics.
struct Guarded {
    terminal: Terminal,
    history_lines: usize,
    /// A panic was caught that has not been told yet.
    reset: bool,
}

impl Guarded {
    /// Does something with the terminal; `None` if it panicked and is a new one now.
    fn attempt<T>(&mut self, work: impl FnOnce(&mut Terminal) -> T) -> Option<T> {
        let terminal = &mut self.terminal;
        let size = terminal.screen().size();
        let done = catch_unwind(AssertUnwindSafe(|| work(terminal))).ok();
        if done.is_none() {
            self.rebuild(size);
        }
        done
    }

    /// Reads from the terminal; what it panics at is gone the second time.
    fn read<T>(&mut self, work: impl Fn(&mut Terminal) -> T) -> T {
        match self.attempt(&work) {
            Some(value) => value,
            None => work(&mut self.terminal),
        }
    }

    /// Begins anew with what history there is.
    fn rebuild(&mut self, size: Size) {
        let backdrop = self.terminal.backdrop().clone();
        let mut history = self.terminal.screen_mut().take_history();
        history.hold(0);
        history.set_limit(self.history_lines);
        history.set_cols(size.cols());
        self.terminal = Terminal::new(size, history);
        self.terminal.set_backdrop(backdrop);
        self.reset = true;
    }
}

impl Emulator {
    pub fn new(size: Size, history_lines: usize) -> Self {
        Self {
            guarded: RefCell::new(Guarded {
                terminal: Terminal::new(size, History::new(history_lines, size.cols())),
                history_lines,
                reset: false,
            }),
            version: 0,
        }
    }

    /// Answers programs that ask what they draw on with this from now on.
    pub fn set_backdrop(&mut self, backdrop: SharedBackdrop) {
        self.guarded.get_mut().terminal.set_backdrop(backdrop);
    }

    /// Takes in a chunk of output; sequences and characters may be cut anywhere between two chunks.
    pub fn feed(&mut self, bytes: &[u8], feedback: &mut Feedback) {
        self.version += 1;
        let guarded = self.guarded.get_mut();
        guarded.attempt(|terminal| terminal.feed(bytes, feedback));
        if std::mem::take(&mut guarded.reset) {
            feedback.events.push(EmulatorEvent::Reset);
        }
    }

    /// With less height blank rows below the cursor go first, then top rows go into history; they come back with more. On
    /// another width the lines of the primary screen and of history are wrapped anew.
    pub fn resize(&mut self, size: Size) {
        self.version += 1;
        let guarded = self.guarded.get_mut();
        if guarded
            .attempt(|terminal| terminal.screen_mut().resize(size))
            .is_none()
        {
            guarded.rebuild(size);
        }
    }

    pub fn set_history_lines(&mut self, lines: usize) {
        self.version += 1;
        let guarded = self.guarded.get_mut();
        guarded.history_lines = lines;
        guarded.attempt(|terminal| terminal.screen_mut().set_history_limit(lines));
    }

    /// Whether the program holds a synchronized update (mode 2026) open.
    pub fn update_open(&self) -> bool {
        self.guarded.borrow().terminal.modes().update_open
    }

    /// Counts up with everything that could change a snapshot.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The screen now; rows equal to those of `previous` are shared with it.
    pub fn snapshot(&self, previous: Option<&ScreenSnapshot>) -> ScreenSnapshot {
        self.guarded
            .borrow_mut()
            .read(|terminal| terminal.snapshot(previous))
    }

    /// Whether the alternate screen is shown.
    pub fn alternate_screen(&self) -> bool {
        self.guarded.borrow().terminal.screen().is_alternate()
    }

    pub fn input_modes(&self) -> InputModes {
        self.guarded.borrow().terminal.input_modes()
    }

    /// How often lines have been wrapped anew: absolute row numbers hold only while this stays as it is.
    pub fn rewraps(&self) -> u64 {
        self.guarded.borrow().terminal.screen().rewraps().count()
    }

    /// Where places (absolute row and column) are now that were told when [`Emulator::rewraps`] was `since`. One that is
    /// not known any more stays the number that it was.
    pub fn places_now(&self, since: u64, places: &[(u64, u16)]) -> Vec<(u64, u16)> {
        let guarded = self.guarded.borrow();
        let rewraps = guarded.terminal.screen().rewraps();
        let now = |(row, col): &(u64, u16)| rewraps.place(since, *row, *col);
        places.iter().map(now).collect()
    }

    /// Says that nobody remembers rows by number.
    pub fn forget_rewraps(&mut self) {
        let guarded = self.guarded.get_mut();
        guarded.attempt(|terminal| terminal.screen_mut().forget_rewraps());
    }

    /// Appends the bytes that bring an emulator of this size, new or reset, into this one's state, with at most
    /// `history` rows of history.
    pub fn write_state(&self, history: usize, out: &mut Vec<u8>) {
        let state = self
            .guarded
            .borrow_mut()
            .read(|terminal| restore::terminal_state(terminal, history));
        out.extend_from_slice(&state);
    }

    /// Keeps the whole state, half-read sequences and all of history included.
    pub fn keep(&self, out: &mut Outgoing) -> KeptEmulator {
        let mut guarded = self.guarded.borrow_mut();
        let history_lines = guarded.history_lines;
        let kept = match guarded.attempt(|terminal| carry::keep(terminal, out)) {
            Some(kept) => kept,
            // It is a new one now, with the history that there was.
            None => carry::keep(&mut guarded.terminal, out),
        };
        KeptEmulator {
            version: self.version,
            history_lines,
            ..kept
        }
    }

    /// The emulator that was kept; None where none was.
    pub fn resume(kept: &KeptEmulator, incoming: &Incoming) -> Option<Self> {
        let size = carry::size_of(kept)?;
        let mut emulator = Self::new(size, kept.history_lines);
        emulator.feed(incoming.bytes(kept.keyframe), &mut Feedback::default());
        let mut history = History::resume(&kept.history, incoming);
        history.set_limit(kept.history_lines);
        let guarded = emulator.guarded.get_mut();
        guarded.attempt(|terminal| carry::resume(terminal, &kept.beyond, history));
        guarded.reset = false;
        emulator.version = kept.version + 1;
        Some(emulator)
    }

    /// Absolute numbers of the oldest row of history, of the screen's top row, and of the row after its last.
    pub fn extent(&self) -> (u64, u64, u64) {
        self.guarded
            .borrow_mut()
            .read(|terminal| terminal.screen_mut().extent())
    }

    /// Rows of history and screen by absolute number, cut to what exists.
    pub fn rows(&self, range: Range<u64>) -> Vec<Arc<Row>> {
        self.guarded
            .borrow_mut()
            .read(|terminal| terminal.screen_mut().numbered_rows(range.clone()))
    }
}

#[cfg(test)]
mod tests;
