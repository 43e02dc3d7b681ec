//! What the kernel and the shell tell the process in front of a terminal.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What happened to the terminal or to the process in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// It has another size.
    Resized,
    /// It is to be given back, and the process to stop.
    Stop,
    /// The process goes on after a stop.
    Continued,
}

/// Job control (SIGWINCH, SIGTSTP, SIGCONT) of the process in front of a terminal.
#[derive(Debug)]
pub struct JobControl {
    window: Signal,
    stop: Signal,
    continued: Signal,
}

impl JobControl {
    /// Of this process; from now on SIGTSTP stops it no longer by itself.
    ///
    /// # Errors
    /// When the signals cannot be caught.
    pub fn of_process() -> io::Result<Self> {
        let raw = |number: rustix::process::Signal| SignalKind::from_raw(number.as_raw());
        Ok(Self {
            window: signal(SignalKind::window_change())?,
            stop: signal(raw(rustix::process::Signal::TSTP))?,
            continued: signal(raw(rustix::process::Signal::CONT))?,
        })
    }

    /// Waits for the next event. Cancel-safe.
    pub async fn next(&mut self) -> JobEvent {
        tokio::select! {
            _ = self.window.recv() => JobEvent::Resized,
            _ = self.stop.recv() => JobEvent::Stop,
            _ = self.continued.recv() => JobEvent::Continued,
        }
    }

    /// Stops the process until somebody continues it. The terminal is to be given back before.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn stop() -> io::Result<()> {
        // STOP rather than TSTP: the kernel drops TSTP where no shell could bring the process back.
        let own = rustix::process::getpid();
        Ok(rustix::process::kill_process(
            own,
            rustix::process::Signal::STOP,
        )?)
    }
}
