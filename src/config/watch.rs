//! The configuration's changes while tundra runs.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::error::ConfigError;
use super::load::{ConfigSource, load};
use super::settings::Settings;
use crate::runtime::folders::{self, FolderWatch};

/// An editor saves in several steps; the file is read when it has been quiet for this long.
const QUIET: Duration = Duration::from_millis(100);
/// Reports nobody has read yet; further ones are dropped, since the settings themselves are never lost.
const REPORTS: usize = 8;

/// What became of one change of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadReport {
    /// The new settings are in force, but for the keys named here: they wait for the next start.
    Applied { at_next_start: Vec<&'static str> },
    /// The file is wrong; the last good settings stay.
    Refused(ConfigError),
}

/// The watch over the file; dropping it ends the watch and its threads.
#[derive(Debug)]
pub struct Watch {
    /// The newest good settings.
    pub settings: watch::Receiver<Arc<Settings>>,
    pub reports: mpsc::Receiver<ReloadReport>,
    _folders: FolderWatch,
}

/// When the file is read for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstRead {
    /// Once it changes: the settings are what stands in it.
    OnChange,
    /// At once: the settings are older than what stands in it.
    AtOnce,
}

/// Watches the file's folder, since editors replace the file; wakes up for nothing but a change there.
///
/// # Errors
/// Where the operating system gives no watch, such as at its limit of watches.
pub fn watch(
    source: ConfigSource,
    initial: Arc<Settings>,
    first_read: FirstRead,
) -> io::Result<Watch> {
    let targets = Targets::of(&source.path);
    let files = targets.clone();
    let (folders, changes) = folders::watch(targets.folders(), move |name| files.concern(name))?;
    let (settings_sender, settings) = watch::channel(initial);
    let (report_sender, reports) = mpsc::channel(REPORTS);
    let mut reload = Reload {
        source,
        settings: settings_sender,
        reports: report_sender,
        refused: false,
    };
    thread::Builder::new()
        .name("config-watch".to_owned())
        .spawn(move || {
            if first_read == FirstRead::AtOnce {
                reload.run();
            }
            while changes.recv().is_ok() {
                while changes.recv_timeout(QUIET).is_ok() {}
                reload.run();
            }
        })?;
    Ok(Watch {
        settings,
        reports,
        _folders: folders,
    })
}

struct Reload {
    source: ConfigSource,
    settings: watch::Sender<Arc<Settings>>,
    reports: mpsc::Sender<ReloadReport>,
    /// The last read failed, so that a return to the running settings is news.
    refused: bool,
}

impl Reload {
    fn run(&mut self) {
        // While it is watched a file that vanishes is a mistake, not a wish for the defaults.
        let source = ConfigSource {
            named: true,
            ..self.source.clone()
        };
        let report = match load(&source) {
            Ok(settings) => {
                let running = Arc::clone(&self.settings.borrow());
                if settings == *running && !self.refused {
                    return;
                }
                self.refused = false;
                let at_next_start = settings.at_next_start(&running);
                self.settings.send_replace(Arc::new(settings));
                ReloadReport::Applied { at_next_start }
            }
            Err(error) => {
                self.refused = true;
                ReloadReport::Refused(error)
            }
        };
        let _ = self.reports.try_send(report);
    }
}

/// The file, and where it really is if it is a link.
#[derive(Clone, Debug)]
struct Targets(Vec<(PathBuf, OsString)>);

impl Targets {
    fn of(path: &Path) -> Self {
        let place = |path: &Path| Some((path.parent()?.to_owned(), path.file_name()?.to_owned()));
        let mut places: Vec<_> = place(path).into_iter().collect();
        if let Some(real) = path.canonicalize().ok().as_deref().and_then(place)
            && !places.contains(&real)
        {
            places.push(real);
        }
        Self(places)
    }

    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(folder, _)| folder.as_path())
    }

    fn concern(&self, name: &OsStr) -> bool {
        self.0.iter().any(|(_, file)| file == name)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::load_text;

    fn next_report(watch: &mut Watch) -> ReloadReport {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(10), watch.reports.recv())
                .await
                .unwrap()
                .unwrap()
        })
    }

    #[test]
    fn a_change_is_applied_and_a_bad_one_keeps_the_last_good_settings() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let path = folder.join("config.toml");
        let source = ConfigSource {
            path: path.clone(),
            named: false,
        };
        let initial = Arc::new(load(&source).unwrap());
        let mut watch = watch(source, initial, FirstRead::OnChange).unwrap();

        fs::write(&path, "[pty]\nmax_ptys = 3\n").unwrap();
        let applied = ReloadReport::Applied {
            at_next_start: Vec::new(),
        };
        assert_eq!(next_report(&mut watch), applied);
        assert_eq!(watch.settings.borrow().pty.max_ptys, 3);

        fs::write(&path, "[pty]\nmax_ptys = 0\n").unwrap();
        assert!(matches!(next_report(&mut watch), ReloadReport::Refused(_)));
        assert_eq!(watch.settings.borrow().pty.max_ptys, 3);

        fs::write(
            folder.join("new"),
            "[logging]\nformat = \"json\"\n[pty]\nmax_ptys = 3\n",
        )
        .unwrap();
        fs::rename(folder.join("new"), &path).unwrap();
        let waits = ReloadReport::Applied {
            at_next_start: vec!["logging.format"],
        };
        assert_eq!(next_report(&mut watch), waits);
    }

    #[test]
    fn what_was_changed_before_anybody_watched_is_told_where_it_is_asked_for() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("config.toml");
        let source = ConfigSource {
            path: path.clone(),
            named: false,
        };
        let older = Arc::new(load_text(&source, "[pty]\nmax_ptys = 3\n").unwrap());
        fs::write(&path, "[pty]\nmax_ptys = 0\n").unwrap();
        let mut watch = watch(source, older, FirstRead::AtOnce).unwrap();
        assert!(matches!(next_report(&mut watch), ReloadReport::Refused(_)));
        assert_eq!(watch.settings.borrow().pty.max_ptys, 3);
    }
}
