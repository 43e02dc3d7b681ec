//! A bare pseudoterminal and a child on it; shared with the bench.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The master side; dropping it hangs the terminal up.
pub struct Pty {
    master: File,
    slave_path: PathBuf,
}

impl Pty {
    pub fn open(rows: u16, cols: u16) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let pty = Self {
            master: File::from(master),
            slave_path: PathBuf::from(name.into_string().map_err(io::Error::other)?),
        };
        pty.resize(rows, cols)?;
        Ok(pty)
    }

    /// Another descriptor of the master, to read or write from another thread.
    pub fn master(&self) -> io::Result<File> {
        self.master.try_clone()
    }

    /// The slave side; as long as one is open the master reads no end of file.
    pub fn slave(&self) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags((OFlags::NOCTTY | OFlags::CLOEXEC).bits().cast_signed())
            .open(&self.slave_path)
    }

    pub fn resize(&self, rows: u16, cols: u16) -> io::Result<()> {
        let size = Winsize {
            ws_row: rows,
            ws_col: cols,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(tcsetwinsize(&self.master, size)?)
    }

    /// Starts `command` as the leader of a session that this terminal controls.
    pub fn spawn(&self, mut command: Command) -> io::Result<Child> {
        let slave = OwnedFd::from(self.slave()?);
        command
            .stdin(slave.try_clone()?)
            .stdout(slave.try_clone()?)
            .stderr(slave);
        // SAFETY: between fork and exec only two system calls are made, which allocate nothing and take no lock.
        #[allow(unsafe_code, reason = "std offers no controlling terminal")]
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(rustix::stdio::stdin().as_fd())?;
                Ok(())
            });
        }
        command.spawn()
    }
}
