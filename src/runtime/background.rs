//! A process of its own that goes on without a terminal.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// Which of the two a process is after [`fork`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The one that was there, with the other's pid.
    Parent(u32),
    Child,
}

/// Doubles this process, which must have a single thread. The child is the leader of a session of its own, so that no terminal
/// controls it.
///
/// # Errors
/// Where there is a second thread already, or the kernel has no room for another process.
pub fn fork() -> io::Result<Forked> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads != 1 {
        return Err(io::Error::other("there is more than one thread"));
    }
    // SAFETY: no other thread exists that could hold a lock or be half way through anything, so the child may do whatever
    // the parent may.
    #[allow(unsafe_code)]
    let pid = unsafe { libc::fork() };
    match u32::try_from(pid) {
        Err(_) => Err(io::Error::last_os_error()),
        Ok(0) => {
            rustix::process::setsid()?;
            Ok(Forked::Child)
        }
        Ok(pid) => Ok(Forked::Parent(pid)),
    }
}

/// Gives standard input and output up, and lets what is written to standard error go to the end of a file. Where that file
/// cannot be had, it goes nowhere.
///
/// # Errors
/// Where there is no `/dev/null`.
pub fn release_stdio(errors: &Path) -> io::Result<()> {
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    let log = super::private::open(errors, super::private::Access::Append);
    let log: &File = log.as_ref().unwrap_or(&null);
    Ok(rustix::stdio::dup2_stderr(log.as_fd())?)
}
