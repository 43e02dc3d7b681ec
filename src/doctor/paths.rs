//! Folders and files: whose they are, the room on the disk, the lock and the socket.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::subject::{Instance, Subject};
use crate::config::{Paths, others_may_write};
use crate::domain::check::Check;
use crate::runtime::{dial, proc};

pub(super) const NAMES: [&str; 4] = ["paths.rights", "paths.disk", "paths.lock", "paths.socket"];
const MIB: u64 = 1 << 20;
/// Faults that are told at most.
const TOLD: usize = 5;
/// Less than that is soon full.
const LITTLE: u64 = 200 * MIB;
/// Less than that holds no further day.
const FULL: u64 = 16 * MIB;

pub(super) fn checks(subject: &Subject) -> Vec<Check> {
    vec![
        rights(&subject.paths),
        disk(&subject.paths),
        lock(subject),
        socket(subject),
    ]
}

/// Tundra's folders, those that are there and those that are not.
pub(super) fn folders(paths: &Paths) -> Vec<PathBuf> {
    let home = paths.home.iter();
    let own = [
        &paths.config_dir,
        &paths.data,
        &paths.state,
        &paths.logs,
        &paths.run,
    ];
    home.chain(own).cloned().collect()
}

/// Every file of state, data and logs: they hold secrets, or what happened, those that were set aside too.
pub(super) fn private_files(paths: &Paths) -> Vec<PathBuf> {
    let folders = [&paths.state, &paths.data, &paths.logs];
    let entries = folders.into_iter().flat_map(fs::read_dir).flatten();
    let files = entries.flatten().filter(|entry| {
        // A link is somebody's own doing, and what it leads to is not tundra's to close.
        entry.file_type().is_ok_and(|kind| kind.is_file())
    });
    let mut found: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// Whether a folder is a home of tundra's and nothing else: one that is used for something else too may be open on purpose.
pub(super) fn is_tundras_alone(paths: &Paths, home: &Path) -> bool {
    let own = paths.folders();
    fs::read_dir(home).is_ok_and(|entries| {
        let mut entries = entries.flatten();
        entries.all(|entry| own.contains(&entry.path().as_path()))
    })
}

/// What is wrong with the rights of a file or folder; `None` where nothing is, or it is not there.
fn fault(path: &Path, is_open: impl Fn(&fs::Metadata) -> bool) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let me = rustix::process::geteuid().as_raw();
    let mode = metadata.mode() & 0o7777;
    if metadata.uid() != me {
        return Some(format!(
            "{} belongs to user {}",
            path.display(),
            metadata.uid()
        ));
    }
    is_open(&metadata).then(|| format!("{} is open to others (mode {mode:o})", path.display()))
}

/// The first of them, and how many more there are.
fn listed(faults: &[String]) -> String {
    let told = faults.iter().take(TOLD).cloned().collect::<Vec<_>>();
    match faults.len().saturating_sub(TOLD) {
        0 => told.join("; "),
        more => format!("{} and {more} more", told.join("; ")),
    }
}

fn rights(paths: &Paths) -> Check {
    let name = "paths.rights";
    // Who may write could say what tundra runs; who may read a folder sees names alone.
    let folders = folders(paths);
    let faults: Vec<String> = folders
        .iter()
        .filter_map(|path| fault(path, others_may_write))
        .chain(
            private_files(paths)
                .iter()
                .filter_map(|path| fault(path, |file| file.mode() & 0o077 != 0)),
        )
        .collect();
    if !faults.is_empty() {
        return Check::fail(
            name,
            listed(&faults),
            "tundra doctor --fix closes what is yours; what belongs to another user: chown it, or --home DIR",
        );
    }
    if let Err(error) = paths.check() {
        let cure = "correct what the message names, or tundra --home DIR with another folder";
        return Check::fail(name, error.to_string(), cure);
    }
    // Neither is needed for a start; without them nothing is kept.
    let access = Access::WRITE_OK | Access::EXEC_OK;
    let unwritable: Vec<String> = [&paths.data, &paths.logs]
        .into_iter()
        .filter(|path| path.exists() && rustix::fs::access(path.as_path(), access).is_err())
        .map(|path| format!("{} cannot be written to", path.display()))
        .collect();
    if !unwritable.is_empty() {
        return Check::warn(
            name,
            format!("{}: no journal or no log is kept", listed(&unwritable)),
            "chmod u+rwx what is yours, or --home DIR with another folder",
        );
    }
    let open: Vec<String> = [&paths.data, &paths.state, &paths.logs, &paths.run]
        .into_iter()
        .filter_map(|path| fault(path, |folder| folder.mode() & 0o055 != 0))
        .collect();
    if !open.is_empty() {
        return Check::warn(name, listed(&open), "tundra doctor --fix, or chmod 700");
    }
    let missing: Vec<String> = folders
        .iter()
        .filter(|path| !path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if missing.is_empty() {
        Check::ok(name, "folders and files are yours alone")
    } else {
        Check::ok(
            name,
            format!("made at the first start: {}", missing.join(", ")),
        )
    }
}

fn disk(paths: &Paths) -> Check {
    let name = "paths.disk";
    let mut least: Option<(u64, PathBuf)> = None;
    for folder in [&paths.data, &paths.state, &paths.logs] {
        // Of one that is not there yet it is the one above that counts.
        let there = folder.ancestors().find(|path| path.exists());
        let Some(there) = there else { continue };
        let Ok(told) = rustix::fs::statvfs(there) else {
            continue;
        };
        let free = told.f_bavail.saturating_mul(told.f_frsize);
        let inodes_out = told.f_files > 0 && told.f_favail == 0;
        let free = if inodes_out { 0 } else { free };
        if least.as_ref().is_none_or(|(known, _)| free < *known) {
            least = Some((free, folder.clone()));
        }
    }
    let Some((free, folder)) = least else {
        return Check::warn(name, "the room on the disk cannot be told", "df");
    };
    let message = format!("{} MiB free for {}", free / MIB, folder.display());
    let cure = "make room, or another disk with --home DIR; store.retention and logging.keep bound what tundra keeps";
    if free < FULL {
        Check::fail(name, message, cure)
    } else if free < LITTLE {
        Check::warn(name, message, cure)
    } else {
        Check::ok(name, message)
    }
}

/// Whether somebody holds this home.
pub(super) fn is_held(paths: &Paths) -> Option<bool> {
    let lock = paths.lock_file();
    if !lock.exists() {
        return Some(false);
    }
    proc::is_locked(&lock)
}

fn lock(subject: &Subject) -> Check {
    let name = "paths.lock";
    let path = subject.paths.lock_file();
    let shown = path.display();
    let said = fs::read_to_string(&path).unwrap_or_default();
    let pid: Option<u32> = said.lines().next().and_then(|pid| pid.parse().ok());
    let holder = pid.map_or_else(|| "somebody".to_owned(), |pid| format!("pid {pid}"));
    match (is_held(&subject.paths), &subject.instance) {
        (_, Instance::Running { status, .. }) => Check::ok(
            name,
            format!(
                "held by pid {}, which runs tundra {}",
                status.pid, status.version
            ),
        ),
        (Some(true), Instance::None | Instance::Silent(_)) => {
            let is_stopped = |pid| proc::process(pid).is_some_and(|process| process.is_stopped);
            let (state, cure) = match pid {
                Some(pid) if is_stopped(pid) => (
                    "is stopped (SIGSTOP)",
                    format!("kill -CONT {pid}: it goes on where it was"),
                ),
                Some(pid) => (
                    "does not answer",
                    format!(
                        "wait a moment; where it stays: kill {pid}, and start tundra, which brings the layout back"
                    ),
                ),
                None => (
                    "does not answer",
                    "find who holds it: fuser -v on the file".to_owned(),
                ),
            };
            let message = format!("{shown} is held by {holder}, which {state}");
            Check::fail(name, message, cure)
        }
        (Some(false), _) if path.exists() => Check::ok(
            name,
            format!("left by {holder}, which is gone: the next start takes it over"),
        ),
        (Some(false), _) => Check::ok(name, "no instance runs"),
        (None, _) => Check::skip(name, "this system does not tell who holds a lock"),
    }
}

/// Sockets that are left of an instance that is gone: nobody holds the home, and nobody answers.
pub(super) fn leftover_sockets(paths: &Paths) -> Vec<PathBuf> {
    if is_held(paths) != Some(false) {
        return Vec::new();
    }
    let dead = |path: &PathBuf| {
        let refused = |error: std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
        path.exists() && dial::connect(path).is_err_and(refused)
    };
    [paths.control_socket(), paths.attach_socket()]
        .into_iter()
        .filter(dead)
        .collect()
}

fn socket(subject: &Subject) -> Check {
    let name = "paths.socket";
    let path = subject.paths.control_socket();
    let shown = path.display();
    match &subject.instance {
        Instance::Running { status, .. } => {
            Check::ok(name, format!("{} answers", status.control_socket))
        }
        Instance::Silent(error) => Check::fail(
            name,
            error.to_string(),
            "paths.lock tells whose it is; another version: tundra upgrade",
        ),
        Instance::None => {
            let leftover = leftover_sockets(&subject.paths);
            if leftover.is_empty() {
                return Check::ok(name, "no instance runs");
            }
            Check::warn(
                name,
                format!("{shown} is left of an instance that is gone"),
                "tundra doctor --fix removes it; the next start does too",
            )
        }
    }
}
