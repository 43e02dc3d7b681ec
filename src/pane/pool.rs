//! The pool: who may open a terminal, and every terminal there is.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Pid;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, oneshot};
use tracing::error;

use super::confine::Confined;
use super::error::PaneError;
use super::handle::PaneHandle;
use super::kept::KeptPool;
use super::launch_env::LaunchEnvSource;
use super::mailbox::Message;
use super::options::PoolOptions;
use super::query::WaitFor;
use super::registry::Registry;
use super::resume;
use super::thread;
use crate::domain::adapter::Adapters;
use crate::domain::event::TerminalEvent;
use crate::domain::fact::Recorder;
use crate::domain::id::TerminalId;
use crate::domain::screen::Backdrop;
use crate::domain::terminal::{Fit, Status, TerminalInfo, TerminalSpec, best_fits};
use crate::runtime::handover::{Incoming, Outgoing};
use crate::runtime::tasks::Tasks;

/// How long an ended terminal stays in the list, and its history readable.
const LISTED_AFTER_END: Duration = Duration::from_secs(60);

/// How full the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// Slots that are taken: from before a start until the child has been reaped.
    pub active: usize,
    /// As configured now; may be below what is taken.
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

/// What a pool is made of.
#[derive(Debug)]
pub struct PoolSetup {
    pub options: PoolOptions,
    pub tasks: Tasks,
    /// The limit on open files that children start with: soft and hard.
    pub open_files: Option<(u64, u64)>,
    /// Adds to what terminals are started with.
    pub launch_envs: Option<Arc<dyn LaunchEnvSource>>,
    /// Hears of terminals that are opened and end.
    pub recorder: Arc<dyn Recorder>,
}

impl Pool {
    /// Makes an empty pool and begins to listen for ended children; must be called within the runtime.
    ///
    /// # Errors
    /// Where the process cannot listen for ended children.
    pub fn new(setup: PoolSetup) -> std::io::Result<Self> {
        let PoolSetup {
            options,
            tasks,
            open_files,
            launch_envs,
            recorder,
        } = setup;
        let registry = Arc::new(Registry::new(options, launch_envs, recorder));
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

    /// The agents that a terminal may name, and the shell that stands for one without a command.
    pub fn agents(&self) -> (Adapters, Vec<String>) {
        let state = self.registry.state();
        (state.options.agents.clone(), state.options.shell.clone())
    }

    /// Replaces the options; terminals that live take over their limits and the length of their history.
    pub fn set_options(&self, options: PoolOptions) {
        let mut state = self.registry.state();
        let (limits, lines) = (options.limits(), options.scrollback_lines);
        let history_changed = state.options.scrollback_lines != lines;
        let limits_changed = state.options.limits() != limits;
        for pane in &state.panes {
            let mailbox = &pane.parts().mailbox;
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

    /// Tells what terminals are drawn on, for programs that ask.
    pub fn set_backdrop(&self, backdrop: Backdrop) {
        self.registry.backdrop.set(backdrop);
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
            .stack_size(thread::STACK)
            .spawn(move || thread::run(&registry, slot, &spec, &options, open_files, started))
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
        if let Ok(id) = given.parse::<TerminalId>()
            && let Some(pane) = state.panes.iter().find(|pane| pane.id() == id)
        {
            return Ok(pane.clone());
        }
        let found = best_fits(&state.panes, |pane| {
            let info = pane.parts().facts.info();
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

    /// The terminal of that id, as long as tundra runs, whether it lives or not.
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
                pane.parts()
                    .facts
                    .ended_for()
                    .is_none_or(|ago| ago < LISTED_AFTER_END)
            })
            .map(PaneHandle::info)
            .collect()
    }

    /// How many slots are taken now.
    pub fn gauge(&self) -> Gauge {
        let state = self.registry.state();
        Gauge {
            active: state.taken,
            max: state.options.max_ptys,
        }
    }

    /// Whether a process belongs to a confined terminal: whoever serves a local socket refuses it.
    pub fn confines(&self, pid: Pid) -> bool {
        let confined: Vec<Confined> = self
            .registry
            .state()
            .panes
            .iter()
            .filter_map(|pane| pane.parts().facts.confined)
            .collect();
        Confined::has(&confined, pid)
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<TerminalEvent> {
        self.registry.listeners.events.subscribe()
    }

    /// Opens no more terminals from now on, and keeps all there are for the program that goes on in this one's place. To be
    /// called once nobody uses a handle any more.
    pub async fn keep(&self, out: &mut Outgoing) -> KeptPool {
        self.registry.state().closing = true;
        resume::keep(&self.registry, out).await
    }

    /// Takes up the terminals that another program kept, and tells what of them could not be. They stand still until
    /// [`Pool::go_on`].
    pub fn resume(&self, kept: &KeptPool, incoming: &mut Incoming) -> Vec<String> {
        let (panes, lost) = resume::resume(&self.registry, kept, incoming);
        for pane in &panes {
            self.forget_history_later(pane);
        }
        lost
    }

    /// Lets the terminals go on that were taken up.
    pub fn go_on(&self) {
        self.registry.go_on();
    }

    /// Every terminal that is remembered, oldest first.
    pub fn panes(&self) -> Vec<PaneHandle> {
        self.registry.state().panes.clone()
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
            pane.parts().mailbox.kill_now();
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
                    if !pane.parts().feed.is_watched() {
                        break;
                    }
                }
                if let Some(final_state) = pane.parts().final_state().as_mut() {
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
