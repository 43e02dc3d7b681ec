//! A folder that holds everything one test's tundra reads and writes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::command::{self, Finished};
use super::procs;

/// The binary under test.
pub const TUNDRA: &str = env!("CARGO_BIN_EXE_tundra");

/// How long a command of tundra may take.
const COMMAND_DEADLINE: Duration = Duration::from_secs(60);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// `TUNDRA_HOME` and `HOME` of one test. Dropping it ends every process that was started with it and takes it away; on
/// a failing test the logs are shown first.
pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// A home without a configuration.
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Short, since a socket's path may have no more than 107 bytes.
        let folder =
            std::env::temp_dir().join(format!("tundra-it-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("user")).unwrap();
        Self { folder }
    }

    /// The home of an instance that has ended, for whatever comes next; what it was taken from keeps an empty one.
    pub fn taken_from(home: &mut Self) -> Self {
        std::mem::replace(home, Self::new())
    }

    /// A home with this `config.toml`.
    pub fn with_config(toml: &str) -> Self {
        let home = Self::new();
        home.configure(toml);
        home
    }

    /// Writes `config.toml` as an editor does: a new file that takes the old one's place.
    pub fn configure(&self, toml: &str) {
        let folder = self.folder.join("config");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml.new"), toml).unwrap();
        fs::rename(folder.join("config.toml.new"), self.config_file()).unwrap();
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    pub fn config_file(&self) -> PathBuf {
        self.folder.join("config/config.toml")
    }

    /// A place for a test's own files; also `$HOME` of everything started here.
    pub fn user(&self) -> PathBuf {
        self.folder.join("user")
    }

    /// A file in [`Home::user`].
    pub fn file(&self, name: &str) -> PathBuf {
        self.user().join(name)
    }

    /// A program of the test's own in [`Home::user`]; `name` may have a folder before it.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Any program with this home's environment and nothing of the tester's but `PATH`.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.user())
            .env("TUNDRA_HOME", &self.folder)
            .env("SHELL", "/bin/sh")
            .env("PS1", "$ ")
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor")
            .current_dir(self.user());
        command
    }

    /// The binary under test, not yet started.
    pub fn tundra(&self, args: &[&str]) -> Command {
        let mut command = self.program(TUNDRA);
        command.args(args);
        command
    }

    /// Runs a command of tundra to its end.
    pub fn cli(&self, args: &[&str]) -> Finished {
        command::run(self.tundra(args), b"", COMMAND_DEADLINE)
    }

    /// What the logs hold, all files in one.
    pub fn logs(&self) -> String {
        let Ok(entries) = fs::read_dir(self.folder.join("logs")) else {
            return String::new();
        };
        let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        files.sort();
        files
            .iter()
            .filter(|file| fs::metadata(file).is_ok_and(|meta| meta.is_file()))
            .filter_map(|file| fs::read(file).ok())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }

    /// The process that is the instance, as its lock tells; a front end's terminal belongs to another one.
    #[track_caller]
    pub fn instance(&self) -> u32 {
        self.instance_now().expect("an instance has been started")
    }

    /// As [`Home::instance`]; None where there has never been one.
    pub fn instance_now(&self) -> Option<u32> {
        let lock = fs::read_to_string(self.folder.join("state/tundra.lock")).ok()?;
        lock.lines().next()?.parse().ok()
    }

    /// Everything that still runs with this home, the instance and its terminals' programs included.
    pub fn processes(&self) -> Vec<procs::Process> {
        procs::with_environment(&format!("{}\0", self.folder.join("user").display()))
    }

    pub fn kill_all(&self) {
        for process in self.processes() {
            procs::signal(process.pid, Signal::KILL);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.logs();
            let tail: Vec<&str> = logs.lines().rev().take(40).collect();
            eprintln!("--- the end of the logs of {}", self.folder.display());
            for line in tail.iter().rev() {
                eprintln!("{line}");
            }
            for process in self.processes() {
                eprintln!("--- still running: {process:?}");
            }
        }
        self.kill_all();
        // What a dying process still writes into it is not worth failing for.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
