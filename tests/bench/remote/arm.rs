//! What is measured: a bare socket, ttyd, and tundra in both modes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::files::{Scratch, write_script};
use crate::options::Options;
use crate::process::pss_kib;
use crate::viewer::{PATIENCE, Place};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arm {
    Bare,
    Ttyd,
    Plain,
    V1,
}

/// A server that runs, with one terminal.
pub struct Server {
    child: Child,
    pub place: Place,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Arm {
    pub const ALL: [Self; 4] = [Self::Bare, Self::Ttyd, Self::Plain, Self::V1];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare socket",
            Self::Ttyd => "ttyd",
            Self::Plain => "tundra, plain",
            Self::V1 => "tundra.v1",
        }
    }

    pub const fn protocol(self) -> Option<&'static str> {
        match self {
            Self::Bare | Self::Plain => None,
            Self::Ttyd => Some("tty"),
            Self::V1 => Some("tundra.v1"),
        }
    }

    pub const fn is_tundra(self) -> bool {
        matches!(self, Self::Plain | Self::V1)
    }

    /// Tells whether it can be run here; says what is left out.
    pub fn present(self, options: &Options) -> bool {
        let program = match self {
            Self::Bare => return true,
            Self::Ttyd => ttyd_program(),
            Self::Plain | Self::V1 => options.tundra.clone(),
        };
        let done = Command::new(&program).arg("--version").output();
        let present = done.is_ok_and(|done| done.status.success());
        if !present {
            eprintln!(
                "LEFT OUT: {} ({} cannot be run here)",
                self.name(),
                program.display()
            );
        }
        present
    }

    /// Starts ttyd or tundra with a terminal of 200x50 that runs `script`.
    pub fn start(self, options: &Options, scratch: &Scratch, script: &str) -> Server {
        let folder = fresh_folder(scratch);
        let file = folder.join("s.sh");
        write_script(&file, script);
        match self {
            Self::Bare => panic!("the bare socket is a thread of the bench"),
            Self::Ttyd => ttyd(&folder, &file),
            Self::Plain | Self::V1 => {
                let (child, address) = serve(options, &folder);
                let token = token(&folder);
                let id = open_terminal(address, &token, &folder);
                let place = Place {
                    arm: self,
                    address,
                    path: format!("/ws/terminal/{id}"),
                    token,
                };
                Server { child, place }
            }
        }
    }
}

pub fn fresh_folder(scratch: &Scratch) -> PathBuf {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    scratch.folder(&format!("r{}-{number}", std::process::id()))
}

/// A command with nothing of the caller's environment but `PATH`.
pub fn clean(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("TUNDRA_HOME", folder)
        .env("SHELL", "/bin/sh")
        .env("LANG", "C.UTF-8")
        .env("TERM", "xterm-256color")
        .current_dir(folder);
    command
}

fn ttyd_program() -> PathBuf {
    std::env::var_os("TUNDRA_BENCH_TTYD").map_or("ttyd".into(), PathBuf::from)
}

fn ttyd(folder: &Path, file: &Path) -> Server {
    // It tells its port nowhere: one that was free a moment ago.
    let address = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let mut command = clean(&ttyd_program(), folder);
    command
        .args(["-i", "127.0.0.1", "-W", "-d", "0", "-p"])
        .arg(address.port().to_string())
        .arg("sh")
        .arg(file);
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < until, "ttyd does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    let place = Place {
        arm: Arm::Ttyd,
        address,
        path: "/ws".to_owned(),
        token: String::new(),
    };
    Server { child, place }
}

/// The lines of configuration that every tundra here runs with.
pub fn configure(folder: &Path) {
    let config = folder.join("config");
    fs::create_dir_all(&config).unwrap();
    let lines = "[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\nmax_viewers = 200\n";
    fs::write(config.join("config.toml"), lines).unwrap();
}

fn serve(options: &Options, folder: &Path) -> (Child, SocketAddr) {
    configure(folder);
    let mut child = clean(&options.tundra, folder)
        .args(["serve", "--print-ready"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let address = address_of(ready["remote_url"].as_str().unwrap());
    (child, address)
}

pub fn address_of(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

pub fn token(folder: &Path) -> String {
    let file = folder.join("state/remote.token");
    fs::read_to_string(file).unwrap().trim().to_owned()
}

/// Opens a terminal of 200x50 that runs the folder's script; gives its id.
pub fn open_terminal(address: SocketAddr, token: &str, folder: &Path) -> String {
    let body = json!({
        "command": "sh", "args": [folder.join("s.sh")], "cwd": folder, "cols": 200, "rows": 50, "persistent": true,
    })
    .to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /api/terminals HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let facts: Value = serde_json::from_str(body).unwrap();
    facts["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

impl Server {
    pub fn pss_kib(&self) -> u64 {
        pss_kib(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        terminate(&mut self.child);
    }
}

/// Lets it end its children; a kill would leave that to the kernel's hangup.
fn terminate(child: &mut Child) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let _ = child.wait();
}
