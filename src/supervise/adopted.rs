//! A child of this process that another program has started in it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, PidfdFlags, WaitOptions};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The child, and the descriptor that tells of its end (`pidfd_open(2)`).
#[derive(Debug)]
pub(super) struct Adopted {
    pid: Pid,
    descriptor: AsyncFd<OwnedFd>,
    /// Reaped already.
    ended: Option<ExitStatus>,
}

impl Adopted {
    /// Must be called within the runtime.
    ///
    /// # Errors
    /// Where there is no such child, or no descriptor left.
    pub fn new(pid: Pid) -> io::Result<Self> {
        let descriptor = rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK)?;
        // SAFETY: the descriptor is owned by the `AsyncFd` from here on, which closes it after it has ended its own interest;
        // nothing else knows its number.
        #[allow(unsafe_code)]
        let descriptor =
            unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE)? };
        Ok(Self {
            pid,
            descriptor,
            ended: None,
        })
    }

    /// Waits for its end and reaps it. Cancel-safe.
    ///
    /// # Errors
    /// What `waitpid(2)` answers.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.ended {
                return Ok(status);
            }
            match rustix::process::waitpid(Some(self.pid), WaitOptions::NOHANG) {
                Ok(Some((_, status))) => {
                    self.ended = Some(ExitStatus::from_raw(status.as_raw()));
                }
                Ok(None) => {
                    let mut guard = self.descriptor.readable().await?;
                    guard.clear_ready();
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
