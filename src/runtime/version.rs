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
/// The same of a package's manifest.
const MOST_MANIFEST: u64 = 1 << 20;

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

/// The version of the npm package that a program is of, as its `package.json` has it: what a program of node's says of itself
/// takes its time. None where it is of no package.
#[must_use]
pub fn packaged(program: &Path) -> Option<String> {
    /// Folders between a program and its package.
    const MOST_LEVELS: usize = 4;
    let path = program.canonicalize().ok()?;
    let folders = path.ancestors().skip(1).take(MOST_LEVELS);
    let manifest = folders
        .map(|folder| folder.join("package.json"))
        .find(|file| file.is_file())?;
    let mut text = String::new();
    let file = std::fs::File::open(manifest).ok()?;
    file.take(MOST_MANIFEST).read_to_string(&mut text).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
    manifest.get("version")?.as_str().map(str::to_owned)
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
    fn a_program_of_a_package_has_its_version() {
        let linked = script("linked", "");
        let root = linked.with_file_name("tool-package");
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::write(
            root.join("package.json"),
            r#"{"name":"tool","version":"1.2.3"}"#,
        )
        .unwrap();
        fs::write(root.join("bin/tool.js"), "").unwrap();
        fs::remove_file(&linked).unwrap();
        std::os::unix::fs::symlink(root.join("bin/tool.js"), &linked).unwrap();
        assert_eq!(packaged(&linked).as_deref(), Some("1.2.3"));
        assert_eq!(packaged(Path::new("/bin/sh")), None);
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
