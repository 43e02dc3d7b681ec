//! The programs of local profiles: started, watched, restarted, and ended with tundra.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::domain::profile::{Profile, ProfileName, ProviderKind};
use crate::runtime::tasks::Tasks;

/// The first pause before a program that ended is started again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A program that lived for so long has not crashed in a loop.
const SETTLED: Duration = Duration::from_secs(60);
/// How often a starting program's port is tried.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a restart waits for the port; loading a model takes its time.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// How long a program may take to end before it is killed.
const KILL_GRACE: Duration = Duration::from_secs(2);
/// An output file larger than this is begun anew at the next start.
const MAX_LOG: u64 = 10 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// Runs, and its port does not answer yet.
    Starting,
    Ready,
    /// Has ended and is started again after a pause.
    Backoff,
    Stopped,
}

impl ProcessState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Backoff => "backoff",
            Self::Stopped => "stopped",
        }
    }
}

/// One program as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// None while nothing runs.
    pub pid: Option<u32>,
    pub state: ProcessState,
    /// How often it was started again, asked or not.
    pub restarts: u64,
    /// How its last run ended, in words.
    pub last_exit: Option<String>,
    /// Where its output goes.
    pub log: PathBuf,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProcessError {
    #[error("profile {0} has no program of its own")]
    NoProgram(ProfileName),
    #[error("{program} did not start: {details} (its output: {log})")]
    NotReady {
        program: String,
        details: String,
        log: String,
    },
}

/// All programs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Processes {
    logs: Arc<PathBuf>,
    /// Variables that hold providers' keys, which no program may see.
    hidden: Arc<Vec<String>>,
    tasks: Tasks,
    running: Arc<Mutex<HashMap<ProfileName, Keeper>>>,
}

/// The hold on one program's keeper task; dropped, the program is ended.
#[derive(Debug)]
struct Keeper {
    command: Vec<String>,
    address: String,
    status: watch::Receiver<ProcessStatus>,
    restart: mpsc::Sender<oneshot::Sender<Result<(), ProcessError>>>,
}

impl Processes {
    /// `logs` is the folder for the programs' output, `hidden` the variables that they do not get.
    #[must_use]
    pub fn new(logs: PathBuf, hidden: Vec<String>, tasks: Tasks) -> Self {
        Self {
            logs: Arc::new(logs),
            hidden: Arc::new(hidden),
            tasks,
            running: Arc::default(),
        }
    }

    /// Starts what is new among `profiles`, and ends what is no longer among them or has another command.
    pub fn keep(&self, profiles: &[Profile]) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|name, keeper| {
            profiles.iter().any(|profile| {
                profile.name == *name
                    && wants_program(profile)
                    && profile.command == keeper.command
                    && address_of(&profile.base_url) == keeper.address
            })
        });
        for profile in profiles.iter().filter(|profile| wants_program(profile)) {
            running
                .entry(profile.name.clone())
                .or_insert_with(|| self.start(profile));
        }
    }

    #[must_use]
    pub fn status(&self, name: &ProfileName) -> Option<ProcessStatus> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .get(name)
            .map(|keeper| keeper.status.borrow().clone())
    }

    /// Ends a program, starts it again, and waits until its port answers.
    pub async fn restart(&self, name: &ProfileName) -> Result<(), ProcessError> {
        let restart = {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let keeper = running.get(name);
            keeper.map(|keeper| keeper.restart.clone())
        };
        let none = || ProcessError::NoProgram(name.clone());
        let (answer, answered) = oneshot::channel();
        restart
            .ok_or_else(none)?
            .send(answer)
            .await
            .map_err(|_| none())?;
        answered.await.map_err(|_| none())?
    }

    fn start(&self, profile: &Profile) -> Keeper {
        let file = format!("provider-{}.log", file_name(profile.name.as_str()));
        let log = self.logs.join(file);
        let (status_out, status) = watch::channel(ProcessStatus {
            pid: None,
            state: ProcessState::Starting,
            restarts: 0,
            last_exit: None,
            log: log.clone(),
        });
        // One restart at a time; another one waits for its turn.
        let (restart, asked) = mpsc::channel(1);
        let address = address_of(&profile.base_url);
        let kept = Kept {
            name: profile.name.clone(),
            command: profile.command.clone(),
            hidden: Arc::clone(&self.hidden),
            address: address.clone(),
            log,
            status: status_out,
        };
        let ending = self.tasks.ending();
        self.tasks.spawn("local provider", async move {
            kept.run(asked, ending).await;
        });
        Keeper {
            command: profile.command.clone(),
            address,
            status,
            restart,
        }
    }
}

type Asked = mpsc::Receiver<oneshot::Sender<Result<(), ProcessError>>>;

/// What the keeper task knows.
struct Kept {
    name: ProfileName,
    command: Vec<String>,
    hidden: Arc<Vec<String>>,
    address: String,
    log: PathBuf,
    status: watch::Sender<ProcessStatus>,
}

/// Why a run is over.
enum Over {
    Exited(io::Result<ExitStatus>),
    Restart(oneshot::Sender<Result<(), ProcessError>>),
    /// tundra ends, or the profile is gone.
    Stop,
}

impl Kept {
    async fn run(self, mut asked: Asked, ending: impl Future<Output = ()>) {
        tokio::pin!(ending);
        let mut pause = FIRST_PAUSE;
        let mut waiting: Option<oneshot::Sender<Result<(), ProcessError>>> = None;
        loop {
            let began = Instant::now();
            let over = match self.spawn() {
                Ok(mut child) => {
                    let over = tokio::select! {
                        over = self.watch(&mut child, &mut waiting, &mut asked) => over,
                        () = &mut ending => Over::Stop,
                    };
                    if !matches!(over, Over::Exited(_)) {
                        stop(&mut child).await;
                    }
                    over
                }
                Err(error) => Over::Exited(Err(error)),
            };
            let how = match over {
                Over::Stop => {
                    self.tell(|status| (status.pid, status.state) = (None, ProcessState::Stopped));
                    return;
                }
                Over::Restart(answer) => {
                    waiting = Some(answer);
                    pause = FIRST_PAUSE;
                    self.tell(|status| status.restarts += 1);
                    continue;
                }
                Over::Exited(how) => match how {
                    Ok(status) => status.to_string(),
                    Err(error) => error.to_string(),
                },
            };
            warn!(profile = %self.name, how, "a local provider's program ended");
            if let Some(answer) = waiting.take() {
                let _ = answer.send(Err(self.not_ready(&how)));
            }
            self.tell(|status| {
                (status.pid, status.state) = (None, ProcessState::Backoff);
                status.last_exit = Some(how);
            });
            if began.elapsed() > SETTLED {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                answer = asked.recv() => match answer {
                    Some(answer) => (waiting, pause) = (Some(answer), FIRST_PAUSE),
                    None => return,
                },
                () = &mut ending => return,
            }
            self.tell(|status| status.restarts += 1);
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let (program, arguments) = self.command.split_first().ok_or(io::ErrorKind::NotFound)?;
        let output = open_log(&self.log)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            .stdout(output)
            .process_group(0)
            .kill_on_drop(true);
        for name in self.hidden.iter() {
            command.env_remove(OsString::from(name));
        }
        let child = command.spawn()?;
        info!(profile = %self.name, pid = child.id(), "a local provider's program started");
        self.tell(|status| (status.pid, status.state) = (child.id(), ProcessState::Starting));
        Ok(child)
    }

    /// Watches a run to its end, and tells when its port answers.
    async fn watch(
        &self,
        child: &mut Child,
        waiting: &mut Option<oneshot::Sender<Result<(), ProcessError>>>,
        asked: &mut Asked,
    ) -> Over {
        let deadline = Instant::now() + START_PATIENCE;
        let mut ready = false;
        loop {
            tokio::select! {
                how = child.wait() => return Over::Exited(how),
                answer = asked.recv() => return answer.map_or(Over::Stop, Over::Restart),
                () = sleep(LOOK_EVERY), if !ready => {}
            }
            ready = TcpStream::connect(&self.address).await.is_ok();
            if ready {
                info!(profile = %self.name, "a local provider's program is ready");
                self.tell(|status| status.state = ProcessState::Ready);
                if let Some(answer) = waiting.take() {
                    let _ = answer.send(Ok(()));
                }
            } else if Instant::now() > deadline
                && let Some(answer) = waiting.take()
            {
                let details = format!("nothing answers at {}", self.address);
                let _ = answer.send(Err(self.not_ready(&details)));
            }
        }
    }

    fn tell(&self, change: impl FnOnce(&mut ProcessStatus)) {
        self.status.send_modify(change);
    }

    fn not_ready(&self, details: &str) -> ProcessError {
        ProcessError::NotReady {
            program: self.command.first().cloned().unwrap_or_default(),
            details: details.to_owned(),
            log: self.log.display().to_string(),
        }
    }
}

/// Ends a program and all of its process group, and reaps it.
async fn stop(child: &mut Child) {
    let group = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw);
    let signal = |signal| group.is_some_and(|group| kill_process_group(group, signal).is_ok());
    signal(Signal::TERM);
    if timeout(KILL_GRACE, child.wait()).await.is_err() {
        signal(Signal::KILL);
        let _ = child.wait().await;
    }
    // What of the group outlived its leader.
    signal(Signal::KILL);
}

fn wants_program(profile: &Profile) -> bool {
    profile.provider == ProviderKind::Local && !profile.command.is_empty()
}

fn open_log(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let full = fs::metadata(path).is_ok_and(|file| file.len() > MAX_LOG);
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    if full {
        options.write(true).truncate(true).open(path)
    } else {
        options.append(true).open(path)
    }
}

/// Host and port of a base URL, with the scheme's own port where it names none.
fn address_of(base_url: &str) -> String {
    let (scheme, rest) = base_url.split_once("://").unwrap_or(("http", base_url));
    let authority = rest.split('/').next().unwrap_or(rest);
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match (has_port, scheme) {
        (true, _) => authority.to_owned(),
        (false, "https") => format!("{authority}:443"),
        (false, _) => format!("{authority}:80"),
    }
}

fn file_name(profile: &str) -> String {
    let safe = |c: char| {
        if c.is_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    profile.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_has_an_address() {
        let table = [
            ("http://127.0.0.1:11434", "127.0.0.1:11434"),
            ("http://localhost/api", "localhost:80"),
            ("https://[::1]", "[::1]:443"),
            ("http://[::1]:8080/x", "[::1]:8080"),
        ];
        for (url, address) in table {
            assert_eq!(address_of(url), address);
        }
    }
}
