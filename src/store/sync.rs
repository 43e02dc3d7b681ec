//! Brings what was written to the disk, beside the writer: a disk that is slow to do so holds up no commit, so that what
//! was recorded is out of this process's hands in time whatever the disk does.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// The thread that waits for the disk; it sleeps while nothing is written. Dropping it ends it.
#[derive(Debug)]
pub struct Syncer {
    shared: Arc<SyncState>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct SyncState {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_wanted: bool,
    is_closing: bool,
    /// Why the disk did not take what was written last.
    trouble: Option<String>,
}

impl Syncer {
    /// Starts the thread for a file, which need not be there yet.
    ///
    /// # Errors
    /// [`io::Error`] when no thread can be started.
    pub fn start(file: PathBuf) -> io::Result<Self> {
        let shared = Arc::new(SyncState::default());
        let syncing = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("journal-sync".to_owned())
            .spawn(move || syncing.run(&file))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Something was written.
    pub fn want(&self) {
        self.shared.state().is_wanted = true;
        self.shared.wake.notify_one();
    }

    /// Why the disk did not take something, once.
    #[must_use]
    pub fn take_trouble(&self) -> Option<String> {
        self.shared.state().trouble.take()
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.state().is_closing = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl SyncState {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, file: &PathBuf) {
        loop {
            let waits = |state: &mut State| !state.is_wanted && !state.is_closing;
            let woken = self.wake.wait_while(self.state(), waits);
            let mut state = woken.unwrap_or_else(PoisonError::into_inner);
            if !std::mem::take(&mut state.is_wanted) {
                return;
            }
            drop(state);
            // Opened anew each time, since the file may be another one by now.
            match File::open(file).and_then(|file| file.sync_data()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    self.state().trouble = Some(error.to_string());
                }
                _ => {}
            }
        }
    }
}
