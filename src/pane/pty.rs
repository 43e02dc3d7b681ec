//! One pty: its master side, non-blocking, and the child on its slave side.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use portable_pty::{PtySize, native_pty_system};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Resource, Rlimit};
use rustix::termios::Winsize;

use super::confine::Plan;
use crate::domain::size::Size;
use crate::runtime::limits;

/// A program ready to be started: looked up, with its whole environment.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Absolute path, or one relative to `cwd`.
    pub path: PathBuf,
    pub args: Vec<String>,
    pub cwd: PathBuf,
    pub env: Vec<(OsString, OsString)>,
    /// The limit on open files that the child starts with, since tundra raises its own.
    pub open_files: Option<(u64, u64)>,
    /// How the child keeps itself from the instance.
    pub confinement: Option<Plan>,
}

/// The master side of a pty. Closing it hangs up whatever still runs on the slave side.
#[derive(Debug)]
pub(super) struct Pty {
    master: OwnedFd,
    slave_path: PathBuf,
}

impl Pty {
    /// Opens a pair of the given size; the master never blocks and is not inherited by children.
    pub fn open(size: Size) -> io::Result<Self> {
        let pair = native_pty_system()
            .openpty(PtySize {
                rows: size.rows(),
                cols: size.cols(),
                pixel_width: 0,
                pixel_height: 0,
            })
            .map_err(io::Error::other)?;
        let raw = pair
            .master
            .as_raw_fd()
            .ok_or_else(|| io::Error::other("the pty has no descriptor"))?;
        let master = duplicate(raw)?;
        let slave_path = pair
            .master
            .tty_name()
            .ok_or_else(|| io::Error::other("the pty has no name"))?;
        // The pair is dropped unused: its writer, had one been taken, would type a newline and end-of-file on drop.
        drop(pair);
        let flags = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
        set_utf8_erase(&master);
        Ok(Self { master, slave_path })
    }

    /// A pty that another program has opened, whose slave side is in use already.
    pub fn resume(master: OwnedFd) -> Self {
        Self {
            master,
            slave_path: PathBuf::new(),
        }
    }

    /// The master side, for another program to go on with.
    pub fn into_master(self) -> OwnedFd {
        self.master
    }

    /// Starts `program` as the leader of a new session with this pty as its terminal.
    ///
    /// # Errors
    /// What `fork`, `chdir` or `execve` answered; a failed `execve` is told here and leaves no process.
    pub fn spawn(&self, program: &Program) -> io::Result<Pid> {
        let slave = rustix::fs::open(
            &self.slave_path,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let mut command = Command::new(&program.path);
        command
            .args(&program.args)
            .current_dir(&program.cwd)
            .env_clear()
            .envs(program.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave));
        let open_files = program.open_files;
        let confinement = program.confinement.clone();
        // SAFETY: the closure runs in the forked child of a threaded process, where only async-signal-safe calls are
        // sound. It makes system calls alone (setsid, ioctl, sigaction, prlimit, close_range, unshare, mount), on values copied into
        // it, and allocates nothing.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(move || {
                enter_session(open_files)?;
                confinement.as_ref().map_or(Ok(()), Plan::enter)
            });
        }
        let child = command.spawn()?;
        // The handle is let go: the child is reaped by its pid, after its session has been ended.
        i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("the child has no pid"))
    }

    pub fn resize(&self, size: Size) -> io::Result<()> {
        let winsize = Winsize {
            ws_row: size.rows(),
            ws_col: size.cols(),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(rustix::termios::tcsetwinsize(&self.master, winsize)?)
    }

    /// The process group in the foreground; None where there is none, or the kernel does not tell.
    pub fn foreground_group(&self) -> Option<Pid> {
        rustix::termios::tcgetpgrp(&self.master).ok()
    }

    /// Reads what the child wrote: `None` where there is nothing now, `Some(0)` once every slave is closed.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            return match rustix::io::read(&self.master, &mut *buffer) {
                Ok(count) => Ok(Some(count)),
                Err(rustix::io::Errno::AGAIN) => Ok(None),
                Err(rustix::io::Errno::INTR) => continue,
                // Linux tells a closed slave so; elsewhere it is a read of 0 bytes.
                Err(rustix::io::Errno::IO) => Ok(Some(0)),
                Err(error) => Err(error.into()),
            };
        }
    }

    /// Writes as much as the child's input queue takes now: 0 where it is full.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            return match rustix::io::write(&self.master, bytes) {
                Ok(count) => Ok(count),
                Err(rustix::io::Errno::AGAIN) => Ok(0),
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => Err(error.into()),
            };
        }
    }
}

impl AsFd for Pty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

fn duplicate(raw: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: `raw` was just read from the master that the caller still holds, so it is open for this call, and the
    // borrow ends with it.
    #[allow(unsafe_code)]
    let borrowed = unsafe { BorrowedFd::borrow_raw(raw) };
    Ok(rustix::io::fcntl_dupfd_cloexec(borrowed, 3)?)
}

/// Tells the line discipline that input is UTF-8, so that erasing a character takes all of its bytes.
fn set_utf8_erase(master: &OwnedFd) {
    #[cfg(target_os = "linux")]
    if let Ok(mut termios) = rustix::termios::tcgetattr(master) {
        termios.input_modes |= rustix::termios::InputModes::IUTF8;
        // Cosmetic: a pty without the flag still works.
        let _ = rustix::termios::tcsetattr(master, rustix::termios::OptionalActions::Now, &termios);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = master;
}

/// What the forked child does before it becomes the program. Async-signal-safe, allocates nothing.
fn enter_session(open_files: Option<(u64, u64)>) -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
    // Ignored signals outlive execve: a tundra under nohup must not hand down children that no hangup ends.
    for signal in [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGTERM,
        libc::SIGALRM,
        libc::SIGCHLD,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
    ] {
        // SAFETY: sets a standard disposition for a valid signal number; no handler is involved.
        #[allow(unsafe_code)]
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
    if let Some((current, maximum)) = open_files {
        let limit = Rlimit {
            current: Some(current),
            maximum: Some(maximum),
        };
        // A child with a higher limit than it expects still runs.
        let _ = rustix::process::setrlimit(Resource::Nofile, limit);
    }
    limits::restore_core(None);
    close_on_exec_from(3);
    Ok(())
}

/// Marks every descriptor from `first` up close-on-exec, so that none leaks that somebody opened carelessly.
fn close_on_exec_from(first: libc::c_uint) {
    // An older kernel without the call leaves the flags as they are, and tundra sets them on all of its own.
    #[cfg(target_os = "linux")]
    // SAFETY: the call takes three integers and touches no memory of ours.
    #[allow(unsafe_code)]
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
    #[cfg(not(target_os = "linux"))]
    let _ = first;
}
