//! Looks whether a program can go on in this one's place, before anything is given up.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::runtime::handover::FORMAT;
use crate::runtime::secrets;

/// How long a program may take to say whether it takes the state.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);
/// What is read of what it says.
const MOST_SAID: u64 = 64 << 10;
/// What is told of its complaints.
const MOST_TOLD: usize = 400;

/// What a program says of itself when it is asked whether it can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanResume {
    /// Its version.
    pub tundra: String,
    /// The forms of state that it takes.
    pub formats: Vec<u32>,
    /// Why it cannot, where it cannot.
    #[serde(default)]
    pub obstacle: Option<String>,
}

impl CanResume {
    /// What this program says.
    #[must_use]
    pub fn own(version: &str, obstacle: Option<String>) -> Self {
        Self {
            tundra: version.to_owned(),
            formats: vec![FORMAT],
            obstacle,
        }
    }
}

/// Asks a program whether it takes this state; its version, where it does.
///
/// # Errors
/// Why it does not, in words for whoever asked.
pub(super) async fn ask(program: &Path, globals: &[OsString]) -> Result<String, String> {
    let shown = program.display();
    let mut command = Command::new(program);
    command
        .args(globals)
        .arg("--can-resume")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    for variable in secrets::kept_from_children() {
        command.env_remove(variable);
    }
    let mut child = command
        .spawn()
        .map_err(|error| format!("{shown} cannot be started: {error}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let asked = async { tokio::join!(said(stdout), said(stderr), child.wait()) };
    let asked = timeout(ANSWERS_WITHIN, asked).await;
    let Ok((stdout, stderr, status)) = asked else {
        end_group(&child);
        let seconds = ANSWERS_WITHIN.as_secs();
        return Err(format!(
            "{shown} does not say within {seconds} s whether it can take over"
        ));
    };
    let status = status.map_err(|error| format!("{shown} was lost: {error}"))?;
    if !status.success() {
        let complaint = complaint(&stderr);
        return Err(format!(
            "{shown} cannot take over: it ended with {status}{complaint}"
        ));
    }
    let answer: CanResume = serde_json::from_slice(stdout.trim_ascii()).map_err(|_| {
        format!("{shown} is no tundra that can take over: it does not say so when asked")
    })?;
    if let Some(obstacle) = answer.obstacle {
        return Err(format!("{shown} cannot take over: {obstacle}"));
    }
    if !answer.formats.contains(&FORMAT) {
        return Err(format!(
            "{shown} is tundra {}, which does not take the state of this one (form {FORMAT})",
            answer.tundra
        ));
    }
    Ok(answer.tundra)
}

async fn said(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut said = Vec::new();
    if let Some(stream) = stream {
        // What cannot be read was not said.
        let _ = stream.take(MOST_SAID).read_to_end(&mut said).await;
    }
    said
}

/// The last line of what a program complained of.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let last = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    last.map_or_else(String::new, |line| {
        let printable = line.chars().filter(|c| !c.is_control());
        format!(": {}", printable.take(MOST_TOLD).collect::<String>())
    })
}

/// Kills what a program has started besides; the program itself is killed when it is dropped.
fn end_group(child: &tokio::process::Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

/// Whether a path is a file that can be executed at all, before it is asked.
///
/// # Errors
/// Why it is not.
pub(super) fn look_at(program: &Path) -> io::Result<()> {
    let metadata = std::fs::metadata(program)?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    rustix::fs::access(program, rustix::fs::Access::EXEC_OK)?;
    Ok(())
}
