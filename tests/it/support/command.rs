//! Running a command to its end.

use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::condition;

/// A command that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Its output, if it went well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.stdout
    }

    /// Its output as JSON, if it went well.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    /// Fails unless it exited with `code` and told exactly `text` as a line on stderr (a prefix such as `error: ` or
    /// the program's name may stand before it).
    #[track_caller]
    pub fn refused(&self, code: i32, text: &str) {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(
            self.stderr.lines().any(|line| line.ends_with(text)),
            "{text:?} is no line of {:?}",
            self.stderr
        );
        assert_eq!(
            self.stdout, "",
            "data goes to stdout only when there is some"
        );
    }
}

/// Runs `command` with `input` on stdin; fails the test when it takes longer than `deadline`.
pub fn run(mut command: Command, input: &[u8], deadline: Duration) -> Finished {
    let name = format!("{command:?}");
    let name = name
        .char_indices()
        .nth(600)
        .map_or(name.as_str(), |(cut, _)| &name[..cut]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // A command that does not read its input may end first.
        let _ = stdin.write_all(&input);
    });
    let mut status = None;
    let start = std::time::Instant::now();
    while status.is_none() && start.elapsed() < deadline {
        status = child.try_wait().unwrap();
        if status.is_none() {
            condition::pause();
        }
    }
    let Some(status) = status else {
        child.kill().unwrap();
        child.wait().unwrap();
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        panic!("not within {deadline:?}: the end of {name}\nstdout: {stdout}\nstderr: {stderr}");
    };
    writer.join().unwrap();
    Finished {
        code: exit_code(status),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

/// The exit code as a shell shows it: 128+n where a signal ended the process.
pub fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap()
}

fn collect(mut source: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
