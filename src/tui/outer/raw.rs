//! Keys one by one, for a program that is no front end.

use std::io;

use rustix::termios::{self, OptionalActions, Termios};

/// Standard input in raw mode; dropping it restores what was before.
#[derive(Debug)]
pub struct RawInput {
    before: Termios,
}

impl RawInput {
    /// Takes the terminal behind standard input.
    ///
    /// # Errors
    /// Where it is none.
    pub fn enter() -> io::Result<Self> {
        let stdin = rustix::stdio::stdin();
        let before = termios::tcgetattr(stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(stdin, OptionalActions::Flush, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawInput {
    fn drop(&mut self) {
        let stdin = rustix::stdio::stdin();
        let _ = termios::tcsetattr(stdin, OptionalActions::Flush, &self.before);
    }
}
