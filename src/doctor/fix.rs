//! What the doctor mends by itself: rights of what is this user's own, missing folders, sockets of an instance that is gone.
//! It ends no process and deletes nothing that anybody could miss.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::subject::{Instance, Subject};
use super::{configuration, paths};
use crate::config::others_may_write;

/// What a sentence about something that could not be mended begins with.
pub const NOT_MENDED: &str = "not mended: ";

/// Mends what can be mended safely.
///
/// Returns what was done, and what could not be, each as a sentence.
#[must_use]
pub fn fix(subject: &Subject) -> Vec<String> {
    let mut done = Vec::new();
    let folders = paths::folders(&subject.paths);
    let missing: Vec<_> = folders.iter().filter(|path| !path.exists()).collect();
    let home = subject.paths.home.as_ref();
    for folder in folders.iter().filter(|path| path.is_dir()) {
        if Some(folder) == home {
            close_home(folder, subject, &mut done);
        } else {
            close(folder, 0o700, &mut done);
        }
    }
    for file in paths::private_files(&subject.paths) {
        close(&file, 0o600, &mut done);
    }
    let config = &subject.source.path;
    if config.is_file() {
        let open = if configuration::holds_secrets(subject) {
            0
        } else {
            0o044
        };
        close(config, 0o600 | open, &mut done);
    }
    match subject.paths.prepare() {
        Ok(()) => {
            for folder in missing.into_iter().filter(|path| path.exists()) {
                done.push(format!("made {}", folder.display()));
            }
        }
        Err(error) => done.push(format!("{NOT_MENDED}{error}")),
    }
    if matches!(subject.instance, Instance::None) {
        for socket in paths::leftover_sockets(&subject.paths) {
            done.push(match fs::remove_file(&socket) {
                Ok(()) => format!(
                    "removed {}, which an instance that is gone had left",
                    socket.display()
                ),
                Err(error) => format!("{NOT_MENDED}{}: {error}", socket.display()),
            });
        }
    }
    done
}

/// Closes the folder that was named with `--home`, unless more than tundra lives in it: closing `/tmp` or somebody's project would
/// be missed by others.
fn close_home(home: &Path, subject: &Subject, done: &mut Vec<String>) {
    let is_open = fs::metadata(home).is_ok_and(|home| others_may_write(&home));
    if paths::is_tundras_alone(&subject.paths, home) {
        close(home, 0o700, done);
    } else if is_open {
        done.push(format!(
            "{NOT_MENDED}{} holds more than tundra's own: chmod go-w it, or --home with another folder",
            home.display()
        ));
    }
}

/// Takes away from others what they have no business with; what belongs to another user is left alone.
fn close(path: &Path, mode: u32, done: &mut Vec<String>) {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return;
    };
    let me = rustix::process::geteuid().as_raw();
    let now = metadata.mode() & 0o777;
    if metadata.is_symlink() {
        let open = fs::metadata(path).is_ok_and(|target| target.mode() & 0o077 & !mode != 0);
        if open {
            let leads = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            done.push(format!(
                "{NOT_MENDED}{} is a link to {}, which is open to others: chmod it",
                path.display(),
                leads.display()
            ));
        }
        return;
    }
    if metadata.uid() != me || now & 0o077 & !mode == 0 {
        return;
    }
    // Beside the rights there are the sticky bit and its kind, which stay.
    let closed = metadata.mode() & 0o7000 | now & mode;
    let set: io::Result<()> = fs::set_permissions(path, Permissions::from_mode(closed));
    done.push(match set {
        Ok(()) => format!(
            "closed {} to others (mode {now:o} is {closed:o} now)",
            path.display()
        ),
        Err(error) => format!("{NOT_MENDED}{}: {error}", path.display()),
    });
}
