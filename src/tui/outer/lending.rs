//! The terminal of a process that lends it to the instance.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::stdio;
use rustix::termios::{self, OptionalActions, QueueSelector, Termios};

use super::bounded_output::BoundedOutput;
use super::environment::Environment;
use super::modes;
use super::terminal::leave_bytes;
use crate::runtime::lend::LineModes;
use crate::tui::error::TuiError;

/// Standard input and output while they are lent. From the first moment the terminal is raw, so that the kernel keeps what is
/// typed for whoever borrows it; dropping this gives it its own settings back, and undoes what a borrower has drawn that did
/// not do so itself.
#[derive(Debug)]
pub struct Lending {
    before: Termios,
    /// Somebody draws on it, or has left it as it was drawn.
    is_drawn_on: bool,
}

impl Lending {
    /// Makes ready to lend this process's terminal.
    ///
    /// # Errors
    /// [`TuiError::NotATerminal`] where there is none, [`TuiError::Setup`] when it cannot be set.
    pub fn of_process() -> Result<Self, TuiError> {
        let [input, output] = Self::descriptors();
        if !termios::isatty(input) || !termios::isatty(output) {
            return Err(TuiError::NotATerminal);
        }
        let before = termios::tcgetattr(input).map_err(|error| TuiError::Setup(error.into()))?;
        let lending = Self {
            before,
            is_drawn_on: false,
        };
        lending.ready().map_err(TuiError::Setup)?;
        Ok(lending)
    }

    /// Makes the terminal ready again, after the process was stopped.
    ///
    /// # Errors
    /// When its settings cannot be changed.
    pub fn ready(&self) -> io::Result<()> {
        modes::set_raw(stdio::stdin(), &self.before)
    }

    /// Its settings as they were before.
    #[must_use]
    pub fn modes(&self) -> LineModes {
        modes::kept(&self.before)
    }

    /// What tells its borrower what it can show.
    #[must_use]
    pub fn environment() -> Environment {
        Environment::of_process()
    }

    /// Standard input and output.
    #[must_use]
    pub fn descriptors() -> [BorrowedFd<'static>; 2] {
        [stdio::stdin(), stdio::stdout()]
    }

    /// A borrower is about to draw on it.
    pub fn drawn_on(&mut self) {
        self.is_drawn_on = true;
    }

    /// Its borrower has left it as it was.
    pub fn left(&mut self) {
        self.is_drawn_on = false;
    }

    /// Undoes what a borrower has done that is gone without a word, or does not answer.
    fn undo(&self) {
        let _ = termios::tcflush(stdio::stdin(), QueueSelector::IFlush);
        self.give_back();
        if let Ok(output) = rustix::io::fcntl_dupfd_cloexec(stdio::stdout(), 3) {
            BoundedOutput::new(output).write_last(&leave_bytes());
        }
    }

    /// Gives the terminal the settings back that it had.
    pub fn give_back(&self) {
        let _ = termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &self.before);
    }
}

impl Drop for Lending {
    fn drop(&mut self) {
        if self.is_drawn_on {
            self.undo();
        } else {
            self.give_back();
        }
    }
}
