//! What the doctor mends by itself: rights of what is this user's own, missing folders, sockets of an instance that is gone.
//! It ends no process and deletes nothing that anybody could miss.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::subject::{Instance, Subject};
use super::{configuration, paths};

/// Mends what can be mended safely.
///
/// Returns what was done, and what could not be, each as a sentence.
#[must_use]
pub fn fix(subject: &Subject) -> Vec<String> {
    let mut done = Vec::new();
    let folders = paths::folders(&subject.paths);
    let missing: Vec<_> = folders.iter().filter(|path| !path.exists()).collect();
    for folder in folders.iter().filter(|path| path.exists()) {
        close(folder, 0o700, &mut done);
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
        Err(error) => done.push(format!("not mended: {error}")),
    }
    if matches!(subject.instance, Instance::None) {
        for socket in paths::leftover_sockets(&subject.paths) {
            done.push(match fs::remove_file(&socket) {
                Ok(()) => format!(
                    "removed {}, which an instance that is gone had left",
                    socket.display()
                ),
                Err(error) => format!("not mended: {}: {error}", socket.display()),
            });
        }
    }
    done
}

/// Takes away from others what they have no business with; what belongs to another user is left alone.
fn close(path: &Path, mode: u32, done: &mut Vec<String>) {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return;
    };
    let me = rustix::process::geteuid().as_raw();
    let now = metadata.mode() & 0o777;
    if metadata.is_symlink() || metadata.uid() != me || now & 0o077 & !mode == 0 {
        return;
    }
    let closed = now & mode;
    let set: io::Result<()> = fs::set_permissions(path, Permissions::from_mode(closed));
    done.push(match set {
        Ok(()) => format!(
            "closed {} to others (mode {now:o} is {closed:o} now)",
            path.display()
        ),
        Err(error) => format!("not mended: {}: {error}", path.display()),
    });
}
