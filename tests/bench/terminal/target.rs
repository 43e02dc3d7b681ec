//! What is measured: a program alone in the terminal, tmux, tundra.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::files::Scratch;
use crate::options::Options;
use crate::outer::{Awaited, Outer};
use crate::process::{instance, pss_kib, stop};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Bare,
    Tmux,
    Tundra,
}

/// A target that runs, in the outer terminal.
pub struct Session {
    target: Target,
    pub outer: Outer,
    folder: PathBuf,
    tundra: PathBuf,
    name: String,
}

/// CPU time and context switches of a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    pub seconds: f64,
    pub switches: u64,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Target {
    pub const ALL: [Self; 3] = [Self::Bare, Self::Tmux, Self::Tundra];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Tmux => "tmux",
            Self::Tundra => "tundra",
        }
    }

    /// Tells whether it can be run here; says what is missing.
    pub fn present(self, options: &Options) -> bool {
        let mut probe = match self {
            Self::Bare => return true,
            Self::Tmux => Command::new("tmux"),
            Self::Tundra => Command::new(&options.tundra),
        };
        let flag = if self == Self::Tmux {
            "-V"
        } else {
            "--version"
        };
        let done = probe.arg(flag).stderr(Stdio::null()).output();
        let present = done.is_ok_and(|done| done.stdout.starts_with(self.name().as_bytes()));
        if !present {
            eprintln!("SKIPPED: {} cannot be run here", self.name());
        }
        present
    }

    /// Starts it with `script` in its first pane, and watches for `text`.
    pub fn start(
        self,
        options: &Options,
        scratch: &Scratch,
        script: &str,
        text: &str,
    ) -> (Session, Awaited) {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("b{}-{number}", std::process::id());
        let folder = scratch.folder(&name);
        let file = folder.join("s.sh");
        crate::files::write_script(&file, script);
        let mut command = match self {
            Self::Bare => {
                let mut command = clean("sh", &folder);
                command.arg(&file);
                command
            }
            Self::Tmux => {
                // As much history as tundra keeps.
                let conf = folder.join("tmux.conf");
                fs::write(&conf, "set -g history-limit 10000\n").unwrap();
                let mut command = clean("tmux", &folder);
                command.args(["-L", &name, "-f"]).arg(conf);
                command.args(["new-session", "sh"]).arg(&file);
                command
            }
            Self::Tundra => {
                let config = folder.join("config");
                fs::create_dir_all(&config).unwrap();
                fs::write(config.join("config.toml"), "[pty]\nmax_ptys = 100\n").unwrap();
                let mut command = clean(&options.tundra, &folder);
                command.args(["--", "sh"]).arg(&file);
                command
            }
        };
        command.current_dir(&folder);
        let (outer, awaited) = Outer::start(command, text);
        let session = Session {
            target: self,
            outer,
            folder,
            tundra: options.tundra.clone(),
            name,
        };
        (session, awaited)
    }
}

/// A command with nothing of the caller's environment but `PATH`.
fn clean(program: impl AsRef<Path>, folder: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("TUNDRA_HOME", folder)
        .env("TMUX_TMPDIR", folder)
        .env("SHELL", "/bin/sh")
        .env("LANG", "C.UTF-8")
        .env("TERM", "xterm-256color");
    command
}

impl Session {
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens one more pane behind the one that is shown.
    pub fn open_hidden(&self, command: &str) {
        let mut open = match self.target {
            Target::Bare => return,
            Target::Tmux => {
                let mut open = self.tmux();
                open.args(["new-window", "-d", command]);
                open
            }
            Target::Tundra => {
                let mut open = clean(&self.tundra, &self.folder);
                open.args(["new", "--", "sh", "-c", command]);
                open
            }
        };
        let done = open.stdout(Stdio::null()).status().unwrap();
        assert!(
            done.success(),
            "{} opens no pane for {command}",
            self.target.name()
        );
    }

    /// Leaves the terminal, and shows the same in a fresh one; answers how long that took until `text` was on it.
    pub fn attach_again(&mut self, text: &str) -> Duration {
        // Both are left by the same keys.
        self.outer.type_("\x02d");
        self.outer.child.wait().unwrap();
        let mut command = match self.target {
            Target::Bare => unreachable!("a bare terminal is not left"),
            Target::Tmux => {
                let mut command = self.tmux();
                command.arg("attach");
                command
            }
            Target::Tundra => clean(&self.tundra, &self.folder),
        };
        command.current_dir(&self.folder);
        let (outer, awaited) = Outer::start(command, text);
        self.outer = outer;
        let seen = awaited.wait("the last pane of the first frame");
        seen.at - self.outer.started
    }

    /// Lets the same program take over anew.
    pub fn upgrade(&self) -> Child {
        let mut command = clean(&self.tundra, &self.folder);
        let command = command.arg("upgrade").stdout(Stdio::null());
        command.spawn().unwrap()
    }

    /// Proportional memory of the process in the terminal alone, in KiB.
    pub fn lender_pss_kib(&self) -> u64 {
        pss_kib(self.outer.child.id())
    }

    fn tmux(&self) -> Command {
        let mut command = clean("tmux", &self.folder);
        command.args(["-L", &self.name]);
        command
    }

    /// The processes that the target itself consists of.
    pub fn processes(&self) -> Vec<u32> {
        let mut pids = vec![self.outer.child.id()];
        if self.target == Target::Tmux {
            let told = self
                .tmux()
                .args(["display-message", "-p", "#{pid}"])
                .output()
                .unwrap();
            let server = String::from_utf8(told.stdout).unwrap();
            pids.push(server.trim().parse().unwrap());
        } else if self.target == Target::Tundra {
            pids.push(instance(&self.folder));
        }
        pids
    }

    /// Proportional memory of all its processes, in KiB.
    pub fn pss_kib(&self) -> u64 {
        self.processes().into_iter().map(pss_kib).sum()
    }

    pub fn work(&self) -> Work {
        self.processes()
            .into_iter()
            .map(work)
            .fold(Work::default(), |a, b| Work {
                seconds: a.seconds + b.seconds,
                switches: a.switches + b.switches,
            })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.target == Target::Tmux {
            let _ = self
                .tmux()
                .arg("kill-server")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        } else if self.target == Target::Tundra {
            stop(&self.folder);
            let _ = self.outer.child.wait();
        }
    }
}

fn work(pid: u32) -> Work {
    let mut told = String::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let status = task.unwrap().path().join("status");
        write!(told, "{}", fs::read_to_string(status).unwrap_or_default()).unwrap();
    }
    let switches = told
        .lines()
        .filter(|line| line.contains("ctxt_switches:"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = [11, 12]
        .iter()
        .map(|at| fields[*at].parse::<f64>().unwrap())
        .sum();
    let per_second = rustix::param::clock_ticks_per_second();
    Work {
        seconds: ticks / per_second as f64,
        switches,
    }
}
