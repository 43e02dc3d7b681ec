//! The task of one child: it starts it, watches it, starts it again, and ends it with tundra.

use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use super::kept::KeptChild;
use super::log;
use super::process::Process;
use super::spec::{Begin, Overdue, Spec, StandIn};
use super::status::{ProcessEvent, ProcessState, ProcessStatus};
use crate::runtime::handover;
use crate::runtime::tasks::Tasks;

/// Restarts that are not taken yet; the task takes them at once.
const REQUESTS: usize = 8;
/// The pause after the first crash, doubled by each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A child that ran for so long has not crashed at its start.
const STEADY: Duration = Duration::from_secs(60);
/// How often its log's size is looked at.
const LOOK_AT_LOG: Duration = Duration::from_secs(60);

type Waiting = oneshot::Sender<Result<(), String>>;

/// What is asked of a child's task.
#[derive(Debug)]
enum Request {
    Restart(Waiting),
    /// To leave the child as it is, for another program in this process.
    Leave(oneshot::Sender<KeptChild>),
}

/// Talks to a child's task. Dropped, the child ends.
#[derive(Debug)]
pub(super) struct Child {
    pub spec: Spec,
    requests: mpsc::Sender<Request>,
    status: watch::Receiver<ProcessStatus>,
}

impl Child {
    /// Makes its task. `changed` rises with every change of its status; `kept` is what another program in this process
    /// has left of it.
    pub fn new(
        spec: Spec,
        changed: watch::Sender<u64>,
        events: broadcast::Sender<ProcessEvent>,
        tasks: &Tasks,
        kept: Option<KeptChild>,
    ) -> Self {
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let kept = kept.unwrap_or_default();
        let (sender, status) = watch::channel(ProcessStatus {
            pid: kept.pid,
            state: match spec.begin {
                Begin::Running if kept.ready => ProcessState::Ready,
                Begin::Running => ProcessState::Starting,
                Begin::Stopped => ProcessState::Stopped,
            },
            restarts: kept.restarts,
        });
        let supervisor = Supervisor {
            spec: spec.clone(),
            inbox,
            status: sender,
            changed,
            events,
            waiting: Vec::new(),
            pause: FIRST_PAUSE,
            begun: kept.pid.is_some() || kept.restarts > 0,
            adopted: kept.pid.map(|pid| (pid, kept.ready)),
        };
        let ending = tasks.ending();
        tasks.spawn("child", async move {
            // A program that goes back must not have started, ended or reaped anything.
            handover::arrived().await;
            Box::pin(supervisor.run(ending)).await;
        });
        Self {
            spec,
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
        if let Err(refused) = self.requests.try_send(Request::Restart(sender))
            && let Request::Restart(sender) = refused.into_inner()
        {
            let _ = sender.send(Err("is already being restarted".to_owned()));
        }
        receiver
    }

    /// Leaves the child running and ends its task. None where that has ended.
    pub async fn leave(&self) -> Option<KeptChild> {
        let (sender, receiver) = oneshot::channel();
        self.requests.send(Request::Leave(sender)).await.ok()?;
        receiver.await.ok()
    }
}

/// What ended one life of the process.
enum End {
    Crashed(String),
    Restart(Waiting),
    Stop,
    /// It goes on in another program.
    Left,
}

impl End {
    /// What comes of a request, or of nobody being left to make one.
    fn asked(request: Option<Request>, leave: impl FnOnce() -> KeptChild) -> Self {
        match request {
            Some(Request::Restart(waiting)) => Self::Restart(waiting),
            Some(Request::Leave(reply)) => {
                let _ = reply.send(leave());
                Self::Left
            }
            None => Self::Stop,
        }
    }
}

struct Supervisor {
    spec: Spec,
    inbox: mpsc::Receiver<Request>,
    status: watch::Sender<ProcessStatus>,
    changed: watch::Sender<u64>,
    events: broadcast::Sender<ProcessEvent>,
    /// Who waits for it to be ready.
    waiting: Vec<Waiting>,
    pause: Duration,
    begun: bool,
    /// The pid of a child that another program has started, and whether it was ready.
    adopted: Option<(u32, bool)>,
}

impl Supervisor {
    async fn run(mut self, ending: impl Future<Output = ()>) {
        tokio::pin!(ending);
        let mut end = match self.spec.begin {
            _ if self.adopted.is_some() => self.live(ending.as_mut()).await,
            Begin::Running => self.live(ending.as_mut()).await,
            Begin::Stopped => self.rest(None, ending.as_mut()).await,
        };
        loop {
            end = match end {
                End::Left => return,
                End::Stop => {
                    self.set(None, ProcessState::Stopped);
                    self.tell(ProcessEvent::Stopped {
                        name: self.spec.name.clone(),
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
                    self.tell(ProcessEvent::Crashed {
                        name: self.spec.name.clone(),
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
        let may_be_answered = pause.is_some() && self.spec.stand_in == StandIn::Accepted;
        let probe = self.spec.probe.clone();
        let answers = async {
            if may_be_answered {
                probe.ready().await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::pin!(over, answers);
        let mut is_answered = false;
        loop {
            tokio::select! {
                () = &mut over => return End::Crashed(String::new()),
                asked = self.inbox.recv() => return End::asked(asked, || self.kept()),
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
        let adopted = self.adopted.take();
        let mut is_ready = adopted.is_some_and(|(_, ready)| ready);
        let mut process = match adopted {
            Some((pid, _)) => match Process::adopt(pid, self.spec.overdue) {
                Ok(process) => process,
                Err(error) => return End::Crashed(format!("was lost: {error}")),
            },
            None => match self.start() {
                Ok(process) => process,
                Err(how) => return End::Crashed(how),
            },
        };
        let began = Instant::now();
        let probe = self.spec.probe.clone();
        let ready = probe.ready();
        tokio::pin!(ready);
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
                    if matches!(asked, Some(Request::Leave(_))) {
                        process.leave();
                        return End::asked(asked, || self.kept());
                    }
                    if asked.is_some() {
                        self.set(Some(process.pid()), ProcessState::Starting);
                    }
                    process.stop(self.spec.grace).await;
                    return End::asked(asked, KeptChild::default);
                }
                () = &mut ending => {
                    process.stop(self.spec.grace).await;
                    return End::Stop;
                }
                () = &mut ready, if !is_ready => {
                    is_ready = true;
                    self.set(Some(process.pid()), ProcessState::Ready);
                    self.tell(ProcessEvent::Ready {
                        name: self.spec.name.clone(),
                        after: began.elapsed(),
                    });
                    for waiting in self.waiting.drain(..) {
                        let _ = waiting.send(Ok(()));
                    }
                }
                _ = look_at_log.tick() => {
                    if let Err(error) = log::bound(&self.spec.log) {
                        warn!(child = self.spec.name, %error, "a child's log cannot be kept short");
                    }
                }
            }
        }
    }

    fn start(&mut self) -> Result<Process, String> {
        let process = Process::start(&self.spec).map_err(|error| {
            let program = self.spec.command.first().map_or("", String::as_str);
            format!("cannot be started: {program}: {error}")
        })?;
        self.status.send_modify(|status| {
            status.restarts += u64::from(self.begun);
        });
        self.begun = true;
        self.set(Some(process.pid()), ProcessState::Starting);
        self.tell(ProcessEvent::Started {
            name: self.spec.name.clone(),
            pid: process.pid(),
        });
        Ok(process)
    }

    fn kept(&self) -> KeptChild {
        let status = *self.status.borrow();
        KeptChild {
            name: self.spec.name.clone(),
            command: self.spec.command.clone(),
            pid: status.pid,
            ready: status.pid.is_some() && status.state == ProcessState::Ready,
            restarts: status.restarts,
            never_killed: self.spec.overdue == Overdue::Leave,
        }
    }

    fn set(&self, pid: Option<u32>, state: ProcessState) {
        self.status.send_modify(|status| {
            status.pid = pid;
            status.state = state;
        });
        self.changed.send_modify(|revision| *revision += 1);
    }

    fn tell(&self, event: ProcessEvent) {
        if let ProcessEvent::Crashed { .. } = &event {
            warn!(child = self.spec.name, event = %event, "child");
        } else {
            info!(child = self.spec.name, event = %event, "child");
        }
        // Nobody listening is no fault.
        let _ = self.events.send(event);
    }
}
