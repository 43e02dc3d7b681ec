//! The log file: set aside when it is too large or from another day, and never a reason to stop.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::runtime::private::{self, Access};

const SECONDS_PER_DAY: u64 = 86_400;
/// While the file cannot be opened it is tried again this often, so that a full disk costs no calls.
const RETRY_SECONDS: u64 = 5;

/// The limits, which may change while the file is open.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) max_size: AtomicU64,
    pub(super) keep: AtomicUsize,
}

/// Writes lines to `tundra.log` and sets it aside as `tundra.log.1` and so on, the newest first.
///
/// Writing always succeeds: a line that cannot be written is lost, and the first of a row of losses is told.
pub(super) struct RotatingFile {
    path: PathBuf,
    limits: Arc<Limits>,
    open: Option<OpenFile>,
    retry_at: u64,
    trouble: watch::Sender<Option<String>>,
    clock: fn() -> u64,
}

struct OpenFile {
    file: File,
    size: u64,
    day: u64,
}

impl RotatingFile {
    /// Opens the file; where that fails, the trouble tells why.
    pub(super) fn new(
        path: PathBuf,
        limits: Arc<Limits>,
        trouble: watch::Sender<Option<String>>,
    ) -> Self {
        let mut writer = Self {
            path,
            limits,
            open: None,
            retry_at: 0,
            trouble,
            clock: unix_seconds,
        };
        let _ = writer.ensure_open();
        writer
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.rotate_if_due(line.len());
        let Some(open) = self.ensure_open()? else {
            return Ok(());
        };
        open.file.write_all(line)?;
        open.size += line.len() as u64;
        Ok(())
    }

    fn rotate_if_due(&mut self, next: usize) {
        let now = (self.clock)();
        let Some(open) = &self.open else { return };
        if open
            .file
            .metadata()
            .is_ok_and(|metadata| metadata.nlink() == 0)
        {
            // Somebody removed it: what is written now would be seen by nobody.
            self.open = None;
            return;
        }
        let limit = self.limits.max_size.load(Ordering::Relaxed);
        let too_large = open.size > 0 && open.size + next as u64 > limit;
        if too_large || open.day != now / SECONDS_PER_DAY {
            self.open = None;
            self.set_aside();
        }
    }

    fn set_aside(&self) {
        let keep = self.limits.keep.load(Ordering::Relaxed);
        if keep == 0 {
            let _ = fs::remove_file(&self.path);
            return;
        }
        // After `keep` was lowered there may be older ones, numbered without a gap.
        let mut beyond = keep;
        while fs::remove_file(aside(&self.path, beyond)).is_ok() {
            beyond += 1;
        }
        for number in (1..keep).rev() {
            let _ = fs::rename(aside(&self.path, number), aside(&self.path, number + 1));
        }
        let _ = fs::rename(&self.path, aside(&self.path, 1));
    }

    /// The open file; None while it is too early to try again.
    fn ensure_open(&mut self) -> io::Result<Option<&mut OpenFile>> {
        let now = (self.clock)();
        if self.open.is_none() {
            if now < self.retry_at {
                return Ok(None);
            }
            self.retry_at = now + RETRY_SECONDS;
            match self.open_file(now) {
                Ok(open) => self.open = Some(open),
                Err(error) => {
                    self.tell(&error);
                    return Err(error);
                }
            }
            self.retry_at = 0;
        }
        Ok(self.open.as_mut())
    }

    fn open_file(&self, now: u64) -> io::Result<OpenFile> {
        let today = now / SECONDS_PER_DAY;
        if let Ok(metadata) = fs::metadata(&self.path) {
            let written = u64::try_from(metadata.mtime()).unwrap_or(0);
            let full = metadata.len() >= self.limits.max_size.load(Ordering::Relaxed);
            if metadata.len() > 0 && (written / SECONDS_PER_DAY != today || full) {
                self.set_aside();
            }
        }
        let file = private::open(&self.path, Access::Append)?;
        let size = file.metadata()?.len();
        Ok(OpenFile {
            file,
            size,
            day: today,
        })
    }

    fn tell(&self, error: &io::Error) {
        let text = format!("no log is written to {}: {error}", self.path.display());
        self.trouble.send_if_modified(|trouble| {
            let news = trouble.is_none();
            trouble.get_or_insert(text);
            news
        });
    }
}

impl Write for RotatingFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.write_line(line) {
            Ok(()) => {
                if self.open.is_some() {
                    self.trouble
                        .send_if_modified(|trouble| trouble.take().is_some());
                }
            }
            Err(error) => self.tell(&error),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The name of a log that was set aside, counted from the newest.
pub(super) fn aside(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.path(name)).unwrap()
        }
    }

    fn writer(folder: &Folder, max_size: u64, keep: usize) -> RotatingFile {
        let limits = Limits {
            max_size: AtomicU64::new(max_size),
            keep: AtomicUsize::new(keep),
        };
        let path = folder.path("tundra.log");
        RotatingFile::new(path, Arc::new(limits), watch::Sender::new(None))
    }

    #[test]
    fn a_full_file_is_set_aside_and_only_some_are_kept() {
        let folder = Folder::new();
        let mut log = writer(&folder, 10, 2);
        for line in ["first\n", "second\n", "third\n", "fourth\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(
            folder.names(),
            ["tundra.log", "tundra.log.1", "tundra.log.2"]
        );
        assert_eq!(folder.read("tundra.log"), "fourth\n");
        assert_eq!(folder.read("tundra.log.1"), "third\n");
        assert_eq!(folder.read("tundra.log.2"), "second\n");

        log.limits.keep.store(1, Ordering::Relaxed);
        log.write_all(b"fifth\n").unwrap();
        assert_eq!(folder.names(), ["tundra.log", "tundra.log.1"]);
        assert_eq!(folder.read("tundra.log.1"), "fourth\n");
    }

    #[test]
    fn yesterdays_file_is_set_aside() {
        let folder = Folder::new();
        let mut log = writer(&folder, 1000, 3);
        log.write_all(b"today\n").unwrap();
        log.clock = || unix_seconds() + SECONDS_PER_DAY;
        log.write_all(b"tomorrow\n").unwrap();
        assert_eq!(folder.read("tundra.log.1"), "today\n");
        assert_eq!(folder.read("tundra.log"), "tomorrow\n");
    }

    #[test]
    fn a_restart_goes_on_in_the_same_file_and_others_cannot_read_it() {
        let folder = Folder::new();
        writer(&folder, 1000, 3).write_all(b"one\n").unwrap();
        writer(&folder, 1000, 3).write_all(b"two\n").unwrap();
        assert_eq!(folder.read("tundra.log"), "one\ntwo\n");
        let mode = fs::metadata(folder.path("tundra.log")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_was_removed_is_made_again() {
        let folder = Folder::new();
        let mut log = writer(&folder, 1000, 3);
        log.write_all(b"one\n").unwrap();
        fs::remove_file(folder.path("tundra.log")).unwrap();
        log.write_all(b"two\n").unwrap();
        assert_eq!(folder.read("tundra.log"), "two\n");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_once_and_stops_nothing() {
        let folder = Folder::new();
        let path = folder.path("nowhere/tundra.log");
        let limits = Limits {
            max_size: AtomicU64::new(1000),
            keep: AtomicUsize::new(1),
        };
        let trouble = watch::Sender::new(None);
        let mut receiver = trouble.subscribe();
        let mut log = RotatingFile::new(path.clone(), Arc::new(limits), trouble);
        assert!(receiver.has_changed().unwrap());
        let told = receiver.borrow_and_update().clone().unwrap();
        assert!(told.contains("nowhere/tundra.log"), "{told}");
        log.write_all(b"lost\n").unwrap();
        assert!(!receiver.has_changed().unwrap());

        fs::create_dir(folder.path("nowhere")).unwrap();
        log.clock = || unix_seconds() + RETRY_SECONDS + 1;
        log.write_all(b"kept\n").unwrap();
        assert_eq!(receiver.borrow_and_update().clone(), None);
        assert_eq!(fs::read_to_string(path).unwrap(), "kept\n");
    }
}
