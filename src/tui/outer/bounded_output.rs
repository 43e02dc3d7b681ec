//! Writes to a terminal that may not read, without waiting for it for ever.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{self, QueueSelector};

/// How long a terminal that does not read may hold up whoever leaves it.
pub const LEAVE_WITHIN: Duration = Duration::from_millis(500);

/// A terminal's output.
#[derive(Debug)]
pub(super) struct BoundedOutput {
    output: OwnedFd,
    /// A description of the terminal of its own, so that not blocking is nobody else's concern; None where it cannot be
    /// opened anew.
    own: Option<OwnedFd>,
}

impl BoundedOutput {
    pub fn new(output: OwnedFd) -> Self {
        Self {
            own: reopened(&output),
            output,
        }
    }

    /// A description of its own, where it has one.
    pub fn own(&self) -> Option<io::Result<OwnedFd>> {
        self.own.as_ref().map(OwnedFd::try_clone)
    }

    /// Writes what the terminal is left with. Where it does not read, what waits for it is thrown away: nobody wants that frame
    /// any more.
    pub fn write_last(&self, bytes: &[u8]) {
        if !self.write_within(bytes, LEAVE_WITHIN) {
            let _ = termios::tcflush(&self.output, QueueSelector::OFlush);
            self.write_within(bytes, Duration::ZERO);
        }
    }

    /// Writes as much as the terminal takes in that time; true if that was all. A description that is shared with the shell is
    /// non-blocking only meanwhile.
    pub fn write_within(&self, mut bytes: &[u8], within: Duration) -> bool {
        if let Some(own) = &self.own {
            return self.write_now(own, &mut bytes, within);
        }
        let flags = rustix::fs::fcntl_getfl(&self.output).unwrap_or(OFlags::empty());
        let _ = rustix::fs::fcntl_setfl(&self.output, flags | OFlags::NONBLOCK);
        let all = self.write_now(&self.output, &mut bytes, within);
        let _ = rustix::fs::fcntl_setfl(&self.output, flags);
        all
    }

    fn write_now(&self, output: &OwnedFd, bytes: &mut &[u8], within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while !bytes.is_empty() {
            match rustix::io::write(output, bytes) {
                Ok(length) => *bytes = bytes.get(length..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.pause(left);
                }
                // A terminal that is gone wants nothing.
                Err(_) => return true,
            }
        }
        true
    }

    /// Waits a little for room. A tty may call itself writable and still take nothing while another write holds it,
    /// hence the pause even then.
    fn pause(&self, at_most: Duration) {
        let step = at_most.min(Duration::from_millis(20));
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(step.subsec_nanos()),
        };
        let mut fds = [PollFd::from_borrowed_fd(
            self.output.as_fd(),
            PollFlags::OUT,
        )];
        if matches!(poll(&mut fds, Some(&timeout)), Ok(ready) if ready > 0) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl AsFd for BoundedOutput {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.output.as_fd()
    }
}

/// Opens a terminal once more, non-blocking.
fn reopened(output: &OwnedFd) -> Option<OwnedFd> {
    let path = rustix::termios::ttyname(output, Vec::new()).ok()?;
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok()
}
