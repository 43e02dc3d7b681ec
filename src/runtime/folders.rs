//! Changes of files, told by the operating system: whoever waits for one is woken by nothing else.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};

/// A watch over folders; dropping it ends the watch and its threads, and closes the channel of its changes.
#[derive(Debug)]
pub struct FolderWatch(#[allow(dead_code, reason = "it is held to its end")] RecommendedWatcher);

/// Watches folders, not what is in theirs, for files whose names concern somebody. A change that nobody took yet
/// stands for all that come until it is taken.
///
/// # Errors
/// Where the operating system gives no watch: a folder that is not there, or its limit of watches.
pub fn watch<'p>(
    folders: impl Iterator<Item = &'p Path>,
    concerns: impl Fn(&OsStr) -> bool + Send + 'static,
) -> io::Result<(FolderWatch, Receiver<()>)> {
    let (note, changes) = mpsc::sync_channel(1);
    let named = move |path: &PathBuf| path.file_name().is_some_and(&concerns);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let concerns = |event: Event| {
            is_change(event.kind) && (event.need_rescan() || event.paths.iter().any(&named))
        };
        if event.is_ok_and(concerns) {
            let _ = note.try_send(());
        }
    })
    .map_err(io_error)?;
    for folder in folders {
        watcher
            .watch(folder, RecursiveMode::NonRecursive)
            .map_err(io_error)?;
    }
    Ok((FolderWatch(watcher), changes))
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        // Reading a file is an event too, and whoever waits for a change reads it then.
        EventKind::Access(_) => false,
        _ => true,
    }
}

fn io_error(error: notify::Error) -> io::Error {
    match error.kind {
        ErrorKind::Io(error) => error,
        _ => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_change_of_the_file_is_told_and_no_other() {
        let folder = std::env::temp_dir().join(format!("tundra-folders-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let folders = [folder.as_path()].into_iter();
        let (_watch, changes) = watch(folders, |name| name == "wanted").unwrap();
        fs::write(folder.join("other"), "x").unwrap();
        fs::write(folder.join("wanted"), "x").unwrap();
        changes.recv_timeout(Duration::from_secs(10)).unwrap();
        fs::read(folder.join("wanted")).unwrap();
        assert!(watch([Path::new("/nowhere")].into_iter(), |_| true).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
