//! One server of a local profile: started, watched, started again, and ended with tundra.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use super::log;
use super::process::Process;
use super::readiness::Address;
use crate::config::show_duration;
use crate::domain::profile::{Profile, ProfileName};
use crate::runtime::tasks::Tasks;

/// Requests to a server that are not taken yet; it takes them at once.
const REQUESTS: usize = 8;
/// The pause after the first crash, doubled by each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A server that ran for so long has not crashed at its start.
const STEADY: Duration = Duration::from_secs(60);
/// How often its log's size is looked at.
const LOOK_AT_LOG: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs and does not take requests yet.
    Starting,
    Ready,
    /// It ended by itself and is started again after a pause.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// None while it does not run.
    pub pid: Option<u32>,
    pub state: ProcessState,
    /// How often it was started after the first time.
    pub restarts: u64,
}

/// What happened to a server, once each and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    Started {
        profile: ProfileName,
        pid: u32,
    },
    Ready {
        profile: ProfileName,
        after: Duration,
    },
    /// It ended by itself, or could not be started.
    Crashed {
        profile: ProfileName,
        how: String,
        again_in: Duration,
    },
    Stopped {
        profile: ProfileName,
    },
}

impl fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { profile, pid } => write!(f, "{profile}: server started, pid {pid}"),
            Self::Ready { profile, after } => {
                let after = Duration::from_millis(u64::try_from(after.as_millis()).unwrap_or(0));
                write!(f, "{profile}: server ready after {}", show_duration(after))
            }
            Self::Crashed {
                profile,
                how,
                again_in,
            } => write!(
                f,
                "{profile}: server {how}, starting it again in {}",
                show_duration(*again_in)
            ),
            Self::Stopped { profile } => write!(f, "{profile}: server stopped"),
        }
    }
}

/// A restart that did not come to a server that takes requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{profile}: its server {why}; its output is in {}", .log.display())]
pub struct ServerError {
    pub profile: ProfileName,
    pub why: String,
    pub log: PathBuf,
}

/// What a server is started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub profile: ProfileName,
    pub command: Vec<String>,
    pub base_url: String,
    pub log: PathBuf,
    /// Variables it must not see.
    pub without: Vec<String>,
    /// Between asking it to end and killing it.
    pub grace: Duration,
}

impl Plan {
    pub fn of(profile: &Profile, logs: &Path, without: &[String], grace: Duration) -> Self {
        Self {
            profile: profile.name.clone(),
            command: profile.command.clone(),
            base_url: profile.base_url.clone(),
            log: log::path(logs, profile.name.as_str()),
            without: without.to_vec(),
            grace,
        }
    }

    /// Whether what runs by this plan is what `other` wants.
    pub fn is_same_server(&self, other: &Self) -> bool {
        (&self.command, &self.base_url) == (&other.command, &other.base_url)
    }
}

type Waiting = oneshot::Sender<Result<(), String>>;

/// Talks to a server's task. Dropped, the server ends.
#[derive(Debug)]
pub(super) struct Server {
    pub plan: Plan,
    requests: mpsc::Sender<Waiting>,
    status: watch::Receiver<ProcessStatus>,
}

/// Whether a server runs from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Running,
    Stopped,
}

impl Server {
    /// Makes its task. `changed` rises with every change of its status.
    pub fn new(
        plan: Plan,
        begin: Begin,
        changed: watch::Sender<u64>,
        events: broadcast::Sender<ServerEvent>,
        tasks: &Tasks,
    ) -> Self {
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (sender, status) = watch::channel(ProcessStatus {
            pid: None,
            state: match begin {
                Begin::Running => ProcessState::Starting,
                Begin::Stopped => ProcessState::Stopped,
            },
            restarts: 0,
        });
        let keeper = Keeper {
            plan: plan.clone(),
            inbox,
            status: sender,
            changed,
            events,
            waiting: Vec::new(),
            pause: FIRST_PAUSE,
            begun: false,
        };
        let ending = tasks.ending();
        tasks.spawn("server", async move {
            Box::pin(keeper.run(begin, ending)).await;
        });
        Self {
            plan,
            requests,
            status,
        }
    }

    pub fn status(&self) -> ProcessStatus {
        *self.status.borrow()
    }

    /// Asks for a restart; the answer comes when it takes requests, or has failed to.
    pub fn restart(&self) -> oneshot::Receiver<Result<(), String>> {
        let (sender, receiver) = oneshot::channel();
        if let Err(refused) = self.requests.try_send(sender) {
            let _ = refused
                .into_inner()
                .send(Err("is already being restarted".to_owned()));
        }
        receiver
    }
}

/// What ended one life of the process.
enum End {
    Crashed(String),
    Restart(Waiting),
    Stop,
}

struct Keeper {
    plan: Plan,
    inbox: mpsc::Receiver<Waiting>,
    status: watch::Sender<ProcessStatus>,
    changed: watch::Sender<u64>,
    events: broadcast::Sender<ServerEvent>,
    /// Who waits for it to be ready.
    waiting: Vec<Waiting>,
    pause: Duration,
    begun: bool,
}

impl Keeper {
    async fn run(mut self, begin: Begin, ending: impl Future<Output = ()>) {
        tokio::pin!(ending);
        let mut end = match begin {
            Begin::Running => self.live(ending.as_mut()).await,
            Begin::Stopped => self.rest(None, ending.as_mut()).await,
        };
        loop {
            end = match end {
                End::Stop => {
                    self.set(None, ProcessState::Stopped);
                    self.tell(ServerEvent::Stopped {
                        profile: self.plan.profile.clone(),
                    });
                    return;
                }
                End::Restart(waiting) => {
                    self.waiting.push(waiting);
                    self.pause = FIRST_PAUSE;
                    self.live(ending.as_mut()).await
                }
                End::Crashed(how) => {
                    for waiting in self.waiting.drain(..) {
                        let _ = waiting.send(Err(how.clone()));
                    }
                    let pause = self.pause;
                    self.pause = (pause * 2).min(LONGEST_PAUSE);
                    self.set(None, ProcessState::Backoff);
                    self.tell(ServerEvent::Crashed {
                        profile: self.plan.profile.clone(),
                        how,
                        again_in: pause,
                    });
                    match self.rest(Some(pause), ending.as_mut()).await {
                        // The pause is over.
                        End::Crashed(_) => self.live(ending.as_mut()).await,
                        other => other,
                    }
                }
            };
        }
    }

    /// Waits without a process; a pause that is over comes as a crash without words. Something else may answer in its
    /// place, a server that the user started: that one will do.
    async fn rest<F: Future<Output = ()> + Unpin>(
        &mut self,
        pause: Option<Duration>,
        mut ending: F,
    ) -> End {
        let over = async {
            match pause {
                Some(pause) => sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        let address = Address::of(&self.plan.base_url).filter(|_| pause.is_some());
        let answers = async {
            match &address {
                Some(address) => address.ready().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over, answers);
        let mut is_answered = false;
        loop {
            tokio::select! {
                () = &mut over => return End::Crashed(String::new()),
                asked = self.inbox.recv() => return asked.map_or(End::Stop, End::Restart),
                () = &mut ending => return End::Stop,
                () = &mut answers, if !is_answered => {
                    is_answered = true;
                    self.set(None, ProcessState::Ready);
                }
            }
        }
    }

    /// Starts the process and stays with it to its end.
    async fn live<F: Future<Output = ()> + Unpin>(&mut self, mut ending: F) -> End {
        let plan = &self.plan;
        let started = Process::start(&plan.command, &plan.log, &plan.without);
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                let program = plan.command.first().map_or("", String::as_str);
                return End::Crashed(format!("cannot be started: {program}: {error}"));
            }
        };
        self.status.send_modify(|status| {
            status.restarts += u64::from(self.begun);
        });
        self.begun = true;
        self.set(Some(process.pid()), ProcessState::Starting);
        self.tell(ServerEvent::Started {
            profile: self.plan.profile.clone(),
            pid: process.pid(),
        });
        let began = Instant::now();
        let address = Address::of(&self.plan.base_url);
        let ready = async {
            match &address {
                Some(address) => address.ready().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(ready);
        let mut is_ready = false;
        let mut look_at_log = interval(LOOK_AT_LOG);
        look_at_log.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                status = process.ended() => {
                    if began.elapsed() >= STEADY {
                        self.pause = FIRST_PAUSE;
                    }
                    return End::Crashed(match status {
                        Ok(status) => format!("ended ({status})"),
                        Err(error) => format!("was lost: {error}"),
                    });
                }
                asked = self.inbox.recv() => {
                    if asked.is_some() {
                        self.set(Some(process.pid()), ProcessState::Starting);
                    }
                    process.stop(self.plan.grace).await;
                    return asked.map_or(End::Stop, End::Restart);
                }
                () = &mut ending => {
                    process.stop(self.plan.grace).await;
                    return End::Stop;
                }
                () = &mut ready, if !is_ready => {
                    is_ready = true;
                    self.set(Some(process.pid()), ProcessState::Ready);
                    self.tell(ServerEvent::Ready {
                        profile: self.plan.profile.clone(),
                        after: began.elapsed(),
                    });
                    for waiting in self.waiting.drain(..) {
                        let _ = waiting.send(Ok(()));
                    }
                }
                _ = look_at_log.tick() => {
                    if let Err(error) = log::bound(&self.plan.log) {
                        warn!(profile = %self.plan.profile, %error, "a server's log cannot be kept short");
                    }
                }
            }
        }
    }

    fn set(&self, pid: Option<u32>, state: ProcessState) {
        self.status.send_modify(|status| {
            status.pid = pid;
            status.state = state;
        });
        self.changed.send_modify(|revision| *revision += 1);
    }

    fn tell(&self, event: ServerEvent) {
        if let ServerEvent::Crashed { .. } = &event {
            warn!(profile = %self.plan.profile, event = %event, "server");
        } else {
            info!(profile = %self.plan.profile, event = %event, "server");
        }
        // Nobody listening is no fault.
        let _ = self.events.send(event);
    }
}
