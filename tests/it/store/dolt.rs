//! A real Dolt server of a test's own.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::support::{eventually, procs, skip};

pub const PASSWORD: &str = "of-the-test";

/// The binary: that of `TUNDRA_TEST_DOLT`, else the one on the PATH; where there is none it is said loudly.
pub fn binary() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("TUNDRA_TEST_DOLT") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("dolt"))
        .find(|path| path.is_file());
    if found.is_none() {
        skip("dolt is not on the PATH and TUNDRA_TEST_DOLT names none");
    }
    found
}

/// A running server; it is asked to end when it is dropped.
pub struct Dolt {
    binary: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl Dolt {
    pub fn start(binary: &Path, folder: PathBuf) -> Self {
        let address = free();
        let mut dolt = Self {
            binary: binary.to_owned(),
            folder,
            address,
            child: None,
        };
        dolt.run();
        dolt
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it, on the same port as before.
    pub fn run(&mut self) {
        fs::create_dir_all(self.folder.join("data")).unwrap();
        let config = self.folder.join("config.yaml");
        let text = format!(
            "log_level: warning\nlistener:\n  host: 127.0.0.1\n  port: {}\ndata_dir: {}\ncfg_dir: {}\n",
            self.address.port(),
            self.folder.join("data").display(),
            self.folder.join("cfg").display()
        );
        fs::write(&config, text).unwrap();
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let child = Command::new(&self.binary)
            .args(["sql-server", "--config"])
            .arg(&config)
            .env("HOME", &self.folder)
            .env("DOLT_ROOT_PATH", &self.folder)
            .env("DOLT_ROOT_HOST", "127.0.0.1")
            .env("DOLT_ROOT_PASSWORD", PASSWORD)
            .env("DOLT_DISABLE_EVENT_FLUSH", "1")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        eventually("dolt takes connections", || {
            TcpStream::connect(self.address).is_ok()
        });
    }

    /// Asks it to end and waits.
    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            procs::signal(child.id(), Signal::TERM);
            child.wait().unwrap();
        }
    }

    /// What a query answers, as CSV without its head; asked of the running server.
    pub fn csv(&self, database: &str, query: &str) -> Vec<String> {
        let output = Command::new(&self.binary)
            .args([
                "--host",
                "127.0.0.1",
                "--port",
                &self.address.port().to_string(),
            ])
            .args([
                "--user",
                "root",
                "--password",
                PASSWORD,
                "--no-tls",
                "--use-db",
                database,
            ])
            .args(["sql", "-r", "csv", "-q", query])
            .env("HOME", &self.folder)
            .env("DOLT_ROOT_PATH", &self.folder)
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }
}

impl Drop for Dolt {
    fn drop(&mut self) {
        self.end();
    }
}

/// An address that nobody has.
pub fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
