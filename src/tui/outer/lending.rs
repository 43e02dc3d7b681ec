//! The terminal of a process that lends it to the instance.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::stdio;
use rustix::termios::{self, OptionalActions, QueueSelector, Termios};

use super::environment::Environment;
use super::modes;
use super::terminal::leave_bytes;
use crate::runtime::lend::LineModes;
use crate::tui::error::TuiError;

/// Standard input and output while they are lent. From the first moment the terminal is raw, so that the kernel keeps what is
/// typed for whoever borrows it; dropping this gives it its own settings back.
#[derive(Debug)]
pub struct Lending {
    before: Termios,
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
        let lending = Self { before };
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

    /// Undoes what a borrower has done that is gone without a word.
    pub fn undo(&self) {
        let _ = termios::tcflush(stdio::stdin(), QueueSelector::IFlush);
        self.give_back();
        let mut bytes = &leave_bytes()[..];
        while let Ok(written @ 1..) =
            rustix::io::retry_on_intr(|| rustix::io::write(stdio::stdout(), bytes))
        {
            bytes = bytes.get(written..).unwrap_or_default();
        }
    }

    /// Gives the terminal the settings back that it had.
    pub fn give_back(&self) {
        let _ = termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &self.before);
    }
}

impl Drop for Lending {
    fn drop(&mut self) {
        self.give_back();
    }
}
