//! A Dolt server of tundra's own: its folder, its configuration, its password, and the process behind them.
//!
//! It is started on a free loopback port, is known by a mark in its environment that no other server has, and is only
//! ever asked to end: Dolt that is killed while it writes may lose what it keeps.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::connect::Server;
use super::error::DoltError;
use crate::runtime::tasks::Tasks;
use crate::runtime::{private, proc, programs};
use crate::store::kept::KeptManaged;
use crate::supervise::{Children, Overdue, Probe, ProcessState, Spec};

const NAME: &str = "dolt";
const PROGRAM: &str = "dolt";
/// Names the folder that a server of tundra's was started for; nobody else sets it.
const MARK: &str = "TUNDRA_DOLT_FOLDER";
/// From being started to taking connections; a large folder that was not closed takes its time.
const READY: Duration = Duration::from_secs(60);
/// From being asked to end to having ended.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between looks at a process that is to end.
const LOOK: Duration = Duration::from_millis(100);
const PASSWORD_BYTES: usize = 24;

/// Where a server of tundra's own keeps its things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedOptions {
    pub folder: PathBuf,
    pub state: PathBuf,
    pub logs: PathBuf,
    /// Variables that it must not see.
    pub without: Vec<String>,
}

/// The server, once it is wanted.
#[derive(Debug)]
pub(super) struct Managed {
    options: ManagedOptions,
    tasks: Tasks,
    children: Children,
    /// Where it was last started.
    running: Option<(Server, SocketAddr)>,
    /// The port of one that another program in this process has left running, until it is taken up.
    left: Option<u16>,
}

impl Managed {
    /// None runs yet but the one that another program in this process has left.
    pub fn new(options: ManagedOptions, left: Option<KeptManaged>) -> Self {
        let tasks = Tasks::default();
        let port = left.as_ref().map(|left| left.port);
        let children = left.map(|left| left.children).unwrap_or_default();
        Self {
            children: Children::resume(tasks.clone(), children),
            options,
            tasks,
            running: None,
            left: port,
        }
    }

    /// Ends one that another program has left and that nobody wants any more. It is not waited for.
    pub fn end(left: KeptManaged, tasks: &Tasks) {
        Children::resume(tasks.clone(), left.children).keep(Vec::new());
    }

    /// A server that takes connections, started where none does, and its pid. Dropped half way, it goes on starting.
    pub async fn serve(&mut self, wanted: &Server) -> Result<(Server, u32), DoltError> {
        let state = self.children.status(NAME).map(|status| status.state);
        let is_kept = matches!(state, Some(ProcessState::Starting | ProcessState::Ready));
        if !is_kept || self.running.is_none() {
            self.start(wanted).await?;
        }
        let mut changed = self.children.watch();
        let ready = async {
            loop {
                match self.children.status(NAME) {
                    Some(status) if status.state == ProcessState::Ready => return status.pid,
                    Some(status) if status.state == ProcessState::Starting => {}
                    _ => return None,
                }
                if changed.changed().await.is_err() {
                    return None;
                }
            }
        };
        let pid = timeout(READY, ready).await.ok().flatten();
        match (pid, &self.running) {
            (Some(pid), Some((server, _))) => Ok((server.clone(), pid)),
            _ => Err(self.not_ready()),
        }
    }

    /// Asks the server to end and waits for it; it is never killed.
    pub async fn stop(self) {
        self.tasks.shutdown(PATIENCE + Duration::from_secs(1)).await;
    }

    /// Leaves the server running for another program in this process; None where there is none.
    pub async fn leave(self) -> Option<KeptManaged> {
        let running = self.running.as_ref().map(|(_, address)| address.port());
        let port = running.or(self.left)?;
        let children = self.children.leave().await;
        Some(KeptManaged { port, children })
    }

    async fn start(&mut self, wanted: &Server) -> Result<(), DoltError> {
        if let Some(port) = self.left.take() {
            let folder = self.prepare_folder()?;
            let password = self.password(&folder)?;
            self.run(folder, (Ipv4Addr::LOCALHOST, port).into(), password, wanted);
            return Ok(());
        }
        programs::find_here(PROGRAM).map_err(|error| {
            DoltError::Managed(format!("{error}: install it, or set dolt.managed = false"))
        })?;
        self.children.keep(Vec::new());
        let folder = self.prepare_folder()?;
        end_leftovers(&folder).await?;
        let password = self.password(&folder)?;
        // Free now; where it is taken before the server has it, the server ends and the next try takes another.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        drop(listener);
        private::replace(
            &configuration_file(&folder),
            configuration(&folder, address.port()).as_bytes(),
        )?;
        self.run(folder, address, password, wanted);
        Ok(())
    }

    /// Lets the server run whose configuration is written; one that runs as this one would is taken up.
    fn run(&mut self, folder: PathBuf, address: SocketAddr, password: String, wanted: &Server) {
        let config = configuration_file(&folder);
        let mut spec = Spec::new(
            NAME,
            [PROGRAM, "sql-server", "--config", &config.to_string_lossy()]
                .map(str::to_owned)
                .to_vec(),
            self.log(),
        );
        let text = |path: &Path| path.to_string_lossy().into_owned();
        spec.env = vec![
            (MARK.to_owned(), text(&folder)),
            ("DOLT_ROOT_PATH".to_owned(), text(&folder.join(".home"))),
            ("DOLT_ROOT_HOST".to_owned(), Ipv4Addr::LOCALHOST.to_string()),
            ("DOLT_ROOT_PASSWORD".to_owned(), password.clone()),
            ("DOLT_DISABLE_EVENT_FLUSH".to_owned(), "1".to_owned()),
        ];
        spec.without.clone_from(&self.options.without);
        spec.cwd = Some(folder);
        spec.probe = Probe::Tcp(address);
        spec.grace = PATIENCE;
        spec.overdue = Overdue::Leave;
        self.children.keep(vec![spec]);
        let server = Server {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: address.port(),
            user: "root".to_owned(),
            password: Some(password),
            database: wanted.database.clone(),
        };
        self.running = Some((server, address));
    }

    fn prepare_folder(&self) -> io::Result<PathBuf> {
        let folder = std::path::absolute(&self.options.folder)?;
        for path in [&folder, &folder.join("databases"), &folder.join(".home")] {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        }
        Ok(folder)
    }

    /// The password of a server in this folder: the one that it was made with, else a new one.
    fn password(&self, folder: &Path) -> io::Result<String> {
        let path = self.options.state.join("dolt.password");
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut bytes = [0; PASSWORD_BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| io::Error::other("no random bytes are to be had"))?;
        let password = hex(&bytes);
        // Who logs in with a password that nobody knows any more is made anew with the new one.
        match fs::remove_file(folder.join(".doltcfg/privileges.db")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private::replace(&path, password.as_bytes())?;
        Ok(password)
    }

    fn log(&self) -> PathBuf {
        Spec::log_in(&self.options.logs, NAME)
    }

    fn not_ready(&self) -> DoltError {
        let last = self
            .children
            .log(NAME, 1)
            .and_then(|(_, lines)| lines.into_iter().next());
        DoltError::Managed(format!(
            "the managed dolt does not start: {} (its output is in {})",
            last.unwrap_or_else(|| "it tells nothing".to_owned()),
            self.log().display()
        ))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn configuration_file(folder: &Path) -> PathBuf {
    folder.join("tundra.yaml")
}

fn configuration(folder: &Path, port: u16) -> String {
    // JSON's strings are YAML's.
    let text = |path: PathBuf| serde_json::Value::from(path.to_string_lossy()).to_string();
    format!(
        "# Written by tundra at every start.\nlog_level: warning\nlistener:\n  host: 127.0.0.1\n  port: {port}\n\
         data_dir: {}\ncfg_dir: {}\n",
        text(folder.join("databases")),
        text(folder.join(".doltcfg")),
    )
}

/// Asks servers to end that a tundra left behind which was killed, and waits for them.
async fn end_leftovers(folder: &Path) -> Result<(), DoltError> {
    let deadline = Instant::now() + PATIENCE;
    let mut asked = Vec::new();
    loop {
        let left = leftovers(folder);
        if left.is_empty() {
            return Ok(());
        }
        for pid in left {
            if !asked.contains(&pid) {
                info!(
                    pid = pid.as_raw_nonzero(),
                    "a dolt that an earlier tundra left is asked to end"
                );
                let _ = kill_process(pid, Signal::TERM);
                asked.push(pid);
            }
        }
        if Instant::now() >= deadline {
            warn!("a dolt that an earlier tundra left does not end");
            return Err(DoltError::Managed(format!(
                "a dolt of an earlier tundra holds {} and does not end: it was sent TERM",
                folder.display()
            )));
        }
        sleep(LOOK).await;
    }
}

/// The servers that run for a folder, by the mark in their environment. Those of other users cannot be read.
fn leftovers(folder: &Path) -> Vec<Pid> {
    let mark = folder.to_string_lossy();
    proc::pids()
        .filter(|pid| proc::variable(*pid, MARK).is_some_and(|value| value == mark))
        .filter_map(|pid| Pid::from_raw(pid.cast_signed()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_takes_any_folder() {
        let text = configuration(Path::new("/a \"b\""), 7);
        assert!(text.contains(r#"data_dir: "/a \"b\"/databases""#), "{text}");
        assert!(text.contains("port: 7\n"));
    }
}
