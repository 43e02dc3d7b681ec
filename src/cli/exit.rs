//! How tundra ends.

use std::process::ExitCode;

use crate::domain::code::Code;

/// The exit code: 0 done; 1 failure; 2 usage, configuration or no terminal; 3 no running instance; 128+n signal n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    pub const DONE: Self = Self(0);
    pub const FAILURE: Self = Self(1);
    pub const USAGE: Self = Self(2);

    /// With a code that another process has told.
    #[must_use]
    pub const fn with(code: u8) -> Self {
        Self(code)
    }

    /// Failed with an error of that code.
    #[must_use]
    pub const fn of(code: Code) -> Self {
        Self(code.exit())
    }

    /// Ended by a signal.
    #[must_use]
    pub fn signal(number: i32) -> Self {
        Self(u8::try_from(128 + number).unwrap_or(u8::MAX))
    }

    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}
