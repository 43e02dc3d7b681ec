//! Asks a program for its version, within a time.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::secrets;

/// As much of what it says as is read, in bytes.
const MOST: u64 = 4096;

/// What `PROGRAM --version` writes within `patience`; None where that is nothing. Blocks for no longer. Whatever it has
/// started by then is ended.
#[must_use]
pub fn version_of(program: &Path, patience: Duration) -> Option<String> {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    for name in secrets::kept_from_children() {
        command.env_remove(name);
    }
    let mut child = command.spawn().ok()?;
    let output = child.stdout.take()?;
    let (said, hear) = mpsc::channel();
    // Ends with the output, which ends with the group at the latest.
    std::thread::spawn(move || {
        let mut output = output.take(MOST);
        let mut space = [0; 512];
        while let Ok(count @ 1..) = output.read(&mut space) {
            let _ = said.send(space.get(..count).unwrap_or_default().to_vec());
        }
    });
    let deadline = Instant::now() + patience;
    let mut text = Vec::new();
    // Something that it leaves behind may hold its output open after it has said everything.
    while let Ok(more) = hear.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        text.extend(more);
    }
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    fn script(name: &str, body: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tundra-version-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn a_program_tells_its_version() {
        let path = script("told", "echo \"tool 1.2 $1\"");
        let told = version_of(&path, Duration::from_secs(20));
        assert_eq!(told.as_deref(), Some("tool 1.2 --version"));
    }

    #[test]
    fn what_it_said_counts_though_it_does_not_end() {
        let path = script("lingers", "echo 'tool 1.2'; exec sleep 600");
        let told = version_of(&path, Duration::from_secs(3));
        assert_eq!(told.as_deref(), Some("tool 1.2"));
    }

    #[test]
    fn one_that_says_nothing_is_given_up_with_all_it_started() {
        let path = script("silent", "sleep 600 & sleep 600");
        let began = Instant::now();
        assert_eq!(version_of(&path, Duration::from_millis(100)), None);
        assert!(began.elapsed() < Duration::from_secs(60));
        assert_eq!(version_of(Path::new("/no/such"), Duration::ZERO), None);
    }
}
