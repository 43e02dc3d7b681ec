//! The outer terminal: raw mode, alternate screen and everything else that must be undone, whatever happens.
//!
//! The only place that touches terminal settings. `enter` and `leave` may be called in any number and order; `leave`
//! is safe in a panic hook, takes no lock that the front end holds while it could panic, and never waits longer than
//! [`LEAVE_WITHIN`] for a terminal that does not read.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossterm::cursor::{Hide, SetCursorStyle, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
    PopKeyboardEnhancementFlags,
};
use crossterm::queue;
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::PipeFlags;
use rustix::termios::{self, LocalModes, OptionalActions, QueueSelector, Termios};
use tokio::sync::mpsc;

use super::abort::restore_on_abort;
use super::bounded_output::{BoundedOutput, LEAVE_WITHIN};
use super::environment::Environment;
use super::modes;
use super::writer::Writer;
use crate::runtime::lend::LineModes;
use crate::tui::error::TuiError;
use crate::tui::input::{self, Begun, InputEvent};

/// Events decoded but not yet handled; when full, the kernel keeps what is typed.
const INPUT_EVENTS: usize = 64;

/// Saves the window's title (XTWINOPS 22), for which there is no command.
const SAVE_TITLE: &str = "\x1b[22;0t";
const RESTORE_TITLE: &str = "\x1b[23;0t";
/// Three questions: kitty keyboard, background colour, and device attributes, which every terminal answers.
const QUESTIONS: &str = "\x1b[?u\x1b]11;?\x1b\\\x1b[c";
/// Ends a string that may be open, and a hyperlink.
const CLOSE_STRINGS: &str = "\x1b\\\x1b]8;;\x1b\\";
/// Mouse reports, every mode that may be on (crossterm's own command knows more modes than tundra sets).
const MOUSE_OFF: &str = "\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1006l";

/// What is written on entering a terminal.
fn enter_bytes() -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = queue!(
        out,
        EnterAlternateScreen,
        Print(SAVE_TITLE),
        EnableBracketedPaste,
        EnableFocusChange,
        SetAttribute(Attribute::Reset),
        Clear(ClearType::All),
        // What a terminal draws wider than expected must not go on in the next row.
        DisableLineWrap,
        Hide,
        Print(QUESTIONS),
    );
    out
}

/// Undoes every mode that tundra may have set. The keyboard stack is popped before the alternate screen is left, for
/// each screen has its own.
pub(super) fn leave_bytes() -> Vec<u8> {
    let mut out = Vec::new();
    let _ = queue!(
        out,
        Print(CLOSE_STRINGS),
        EndSynchronizedUpdate,
        PopKeyboardEnhancementFlags,
        Print(MOUSE_OFF),
        DisableFocusChange,
        DisableBracketedPaste,
        SetAttribute(Attribute::Reset),
        EnableLineWrap,
        SetCursorStyle::DefaultUserShape,
        Show,
        LeaveAlternateScreen,
        Print(RESTORE_TITLE),
    );
    out
}

/// Undoes what the next one that enters the terminal adds to, and leaves the rest as it is: nothing flickers, and what is
/// typed meanwhile waits in the kernel.
fn pass_on_bytes() -> Vec<u8> {
    let mut out = Vec::new();
    let _ = queue!(
        out,
        Print(CLOSE_STRINGS),
        EndSynchronizedUpdate,
        PopKeyboardEnhancementFlags,
        Print(MOUSE_OFF),
        Print(RESTORE_TITLE),
    );
    out
}

/// How many terminals are entered now, so that the panic hook knows whether standard error is the screen.
static ENTERED: AtomicUsize = AtomicUsize::new(0);

/// Whether some front end is on its terminal now, where a line on standard error would spoil the screen.
#[must_use]
pub fn is_entered() -> bool {
    ENTERED.load(Ordering::Relaxed) > 0
}

/// A terminal that a front end is on. Dropping it restores it.
#[derive(Debug)]
pub struct Terminal {
    restore: Arc<Restore>,
    environment: Environment,
    begun: Arc<Begun>,
}

/// What restores the terminal; shared with the panic hook.
#[derive(Debug)]
pub struct Restore {
    input: OwnedFd,
    output: BoundedOutput,
    before: Termios,
    entered: AtomicBool,
    /// Held open while the reading thread may read.
    reading: Mutex<Option<OwnedFd>>,
}

impl Terminal {
    /// Enters the terminal behind standard input and output.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn stdio() -> Result<Self, TuiError> {
        let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
        if termios::isatty(stdin) && termios::isatty(stdout) {
            restore_on_abort(stdin, stdout, leave_bytes(), is_entered).map_err(TuiError::Setup)?;
        }
        let duplicate =
            |fd| rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|e| TuiError::Setup(e.into()));
        Self::open(
            duplicate(stdin)?,
            duplicate(stdout)?,
            Environment::of_process(),
            None,
        )
    }

    /// Enters a terminal: from now until it is dropped it is in raw mode and on the alternate screen. `modes` are its settings
    /// before its lender made it ready; without them it is given back as it is now.
    ///
    /// # Errors
    /// [`TuiError::NotATerminal`] where one of the descriptors is none, [`TuiError::Setup`] when it cannot be set.
    pub fn open(
        input: OwnedFd,
        output: OwnedFd,
        environment: Environment,
        modes: Option<LineModes>,
    ) -> Result<Self, TuiError> {
        if !termios::isatty(&input) || !termios::isatty(&output) {
            return Err(TuiError::NotATerminal);
        }
        let mut before = termios::tcgetattr(&input).map_err(|e| TuiError::Setup(e.into()))?;
        if let Some(kept) = modes {
            modes::put(kept, &mut before);
        }
        let restore = Arc::new(Restore {
            input,
            output: BoundedOutput::new(output),
            before,
            entered: AtomicBool::new(false),
            reading: Mutex::new(None),
        });
        let terminal = Self {
            restore,
            environment,
            begun: Arc::default(),
        };
        terminal.enter().map_err(TuiError::Setup)?;
        Ok(terminal)
    }

    /// What the environment tells of it.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Columns and rows; 80x24 where the terminal does not know.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        match termios::tcgetwinsize(&self.restore.output) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => (80, 24),
        }
    }

    /// Sets everything up, at first and after [`Self::leave`].
    ///
    /// # Errors
    /// When the terminal's settings cannot be changed.
    pub fn enter(&self) -> io::Result<()> {
        let restore = &self.restore;
        if restore.entered.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        ENTERED.fetch_add(1, Ordering::SeqCst);
        modes::set_raw(&restore.input, &restore.before)?;
        restore.output.write_within(&enter_bytes(), LEAVE_WITHIN);
        Ok(())
    }

    /// Whether it is still set as [`Self::enter`] set it; a shell that had it meanwhile set it otherwise.
    pub fn is_raw(&self) -> bool {
        termios::tcgetattr(&self.restore.input)
            .is_ok_and(|now| !now.local_modes.contains(LocalModes::ICANON))
    }

    /// Restores the terminal as it was found.
    pub fn leave(&self) {
        self.restore.leave();
    }

    /// Starts to read; to be called once. `begun` is what another program has begun to read.
    ///
    /// # Errors
    /// When the reading thread cannot be started.
    pub fn events(&self, begun: Vec<u8>) -> io::Result<mpsc::Receiver<InputEvent>> {
        self.begun.put(begun);
        let (sender, receiver) = mpsc::channel(INPUT_EVENTS);
        let (stop, reading) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let begun = Arc::clone(&self.begun);
        input::spawn(self.restore.input.try_clone()?, stop, begun, sender)?;
        *self
            .restore
            .reading
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(reading);
        Ok(receiver)
    }

    /// Starts the thread that writes frames; to be called once.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn writer(&self) -> io::Result<Writer> {
        let output = &self.restore.output;
        Writer::spawn(
            output.as_fd().try_clone_to_owned()?,
            output.own().transpose()?,
        )
    }

    /// Reads no more. What was read so far still comes out of [`Self::events`], and then [`InputEvent::Closed`].
    pub fn stop_reading(&self) {
        drop(
            self.restore
                .reading
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// Reads no more, since another program reads on.
    pub fn pass_on_reading(&self) {
        self.begun.let_go_on();
        self.stop_reading();
    }

    /// What was read and means nothing yet, once the reading that was passed on has ended.
    #[must_use]
    pub fn begun(&self) -> Vec<u8> {
        self.begun.take()
    }

    /// Whether nobody is at the other end any more: its window was closed.
    #[must_use]
    pub fn is_hung_up(&self) -> bool {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::from_borrowed_fd(
            self.restore.output.as_fd(),
            PollFlags::OUT,
        )];
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        poll(&mut fds, Some(&now)).is_ok() && fds.iter().any(|fd| fd.revents().intersects(gone))
    }

    /// The path of its device; empty where it has none here.
    #[must_use]
    pub fn name(&self) -> String {
        termios::ttyname(&self.restore.output, Vec::new()).map_or_else(
            |_| String::new(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// What restores it.
    #[must_use]
    pub fn restore(&self) -> Arc<Restore> {
        Arc::clone(&self.restore)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What is typed from now on is for the shell.
        self.stop_reading();
        self.restore.leave();
    }
}

impl Restore {
    /// Restores the terminal as it was found; nothing where that is done.
    pub fn leave(&self) {
        if !self.entered.swap(false, Ordering::SeqCst) {
            return;
        }
        ENTERED.fetch_sub(1, Ordering::SeqCst);
        // First the settings: who sees the alternate screen go may type at once, and must not lose a key to the flush,
        // which is for answers that would else be typed into the shell.
        let _ = termios::tcflush(&self.input, QueueSelector::IFlush);
        // A shell that has its terminal back already has set it as it wants it.
        if self.is_as_entered() {
            let _ = termios::tcsetattr(&self.input, OptionalActions::Now, &self.before);
        }
        self.output.write_last(&leave_bytes());
    }

    /// Leaves the terminal to another program that shows the same on it.
    pub fn pass_on(&self) {
        if self.entered.swap(false, Ordering::SeqCst) {
            ENTERED.fetch_sub(1, Ordering::SeqCst);
            self.output.write_within(&pass_on_bytes(), LEAVE_WITHIN);
        }
    }

    fn is_as_entered(&self) -> bool {
        let mut raw = self.before.clone();
        raw.make_raw();
        termios::tcgetattr(&self.input).is_ok_and(|now| modes::kept(&now) == modes::kept(&raw))
    }
}
