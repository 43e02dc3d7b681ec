//! Signals that end the process.

use futures_util::FutureExt as _;
use tokio::signal::unix::{self, SignalKind};

/// The signals on which tundra ends in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    Hangup,
    Interrupt,
    Quit,
    Terminate,
}

impl Termination {
    pub const ALL: [Self; 4] = [Self::Hangup, Self::Interrupt, Self::Quit, Self::Terminate];

    /// The signal's number, for the exit code 128+n.
    pub fn number(self) -> i32 {
        match self {
            Self::Hangup => libc::SIGHUP,
            Self::Interrupt => libc::SIGINT,
            Self::Quit => libc::SIGQUIT,
            Self::Terminate => libc::SIGTERM,
        }
    }

    /// The one with that number.
    #[must_use]
    pub fn of_number(number: i32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|signal| signal.number() == number)
    }

    /// As `kill -l` has it, with `SIG` before it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// Lets the signal come to this process once more, for whoever catches it by now.
    pub fn raise(self) {
        if let Some(signal) = rustix::process::Signal::from_named_raw(self.number()) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        }
    }
}

/// Catches the terminating signals from the moment it is made.
#[derive(Debug)]
pub struct Terminations {
    hangup: unix::Signal,
    interrupt: unix::Signal,
    quit: unix::Signal,
    terminate: unix::Signal,
}

impl Terminations {
    /// Takes over the four signals; must be called within the runtime.
    ///
    /// # Errors
    /// Where the operating system refuses a handler.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self {
            hangup: unix::signal(SignalKind::hangup())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            quit: unix::signal(SignalKind::quit())?,
            terminate: unix::signal(SignalKind::terminate())?,
        })
    }

    /// A signal that has come and was not waited for.
    pub fn pending(&mut self) -> Option<Termination> {
        self.next().now_or_never()
    }

    /// The next signal. Cancel-safe.
    pub async fn next(&mut self) -> Termination {
        tokio::select! {
            _ = self.hangup.recv() => Termination::Hangup,
            _ = self.interrupt.recv() => Termination::Interrupt,
            _ = self.quit.recv() => Termination::Quit,
            _ = self.terminate.recv() => Termination::Terminate,
        }
    }
}
