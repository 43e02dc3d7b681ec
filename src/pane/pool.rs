//! The pool: who may open a terminal, and every terminal there is.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{WaitId, WaitIdOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, broadcast, oneshot, watch};
use tracing::{error, info};

use super::actor::{self, Actor, Limits};
use super::emulator::Emulator;
use super::error::PaneError;
use super::handle::{PaneHandle, Shared, WaitFor};
use super::launch::{self, Defaults};
use super::launch_env::{LaunchEnvLease, LaunchEnvSource};
use super::mailbox::{Mailbox, Message};
use super::pty::Pty;
use super::slot::Slot;
use crate::domain::adapter::Adapters;
use crate::domain::agent::{Agent, AgentState, Evidence};
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::screen::ScreenSnapshot;
use crate::domain::terminal::{Fit, Status, TerminalInfo, TerminalSpec, best_fits};
use crate::runtime::tasks::Tasks;

/// How long an ended terminal stays in the list, and its history readable.
const LISTED_AFTER_END: Duration = Duration::from_secs(60);

/// How many ended terminals are remembered; beyond that the oldest is forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// The events that a listener may lag behind; one that lags further reads the list.
const MAX_EVENTS: usize = 1024;

/// A pane's thread needs little; emulation and searches do not recurse.
const STACK: usize = 512 * 1024;

/// What the pool goes by; may be replaced while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    pub max_ptys: usize,
    pub scrollback_lines: usize,
    /// Zero for never.
    pub idle_timeout: Duration,
    /// Zero for never.
    pub max_lifetime: Duration,
    pub kill_grace: Duration,
    /// Bytes of output kept for the viewers of each terminal.
    pub replay_bytes: usize,
    /// Program and arguments of a terminal that names none.
    pub shell: Vec<String>,
    /// The agents that a terminal may name.
    pub agents: Adapters,
    /// Variables of every terminal, which its own go before.
    pub env: Vec<(String, OsString)>,
}

/// How full the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    pub active: usize,
    pub max: usize,
}

/// The pool of terminals; cheap to clone.
#[derive(Clone)]
pub struct Pool {
    registry: Arc<Registry>,
    tasks: Tasks,
    /// The limit on open files that children start with: soft and hard.
    open_files: Option<(u64, u64)>,
}

/// What the pool and its panes' threads share.
pub(super) struct Registry {
    state: Mutex<State>,
    events: broadcast::Sender<TerminalEvent>,
    /// How many watch any terminal's screen.
    audience: Arc<AtomicUsize>,
    /// Rung whenever a place is given back or a pane's thread ends.
    freed: Notify,
    launch_envs: Option<Arc<dyn LaunchEnvSource>>,
}

struct State {
    options: PoolOptions,
    /// Living and ended terminals in the order they were opened.
    panes: Vec<PaneHandle>,
    /// Places taken, by terminals that live or are being started.
    taken: usize,
    /// Threads that still see a session off.
    threads: usize,
    closing: bool,
}

impl Pool {
    /// Makes an empty pool and begins to listen for ended children; must be called within the runtime.
    pub fn new(
        options: PoolOptions,
        tasks: Tasks,
        open_files: Option<(u64, u64)>,
        launch_envs: Option<Arc<dyn LaunchEnvSource>>,
    ) -> std::io::Result<Self> {
        let (events, _) = broadcast::channel(MAX_EVENTS);
        let state = State {
            options,
            panes: Vec::new(),
            taken: 0,
            threads: 0,
            closing: false,
        };
        let registry = Arc::new(Registry {
            state: Mutex::new(state),
            events,
            audience: Arc::default(),
            freed: Notify::new(),
            launch_envs,
        });
        let mut ended_children = signal(SignalKind::child())?;
        let watched = Arc::clone(&registry);
        let ending = tasks.ending();
        tasks.spawn("children", async move {
            tokio::pin!(ending);
            loop {
                tokio::select! {
                    _ = ended_children.recv() => watched.notice_ended_children(),
                    () = &mut ending => return,
                }
            }
        });
        Ok(Self {
            registry,
            tasks,
            open_files,
        })
    }

    /// The agents that a terminal may name.
    pub fn agents(&self) -> Adapters {
        self.registry.state().options.agents.clone()
    }

    /// Replaces the options; terminals that live take over their limits and the length of their history.
    pub fn set_options(&self, options: PoolOptions) {
        let mut state = self.registry.state();
        let (limits, lines) = (limits_of(&options), options.scrollback_lines);
        let history_changed = state.options.scrollback_lines != lines;
        let limits_changed = limits_of(&state.options) != limits;
        for pane in &state.panes {
            let mailbox = &pane.shared().mailbox;
            if history_changed {
                let _ = mailbox.post(Message::HistoryLines(lines));
            }
            if limits_changed {
                let _ = mailbox.post(Message::Limits(limits));
            }
        }
        if state.options.replay_bytes != options.replay_bytes {
            for pane in &state.panes {
                pane.set_replay_bytes(options.replay_bytes);
            }
        }
        state.options = options;
    }

    /// Opens a terminal. Its place is taken before anything is started, and given back when its child is reaped.
    ///
    /// # Errors
    /// [`PaneError::AtCapacity`], [`PaneError::SpawnFailed`] or [`PaneError::ShuttingDown`]. When the caller stops
    /// waiting the terminal may have been opened all the same.
    pub async fn open(&self, spec: TerminalSpec) -> Result<PaneHandle, PaneError> {
        let (slot, options) = self.registry.take_place()?;
        let (started, outcome) = oneshot::channel();
        let registry = Arc::clone(&self.registry);
        let open_files = self.open_files;
        // The fork happens on the pane's own thread: it takes a millisecond, which is not the runtime's to lose.
        std::thread::Builder::new()
            .name("pane".into())
            .stack_size(STACK)
            .spawn(move || run_pane(&registry, slot, &spec, &options, open_files, started))
            .map_err(|error| PaneError::SpawnFailed(format!("no thread: {error}")))?;
        let pane = outcome
            .await
            .unwrap_or_else(|_| Err(PaneError::SpawnFailed("the pane's thread ended".into())))?;
        self.forget_history_later(&pane);
        Ok(pane)
    }

    /// Finds by id, by name, or by the beginning of an id; terminals that ended too, where none that lives fits.
    ///
    /// # Errors
    /// [`PaneError::NotFound`], or [`PaneError::Ambiguous`] where several fit equally.
    pub fn find(&self, given: &str) -> Result<PaneHandle, PaneError> {
        let state = self.registry.state();
        if let Ok(id) = given.parse::<TerminalId>() {
            let found = state.panes.iter().find(|pane| pane.id() == id).cloned();
            return found.ok_or_else(|| PaneError::NotFound(given.to_owned()));
        }
        let found = best_fits(&state.panes, |pane| {
            let info = pane.shared().info();
            Fit {
                is_named: info.name == given,
                is_prefixed: !given.is_empty() && pane.id().starts_with(given),
                lives: info.status != Status::Dead,
            }
        });
        match found.as_slice() {
            [] => Err(PaneError::NotFound(given.to_owned())),
            [only] => Ok(PaneHandle::clone(only)),
            several => Err(PaneError::Ambiguous {
                given: given.to_owned(),
                ids: several.iter().map(|pane| pane.id()).collect(),
            }),
        }
    }

    pub fn get(&self, id: TerminalId) -> Option<PaneHandle> {
        self.registry
            .state()
            .panes
            .iter()
            .find(|pane| pane.id() == id)
            .cloned()
    }

    /// Every terminal that lives or ended within the last minute, oldest first.
    pub fn list(&self) -> Vec<TerminalInfo> {
        let state = self.registry.state();
        state
            .panes
            .iter()
            .filter(|pane| {
                pane.shared()
                    .ended_for()
                    .is_none_or(|ago| ago < LISTED_AFTER_END)
            })
            .map(PaneHandle::info)
            .collect()
    }

    pub fn gauge(&self) -> Gauge {
        let state = self.registry.state();
        Gauge {
            active: state.taken,
            max: state.options.max_ptys,
        }
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<TerminalEvent> {
        self.registry.events.subscribe()
    }

    /// Refuses new terminals, ends all that live and waits until the last of their processes is gone.
    pub async fn shutdown(&self) {
        let (living, patience) = {
            let mut state = self.registry.state();
            state.closing = true;
            (
                state.panes.clone(),
                state.options.kill_grace + Duration::from_secs(2),
            )
        };
        for pane in &living {
            pane.kill();
        }
        if tokio::time::timeout(patience, self.registry.emptied())
            .await
            .is_err()
        {
            error!("some terminals outlived their end; they are killed");
        }
        for pane in &living {
            pane.shared().mailbox.kill_now();
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), self.registry.emptied()).await;
    }

    /// Gives a terminal's history back a minute after its end, unless somebody still looks at it.
    fn forget_history_later(&self, pane: &PaneHandle) {
        let pane = pane.clone();
        let ending = self.tasks.ending();
        self.tasks.spawn("history", async move {
            let forget = async {
                pane.wait(WaitFor::Exit).await;
                loop {
                    tokio::time::sleep(LISTED_AFTER_END).await;
                    if !pane.shared().is_watched() {
                        break;
                    }
                }
                if let Some(final_state) = pane.shared().final_state().as_mut() {
                    final_state.forget_history();
                }
            };
            tokio::select! {
                () = forget => {}
                () = ending => {}
            }
        });
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("gauge", &self.gauge())
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Takes a place under the lock, before anything is started.
    fn take_place(self: &Arc<Self>) -> Result<(Slot, PoolOptions), PaneError> {
        let mut state = self.state();
        if state.closing {
            return Err(PaneError::ShuttingDown);
        }
        let max = state.options.max_ptys;
        if state.taken >= max {
            return Err(PaneError::AtCapacity { max });
        }
        state.taken += 1;
        Ok((Slot::new(Arc::clone(self)), state.options.clone()))
    }

    /// The slot's other half.
    pub fn give_back(&self) {
        self.state().taken -= 1;
        self.freed.notify_waiters();
    }

    /// Enters a started terminal, under a name that tells it from the others where none was asked for.
    fn enter(&self, pane: PaneHandle, asked_name: Option<&str>) {
        let mut state = self.state();
        if asked_name.is_none() {
            let base = pane.info().name;
            let is_taken = |name: &str| {
                state.panes.iter().any(|other| {
                    let other = other.shared().info();
                    other.status != Status::Dead && other.name == name
                })
            };
            let free = std::iter::once(base.clone())
                .chain((2..=state.panes.len() + 2).map(|n| format!("{base}-{n}")))
                .find(|name| !is_taken(name));
            pane.shared().info().name = free.unwrap_or(base);
        }
        let ended = state
            .panes
            .iter()
            .filter(|pane| pane.shared().ended_for().is_some())
            .count();
        if ended > MAX_REMEMBERED {
            let oldest = state
                .panes
                .iter()
                .position(|pane| pane.shared().ended_for().is_some());
            oldest.map(|index| state.panes.remove(index));
        }
        state.panes.push(pane);
        state.threads += 1;
    }

    fn thread_ended(&self) {
        self.state().threads -= 1;
        self.freed.notify_waiters();
    }

    /// Waits until no place is taken and no thread sees a session off.
    async fn emptied(&self) {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            {
                let state = self.state();
                if state.taken == 0 && state.threads == 0 {
                    return;
                }
            }
            freed.await;
        }
    }

    /// Tells the threads whose child has ended. Does not reap: that is theirs to do at the right moment.
    fn notice_ended_children(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        for pane in &self.state().panes {
            let shared = pane.shared();
            if shared.ended_for().is_none()
                && !matches!(
                    rustix::process::waitid(WaitId::Pid(shared.pid), options),
                    Ok(None)
                )
            {
                shared.mailbox.check_child();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The whole life of a pane's thread: start the program, tell whether it worked, run to the end.
fn run_pane(
    registry: &Arc<Registry>,
    slot: Slot,
    spec: &TerminalSpec,
    options: &PoolOptions,
    open_files: Option<(u64, u64)>,
    started: oneshot::Sender<Result<PaneHandle, PaneError>>,
) {
    let mut slot = Some(slot);
    let env_lease = LaunchEnvLease::new(registry.launch_envs.clone(), TerminalId::random());
    let (shared, actor) = match start(registry, spec, options, open_files, &env_lease) {
        Ok(started) => started,
        Err(error) => {
            // The place is free again before anybody hears of the failure.
            drop(slot);
            let _ = started.send(Err(error));
            return;
        }
    };
    let pane = PaneHandle::new(Arc::clone(&shared));
    registry.enter(pane.clone(), spec.name.as_deref());
    info!(id = %shared.id, pid = shared.pid.as_raw_nonzero(), size = %spec.size, "terminal opened");
    shared.tell(TerminalEvent::Opened {
        id: shared.id,
        owner: spec.owner,
    });
    let _ = started.send(Ok(pane));
    if catch_unwind(AssertUnwindSafe(|| actor.run(&mut slot))).is_err() {
        actor::reap_panicked(&shared, &mut slot);
    }
    drop(env_lease);
    shared.set_session_gone();
    registry.thread_ended();
}

fn start(
    registry: &Registry,
    spec: &TerminalSpec,
    options: &PoolOptions,
    open_files: Option<(u64, u64)>,
    env_lease: &LaunchEnvLease,
) -> Result<(Arc<Shared>, Actor), PaneError> {
    let failed = |error: std::io::Error| PaneError::SpawnFailed(error.to_string());
    let id = env_lease.id();
    let launch = launch::prepare(
        id,
        spec,
        &Defaults {
            shell: &options.shell,
            agents: &options.agents,
            env: &options.env,
            open_files,
            env_lease,
        },
    )?;
    let (mailbox, wakeup) = Mailbox::new().map_err(failed)?;
    let pty = Pty::open(spec.size).map_err(failed)?;
    let pid = pty.spawn(&launch.program).map_err(|error| {
        PaneError::SpawnFailed(format!("{}: {error}", launch.program.path.display()))
    })?;
    let now = Timestamp::now();
    let program = launch.command.first().map_or("", String::as_str);
    let mut info = TerminalInfo {
        id,
        name: spec
            .name
            .clone()
            .unwrap_or_else(|| base_name(program).to_owned()),
        cwd: launch.program.cwd,
        pid: pid.as_raw_nonzero().get().unsigned_abs(),
        size: spec.size,
        title: String::new(),
        status: Status::Active,
        owner: spec.owner,
        persistent: spec.persistent,
        viewers: 0,
        taken: false,
        ending: false,
        created_at: now,
        disconnected_since: None,
        exit: None,
        agent: launch.agent.map(|kind| Agent {
            kind,
            state: AgentState::Unknown,
            since: now,
            by: Evidence::Output,
        }),
        command: launch.command,
    };
    info.settle(now);
    let (sender, receiver) = watch::channel(Arc::new(ScreenSnapshot::blank(spec.size)));
    let events = registry.events.clone();
    let shared = Arc::new(Shared::new(
        info,
        pid,
        mailbox,
        events,
        receiver,
        options.replay_bytes,
        Arc::clone(&registry.audience),
    ));
    let emulator = Emulator::new(spec.size, options.scrollback_lines);
    let limits = limits_of(options);
    let actor = Actor::new(Arc::clone(&shared), wakeup, pty, emulator, sender, limits);
    Ok((shared, actor))
}

fn limits_of(options: &PoolOptions) -> Limits {
    Limits {
        idle_timeout: options.idle_timeout,
        max_lifetime: options.max_lifetime,
        kill_grace: options.kill_grace,
    }
}

fn base_name(program: &str) -> &str {
    program
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or(program)
}
