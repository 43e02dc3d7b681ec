//! Waits until a pane's thread has something to do.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::mailbox::Wakeup;
use super::pty::Pty;

/// What is wanted of the pty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interest {
    /// What the program writes.
    pub output: bool,
    /// Room for what is typed.
    pub input: bool,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ready {
    pub mail: bool,
    pub readable: bool,
    pub writable: bool,
}

impl Ready {
    pub const ALL: Self = Self {
        mail: true,
        readable: true,
        writable: true,
    };
}

/// Waits for at most `timeout`, without end where there is none; a signal ends it early with nothing ready.
///
/// # Errors
/// What `poll(2)` answered.
pub(super) fn wait(
    wakeup: &Wakeup,
    pty: Option<&Pty>,
    interest: Interest,
    timeout: Option<Duration>,
) -> io::Result<Ready> {
    let timeout = timeout.map(|left| Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    });
    let mail = PollFd::new(wakeup, PollFlags::IN);
    let mut ready = Ready::default();
    let polled = if let Some(pty) = pty {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, interest.output);
        wanted.set(PollFlags::OUT, interest.input);
        let mut fds = [mail, PollFd::new(pty, wanted)];
        let polled = rustix::event::poll(&mut fds, timeout.as_ref());
        let [mail, pty] = fds;
        ready.mail = !mail.revents().is_empty();
        ready.writable = pty.revents().contains(PollFlags::OUT);
        // A hangup is read as such, after the last output.
        let readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
        ready.readable = pty.revents().intersects(readable);
        polled
    } else {
        let mut fds = [mail];
        let polled = rustix::event::poll(&mut fds, timeout.as_ref());
        let [mail] = fds;
        ready.mail = !mail.revents().is_empty();
        polled
    };
    match polled {
        Ok(_) => Ok(ready),
        Err(rustix::io::Errno::INTR) => Ok(Ready::default()),
        Err(error) => Err(error.into()),
    }
}
