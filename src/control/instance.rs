//! One instance for each home.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::kept::KeptLock;
use crate::config::Paths;
use crate::domain::code::Code;
use crate::runtime::dial;
use crate::runtime::handover::{Incoming, Outgoing};
use crate::runtime::private::{self, Access};

/// The lock of a home; whoever holds it is the instance. The kernel frees it however the process ends.
///
/// Two things are locked: the file that tells who holds it, and the folder that it lies in, since a file can be removed
/// under its holder (by a cleaner of `/tmp`), and the next one would lock another.
#[derive(Debug)]
pub struct Instance {
    file: OwnedFd,
    folder: OwnedFd,
}

/// Why this process cannot be the instance.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error(
        "tundra is already running here{}: reach it with `tundra status` and `tundra ls`, or start another one with \
         --home DIR", .pid.map_or_else(String::new, |pid| format!(" with pid {pid}"))
    )]
    Running { pid: Option<u32> },
    /// Its holder cannot be reached.
    #[error(
        "tundra runs here{}, but does not answer at {}: end that process, or start another tundra with --home DIR",
        .pid.map_or_else(String::new, |pid| format!(" with pid {pid}")), .socket.display()
    )]
    Mute { pid: Option<u32>, socket: PathBuf },
    #[error("the lock {} cannot be taken: {source}", .path.display())]
    Lock { path: PathBuf, source: io::Error },
}

impl From<&InstanceError> for Code {
    fn from(error: &InstanceError) -> Self {
        match error {
            InstanceError::Running { .. } | InstanceError::Mute { .. } => Self::AlreadyRunning,
            InstanceError::Lock { .. } => Self::Paths,
        }
    }
}

impl Instance {
    /// Takes the lock and writes into it how this process is reached. The folders must be prepared.
    ///
    /// # Errors
    /// [`InstanceError::Running`] where another process is the instance, [`InstanceError::Lock`] where there is no lock to
    /// be had.
    pub fn acquire(paths: &Paths) -> Result<Self, InstanceError> {
        let path = paths.lock_file();
        let failed = |source| InstanceError::Lock {
            path: path.clone(),
            source,
        };
        let running = || {
            let told = Holder::read(&path).map(|holder| holder.pid);
            let pid = told.or_else(|| answering(&paths.control_socket()));
            InstanceError::Running { pid }
        };
        let folder = File::open(&paths.state).map_err(failed)?;
        let mut file = private::open(&path, Access::Update).map_err(failed)?;
        for lock in [&folder, &file] {
            match rustix::fs::flock(lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(running()),
                Err(error) => return Err(failed(error.into())),
            }
        }
        let socket = paths.control_socket();
        // Whoever still answers there is the instance, whatever became of its lock.
        if answering(&socket).is_some() {
            return Err(running());
        }
        let text = format!("{}\n{}\n", std::process::id(), socket.display());
        // A full disk leaves the lock empty, which only makes its messages poorer.
        let _ = file
            .set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()));
        Ok(Self {
            file: file.into(),
            folder: folder.into(),
        })
    }

    /// The lock that another program in this process has taken; None where it left none.
    #[must_use]
    pub fn resume(kept: &KeptLock, incoming: &mut Incoming) -> Option<Self> {
        let file = incoming.descriptor(kept.file?)?;
        let folder = incoming.descriptor(kept.folder?)?;
        Some(Self { file, folder })
    }

    /// Keeps the lock for another program in this process. It is held on here, too.
    ///
    /// # Errors
    /// Where there is no descriptor left.
    pub fn keep(&self, out: &mut Outgoing) -> io::Result<KeptLock> {
        Ok(KeptLock {
            file: Some(out.descriptor(self.file.try_clone()?)),
            folder: Some(out.descriptor(self.folder.try_clone()?)),
        })
    }
}

/// The process that holds a home's lock, where one does; None in it where that cannot be told.
#[must_use]
pub fn holder(paths: &Paths) -> Option<Option<u32>> {
    let path = paths.lock_file();
    let is_free = |path: &Path| {
        let Ok(file) = File::open(path) else {
            return true;
        };
        // Shared, so that those who only look do not meet; the lock is given back at once.
        !matches!(
            rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared),
            Err(rustix::io::Errno::WOULDBLOCK)
        )
    };
    if is_free(&path) && is_free(&paths.state) {
        return None;
    }
    Some(Holder::read(&path).map(|holder| holder.pid))
}

/// The process that answers at a socket.
fn answering(socket: &Path) -> Option<u32> {
    let stream = dial::connect(socket).ok()?;
    let peer = rustix::net::sockopt::socket_peercred(&stream).ok()?;
    u32::try_from(peer.pid.as_raw_nonzero().get()).ok()
}

/// What the lock says of its holder, which may be gone.
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) socket: PathBuf,
}

impl Holder {
    pub(super) fn read(lock: &Path) -> Option<Self> {
        let text = fs::read_to_string(lock).ok()?;
        let (pid, rest) = text.split_once('\n')?;
        Some(Self {
            pid: pid.parse().ok()?,
            socket: PathBuf::from(rest.strip_suffix('\n')?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_instance_is_told_who_the_first_is() {
        let scratch = tempfile::tempdir().unwrap();
        let home = scratch.path();
        let paths = Paths::find(Some(home)).unwrap();
        paths.prepare().unwrap();
        let first = Instance::acquire(&paths).unwrap();
        let error = Instance::acquire(&paths).unwrap_err().to_string();
        assert!(
            error.contains(&format!("pid {}", std::process::id())),
            "{error}"
        );
        assert!(error.contains("tundra status"), "{error}");
        // A lock file that was removed lets nobody else in.
        fs::remove_file(paths.lock_file()).unwrap();
        let error = Instance::acquire(&paths).unwrap_err();
        assert!(matches!(error, InstanceError::Running { .. }), "{error}");
        drop(first);
        Instance::acquire(&paths).unwrap();
    }
}
