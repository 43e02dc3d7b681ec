//! Waiting for what is written into a file, by whichever process.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::runtime::folders::{self, FolderWatch};

/// Between two looks where the system gives no watch, such as for a folder that is not there yet.
const LOOK: Duration = Duration::from_millis(500);

/// A watch over a file and whatever stands beside it under a longer name: a write-ahead log, what was set aside.
pub struct FileWatch {
    path: PathBuf,
    watch: Option<(FolderWatch, Receiver<()>)>,
}

impl FileWatch {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            watch: watch(path),
        }
    }

    /// Waits for a further change, at most so long; whether one came.
    pub fn changes_within(&mut self, patience: Duration) -> bool {
        match &self.watch {
            Some((_, changes)) => match changes.recv_timeout(patience) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => {
                    self.watch = None;
                    false
                }
            },
            // The next look comes by itself.
            None => false,
        }
    }

    /// Waits for a change; without a watch, for a moment. It may come back without one.
    pub fn wait(&mut self) {
        match &self.watch {
            Some((_, changes)) if changes.recv().is_ok() => {}
            _ => {
                thread::sleep(LOOK);
                self.watch = watch(&self.path);
            }
        }
    }
}

fn watch(path: &Path) -> Option<(FolderWatch, Receiver<()>)> {
    let folder = path.parent()?;
    let name = path.file_name()?.to_str()?.to_owned();
    let concerns =
        move |file: &std::ffi::OsStr| file.to_str().is_some_and(|file| file.starts_with(&name));
    folders::watch([folder].into_iter(), concerns).ok()
}
