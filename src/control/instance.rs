//! One instance for each home.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::config::Paths;
use crate::domain::code::Code;

/// The lock of a home; whoever holds it is the instance. The kernel frees it however the process ends.
#[derive(Debug)]
pub struct Instance {
    _lock: File,
}

/// Why this process cannot be the instance.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error(
        "tundra is already running here{}: reach it with `tundra status` and `tundra ls`, or start another one with \
         --home DIR", .pid.map_or_else(String::new, |pid| format!(" with pid {pid}"))
    )]
    Running { pid: Option<u32> },
    #[error("the lock {} cannot be taken: {source}", .path.display())]
    Lock { path: PathBuf, source: io::Error },
}

impl From<&InstanceError> for Code {
    fn from(error: &InstanceError) -> Self {
        match error {
            InstanceError::Running { .. } => Self::AlreadyRunning,
            InstanceError::Lock { .. } => Self::Paths,
        }
    }
}

impl Instance {
    /// Takes the lock and writes into it how this process is reached. The folders must be prepared.
    ///
    /// # Errors
    /// [`InstanceError::Running`] with its holder where another process has the lock; [`InstanceError::Lock`] where the
    /// file cannot be made or locked.
    pub fn acquire(paths: &Paths) -> Result<Self, InstanceError> {
        let path = paths.lock_file();
        let failed = |source| InstanceError::Lock {
            path: path.clone(),
            source,
        };
        let mut lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let pid = Holder::read(&path).map(|holder| holder.pid);
                return Err(InstanceError::Running { pid });
            }
            Err(error) => return Err(failed(error.into())),
        }
        let socket = paths.control_socket();
        let text = format!("{}\n{}\n", std::process::id(), socket.display());
        // A full disk leaves the lock empty, which only makes its messages poorer.
        let _ = lock
            .set_len(0)
            .and_then(|()| lock.write_all(text.as_bytes()));
        Ok(Self { _lock: lock })
    }
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
        let home = std::env::temp_dir().join(format!("tundra-instance-{}", std::process::id()));
        let paths = Paths::find(Some(&home)).unwrap();
        paths.prepare().unwrap();
        let first = Instance::acquire(&paths).unwrap();
        let error = Instance::acquire(&paths).unwrap_err().to_string();
        assert!(
            error.contains(&format!("pid {}", std::process::id())),
            "{error}"
        );
        assert!(error.contains("tundra status"), "{error}");
        drop(first);
        Instance::acquire(&paths).unwrap();
        fs::remove_dir_all(&home).unwrap();
    }
}
