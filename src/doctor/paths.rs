//! Folders and files: whose they are, the room on the disk, the lock and the socket.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::subject::{Instance, Subject};
use crate::config::{Paths, others_may_write};
use crate::domain::check::Check;
use crate::runtime::{dial, proc};

pub(super) const NAMES: [&str; 4] = ["paths.rights", "paths.disk", "paths.lock", "paths.socket"];
const MIB: u64 = 1 << 20;
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

/// Files that hold secrets, or what happened, as far as they are there.
pub(super) fn private_files(paths: &Paths) -> Vec<PathBuf> {
    let mut found = vec![paths.gateway_key(), paths.plans()];
    for name in [
        "remote.token",
        "remote-key.pem",
        "dolt.password",
        "session.json",
    ] {
        found.push(paths.state.join(name));
    }
    let journal = paths.journal();
    for suffix in ["", "-wal", "-shm"] {
        let mut name = journal.clone().into_os_string();
        name.push(suffix);
        found.push(name.into());
    }
    found.push(paths.log_file());
    found.retain(|path| path.exists());
    found
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
            faults.join("; "),
            "tundra doctor --fix closes what is yours; what belongs to another user: chown it, or --home DIR",
        );
    }
    if let Err(error) = paths.check() {
        let cure = "correct what the message names, or tundra --home DIR with another folder";
        return Check::fail(name, error.to_string(), cure);
    }
    let open: Vec<String> = [&paths.data, &paths.state, &paths.logs, &paths.run]
        .into_iter()
        .filter_map(|path| fault(path, |folder| folder.mode() & 0o055 != 0))
        .collect();
    if !open.is_empty() {
        return Check::warn(name, open.join("; "), "tundra doctor --fix, or chmod 700");
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
        (Some(true), Instance::None | Instance::Silent(_)) => Check::fail(
            name,
            format!("{shown} is held by {holder}, which does not answer"),
            match pid {
                Some(pid) => format!(
                    "wait a moment; where it stays: kill {pid}, and start tundra, which brings the layout back"
                ),
                None => "find who holds it: fuser -v on the file".to_owned(),
            },
        ),
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
