//! The file that brings tabs, layout and commands back after an end that nobody asked for.

use std::convert::Infallible;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::OFlags;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;
use tracing::warn;

use crate::runtime::private;
use crate::tui::{SavedSession, Session};

/// Changes that come together are written together.
const SETTLES: Duration = Duration::from_millis(50);
/// Until the file is written again where it could not be: the disk was full.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// A file of more bytes is none of ours: a thousand panes have some hundred KiB.
const MAX_BYTES: u64 = 8 << 20;

/// Reads what an instance has left; None where it left nothing. A file that is broken is kept aside.
///
/// # Errors
/// What to tell the user where nothing can be brought back though something was there.
pub(super) fn load(file: &Path) -> Result<Option<Session>, String> {
    let json = match read(file) {
        Ok(json) => json,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(format!("{} cannot be read: {error}", file.display()));
        }
    };
    let restored = SavedSession::from_json(&json).and_then(|saved| saved.restore());
    restored.map(Some).map_err(|error| {
        let aside = set_aside(file);
        let kept = match &aside {
            Ok(aside) => format!("it is kept as {}", aside.display()),
            Err(error) => format!("it cannot be kept aside: {error}"),
        };
        format!(
            "{} is broken, so that nothing is brought back: {error}; {kept}",
            file.display()
        )
    })
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    // A pipe in its place must not hold the start up.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(file)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut json = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut json)?;
    if json.len() as u64 > MAX_BYTES {
        json.clear();
    }
    Ok(json)
}

fn set_aside(file: &Path) -> io::Result<PathBuf> {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut aside = file.as_os_str().to_owned();
    aside.push(format!(".broken-{time}"));
    let aside = PathBuf::from(aside);
    fs::rename(file, &aside)?;
    Ok(aside)
}

/// Keeps the file as the session is.
pub(super) struct SessionKeeper {
    file: PathBuf,
    saved: watch::Receiver<Option<SavedSession>>,
    writing: Option<JoinHandle<io::Result<()>>>,
    /// The last change is not on the disk.
    is_behind: bool,
}

impl SessionKeeper {
    pub fn new(file: PathBuf, saved: watch::Receiver<Option<SavedSession>>) -> Self {
        Self {
            file,
            saved,
            writing: None,
            is_behind: false,
        }
    }

    /// Writes every change. Cancel-safe: what is being written then is waited for by whoever goes on.
    pub async fn run(&mut self) -> Infallible {
        loop {
            tokio::select! {
                changed = self.saved.changed() => {
                    if changed.is_err() {
                        std::future::pending::<()>().await;
                    }
                    sleep(SETTLES).await;
                }
                () = sleep(TRY_AGAIN), if self.is_behind => {}
            }
            self.write().await;
        }
    }

    /// The last change is written: this is to be brought back.
    pub async fn finish(&mut self) {
        self.write().await;
    }

    /// Nothing is to be brought back.
    pub async fn forget(&mut self) {
        self.settle().await;
        if let Err(error) = fs::remove_file(&self.file)
            && error.kind() != io::ErrorKind::NotFound
        {
            warn!(%error, "the session's file cannot be taken away");
        }
    }

    async fn write(&mut self) {
        self.settle().await;
        let saved = self.saved.borrow_and_update().clone();
        let file = self.file.clone();
        self.writing = Some(spawn_blocking(move || write(&file, saved.as_ref())));
        self.settle().await;
    }

    async fn settle(&mut self) {
        let Some(writing) = &mut self.writing else {
            return;
        };
        let written = writing.await.unwrap_or_else(|error| Err(error.into()));
        self.writing = None;
        if let Err(error) = &written
            && !self.is_behind
        {
            warn!(%error, "the session cannot be kept: it would not be brought back");
        }
        self.is_behind = written.is_err();
    }
}

fn write(file: &Path, saved: Option<&SavedSession>) -> io::Result<()> {
    match saved {
        Some(saved) => saved
            .to_json()
            .map_err(io::Error::other)
            .and_then(|json| private::replace(file, &json)),
        None => match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        },
    }
}
