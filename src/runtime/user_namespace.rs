//! A user namespace for programs that are to be confined, made while this process can still be looked into.
//!
//! Who has not root's rights may mount something for a program of theirs only in a user namespace, and has to write its maps
//! to `/proc/self`, which belongs to root once a process has closed its memory (`limits::close_memory`). A child that opened
//! its copy of that memory for so long would show the keys in it. So the namespace is made at the start and entered later.

use std::os::fd::RawFd;
use std::sync::OnceLock;

static OWN: OnceLock<Option<RawFd>> = OnceLock::new();

/// Makes the namespace, if this user needs and may have one. Only the first call does, and only before there is a second
/// thread, a secret or a closed memory.
pub fn prepare() {
    OWN.get_or_init(|| {
        #[cfg(target_os = "linux")]
        let made = (!rustix::process::geteuid().is_root())
            .then(linux::make)
            .flatten();
        #[cfg(not(target_os = "linux"))]
        let made = None;
        made
    });
}

/// Its descriptor, for `setns`; open as long as this process runs.
#[must_use]
pub fn descriptor() -> Option<RawFd> {
    OWN.get().copied().flatten()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::CStr;
    use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

    use rustix::fs::{Mode, OFlags};
    use rustix::pipe::PipeFlags;
    use rustix::process::{Pid, WaitOptions};

    /// Has a child make it, and opens it before that ends.
    pub fn make() -> Option<RawFd> {
        let map = |id: u32| format!("{id} {id} 1\n").into_bytes();
        let uids = map(rustix::process::geteuid().as_raw());
        let gids = map(rustix::process::getegid().as_raw());
        let (made, child_made) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).ok()?;
        let (child_ends, ends) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).ok()?;
        // SAFETY: there is one thread, and the child makes system calls alone and ends by `_exit`.
        #[allow(unsafe_code)]
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            drop((made, ends));
            live(&uids, &gids, child_made.as_fd(), child_ends.as_fd());
        }
        let child = Pid::from_raw(forked).filter(|_| forked > 0)?;
        drop((child_made, child_ends));
        let mut told = [0];
        let is_made = rustix::io::read(&made, &mut told).is_ok_and(|count| count == 1);
        let opened = is_made.then(|| open_of(child)).flatten();
        drop(ends);
        let _ = rustix::process::waitpid(Some(child), WaitOptions::empty());
        opened.map(IntoRawFd::into_raw_fd)
    }

    fn open_of(child: Pid) -> Option<OwnedFd> {
        let path = format!("/proc/{}/ns/user", child.as_raw_nonzero());
        rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
    }

    /// What the child does: it enters a namespace, says so, and stays until nobody holds the other pipe.
    fn live(uids: &[u8], gids: &[u8], made: BorrowedFd<'_>, ends: BorrowedFd<'_>) -> ! {
        if enter(uids, gids).is_some() {
            let _ = rustix::io::write(made, &[1]);
            let _ = rustix::io::read(ends, &mut [0]);
        }
        // SAFETY: ends the process and nothing else.
        #[allow(unsafe_code)]
        unsafe {
            libc::_exit(0)
        }
    }

    fn enter(uids: &[u8], gids: &[u8]) -> Option<()> {
        // SAFETY: takes an integer; the forked child has one thread.
        #[allow(unsafe_code)]
        let unshared = unsafe { libc::unshare(libc::CLONE_NEWUSER) };
        if unshared < 0 {
            return None;
        }
        write(c"/proc/self/setgroups", b"deny")?;
        write(c"/proc/self/uid_map", uids)?;
        write(c"/proc/self/gid_map", gids)
    }

    fn write(path: &CStr, bytes: &[u8]) -> Option<()> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty()).ok()?;
        rustix::io::write(&file, bytes).ok().map(drop)
    }
}
