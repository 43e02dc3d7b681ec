//! A headless instance and the commands that speak to it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;
use serde_json::Value;

use super::command::{Finished, exit_code};
use super::condition::{PATIENCE, eventually};
use super::home::Home;
use super::procs;

/// `tundra serve --print-ready`, up and listening. Dropping it ends it and fails the test if a process is left.
pub struct Serve {
    pub home: Home,
    child: Child,
    ready: Value,
    stderr: Option<thread::JoinHandle<String>>,
}

impl Serve {
    pub fn start() -> Self {
        Self::at(Home::new())
    }

    pub fn with_config(toml: &str) -> Self {
        Self::at(Home::with_config(toml))
    }

    pub fn at(home: Home) -> Self {
        let command = home.tundra(&["serve", "--print-ready"]);
        Self::from(home, command)
    }

    /// Starts `command`, which must end up as `tundra serve --print-ready` under the same pid.
    pub fn from(home: Home, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (send, line) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let mut errors = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = std::io::Read::read_to_end(&mut errors, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let Ok(line) = line.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            let status = child.wait().unwrap();
            panic!("no ready line, {status}: {}", stderr.join().unwrap());
        };
        let ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        Self {
            home,
            child,
            ready,
            stderr: Some(stderr),
        }
    }

    /// What is left of an instance that has ended, for the next one.
    pub fn into_home(mut self) -> Home {
        assert!(!self.running(), "the instance still runs");
        std::mem::replace(&mut self.home, Home::new())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The line that `--print-ready` printed.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    pub fn cli(&self, args: &[&str]) -> Finished {
        self.home.cli(args)
    }

    /// Opens a terminal of 80x24 and answers its id.
    #[track_caller]
    pub fn open(&self, command: &[&str]) -> String {
        self.open_with(&["--cols", "80", "--rows", "24"], command)
    }

    /// Opens a terminal with options of `tundra new`.
    #[track_caller]
    pub fn open_with(&self, options: &[&str], command: &[&str]) -> String {
        let mut args = vec!["new"];
        args.extend(options);
        args.push("--");
        args.extend(command);
        self.cli(&args).ok().trim().to_owned()
    }

    /// Opens a terminal that runs a line of shell.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        self.open(&["sh", "-c", script])
    }

    #[track_caller]
    pub fn send(&self, id: &str, text: &str) {
        self.cli(&["send", id, "--", text]).ok();
    }

    /// Types a line and Enter.
    #[track_caller]
    pub fn enter(&self, id: &str, text: &str) {
        self.cli(&["send", id, "--enter", "--", text]).ok();
    }

    #[track_caller]
    pub fn key(&self, id: &str, chord: &str) {
        self.cli(&["send", id, "--key", chord]).ok();
    }

    /// Waits for text on the screen or in the history.
    #[track_caller]
    pub fn wait_text(&self, id: &str, regex: &str) {
        let done = self.cli(&["wait", id, "--text", regex, "--timeout", "50s"]);
        if done.code != 0 {
            let screen = self.cli(&["capture", id, "--scrollback"]);
            panic!("no {regex:?} in\n{}\n{done:#?}", screen.stdout);
        }
    }

    #[track_caller]
    pub fn wait_exit(&self, id: &str) {
        self.cli(&["wait", id, "--exit", "--timeout", "50s"]).ok();
    }

    #[track_caller]
    pub fn capture(&self, id: &str) -> String {
        self.cli(&["capture", id]).ok()
    }

    #[track_caller]
    pub fn screen(&self, id: &str) -> Value {
        self.cli(&["capture", id, "--json"]).json()
    }

    /// The screen's rows joined, for output that wraps.
    #[track_caller]
    pub fn joined(&self, id: &str) -> String {
        self.screen(id)["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect()
    }

    /// Its entry in `tundra ls --json`.
    #[track_caller]
    pub fn terminal(&self, id: &str) -> Value {
        let list = self.cli(&["ls", "--json"]).json();
        list.as_array()
            .unwrap()
            .iter()
            .find(|terminal| terminal["id"] == id)
            .unwrap_or_else(|| panic!("{id} is not in {list}"))
            .clone()
    }

    #[track_caller]
    pub fn child_pid(&self, id: &str) -> u32 {
        u32::try_from(self.terminal(id)["pid"].as_u64().unwrap()).unwrap()
    }

    pub fn running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal and waits for the end: exit code and what was told on stderr.
    pub fn end(&mut self, signal: Signal) -> (i32, String) {
        procs::signal(self.child.id(), signal);
        let code = self.wait();
        let told = self.stderr.take().map(|thread| thread.join().unwrap());
        (code, told.unwrap_or_default())
    }

    fn wait(&mut self) -> i32 {
        let child = &mut self.child;
        exit_code(eventually("tundra serve ends", || {
            child.try_wait().unwrap()
        }))
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.child.kill();
            let _ = self.child.wait();
            return;
        }
        if self.running() {
            procs::signal(self.child.id(), Signal::TERM);
            self.wait();
        }
        let home = &self.home;
        let left = home.processes();
        if !left.is_empty() {
            eventually(&format!("nothing is left of {left:?}"), || {
                home.processes().is_empty()
            });
        }
    }
}
