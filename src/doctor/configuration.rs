//! The configuration file: what it says, and who may change it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::subject::Subject;
use crate::config::{others_may_write, secret_values};
use crate::domain::check::Check;

pub(super) const NAMES: [&str; 2] = ["config.file", "config.rights"];

pub(super) fn checks(subject: &Subject) -> Vec<Check> {
    vec![file(subject), rights(subject)]
}

fn file(subject: &Subject) -> Check {
    let name = "config.file";
    let path = subject.source.path.display();
    match &subject.settings {
        Ok(settings) if subject.source.path.exists() => {
            let profiles = match settings.profiles.len() {
                0 => "no profile, so keys and logins that are there are used".to_owned(),
                1 => "1 profile".to_owned(),
                count => format!("{count} profiles"),
            };
            Check::ok(name, format!("{path}: {profiles}"))
        }
        Ok(_) => Check::ok(name, format!("{path} is not there: the defaults hold")),
        Err(error) => Check::fail(
            name,
            error.faults().join("; "),
            "tundra config check tells each fault; tundra config print-default shows every key",
        ),
    }
}

fn rights(subject: &Subject) -> Check {
    let name = "config.rights";
    let path = &subject.source.path;
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Check::ok(name, format!("{shown} is not there"));
        }
        Err(error) => {
            return Check::fail(
                name,
                format!("{shown}: {error}"),
                match error.kind() {
                    std::io::ErrorKind::NotADirectory => {
                        "something above it is a file: another folder with --home DIR, or another file with --config FILE".to_owned()
                    }
                    _ => format!("chmod u+r {shown}, and u+x the folders above it"),
                },
            );
        }
    };
    let me = rustix::process::geteuid().as_raw();
    let mode = metadata.mode() & 0o7777;
    if metadata.uid() != me && metadata.uid() != 0 {
        return Check::fail(
            name,
            format!(
                "{shown} belongs to user {}, who could say what tundra runs",
                metadata.uid()
            ),
            format!("chown {me} {shown}"),
        );
    }
    if others_may_write(&metadata) {
        return Check::fail(
            name,
            format!(
                "{shown} can be written to by others (mode {mode:o}), who could say what tundra runs"
            ),
            format!("tundra doctor --fix, or chmod go-w {shown}"),
        );
    }
    if holds_secrets(subject) && mode & 0o044 != 0 {
        return Check::warn(
            name,
            format!(
                "{shown} holds headers or environments and can be read by others (mode {mode:o})"
            ),
            format!("tundra doctor --fix, or chmod 600 {shown}"),
        );
    }
    Check::ok(name, format!("mode {mode:o}"))
}

/// Whether there are values in it that are nobody else's: headers, environments; of a file that is refused, too.
pub(super) fn holds_secrets(subject: &Subject) -> bool {
    let text = fs::read(&subject.source.path).unwrap_or_default();
    !secret_values(&String::from_utf8_lossy(&text)).is_empty()
}
