//! Every terminal there is, and the places in the pool.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{WaitId, WaitIdOptions};
use tokio::sync::{Notify, broadcast};

use super::backdrop::SharedBackdrop;
use super::error::PaneError;
use super::frozen::FrozenPane;
use super::handle::PaneHandle;
use super::launch_env::LaunchEnvSource;
use super::listeners::Listeners;
use super::options::PoolOptions;
use crate::domain::fact::Recorder;
use crate::domain::id::TerminalId;
use crate::domain::terminal::Status;

/// How many ended terminals are remembered; beyond that the oldest is forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// The events that a listener may lag behind; one that lags further reads the list.
const MAX_EVENTS: usize = 1024;

/// What the pool and its panes' threads share.
pub(super) struct Registry {
    state: Mutex<State>,
    pub listeners: Listeners,
    /// How many watch any terminal's screen.
    pub all_watchers: Arc<AtomicUsize>,
    /// Rung whenever a place is given back, a terminal entered, or a pane's thread ends.
    freed: Notify,
    pub launch_envs: Option<Arc<dyn LaunchEnvSource>>,
    /// What terminals are drawn on.
    pub backdrop: SharedBackdrop,
    /// Set once terminals of another program may go on here.
    gone_on: OnceLock<()>,
}

pub(super) struct State {
    pub options: PoolOptions,
    /// Living and ended terminals in the order they were opened.
    pub panes: Vec<PaneHandle>,
    /// Places taken, by terminals that live or are being started.
    pub taken: usize,
    /// Those among them whose terminal is being started and not entered yet.
    pub opening: usize,
    /// Threads of panes, those among them that still see a session off.
    threads: usize,
    pub closing: bool,
    /// What threads have left for another program.
    pub frozen: HashMap<TerminalId, FrozenPane>,
}

/// A place taken in the pool; given back exactly once, when it is dropped.
pub(super) struct Slot {
    registry: Arc<Registry>,
    /// Its terminal is among all others.
    is_entered: bool,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        state.taken -= 1;
        state.opening -= usize::from(!self.is_entered);
        drop(state);
        self.registry.freed.notify_waiters();
    }
}

impl Registry {
    pub fn new(
        options: PoolOptions,
        launch_envs: Option<Arc<dyn LaunchEnvSource>>,
        recorder: Arc<dyn Recorder>,
    ) -> Self {
        let (events, _) = broadcast::channel(MAX_EVENTS);
        Self {
            state: Mutex::new(State {
                options,
                panes: Vec::new(),
                taken: 0,
                opening: 0,
                threads: 0,
                closing: false,
                frozen: HashMap::new(),
            }),
            listeners: Listeners { events, recorder },
            all_watchers: Arc::default(),
            freed: Notify::new(),
            launch_envs,
            backdrop: SharedBackdrop::default(),
            gone_on: OnceLock::new(),
        }
    }

    /// Lets the terminals go on that were taken up from another program.
    pub fn go_on(&self) {
        let _ = self.gone_on.set(());
    }

    /// Waits until such a terminal may go on.
    pub fn wait_to_go_on(&self) {
        self.gone_on.wait();
    }

    /// Takes a place under the lock, before anything is started.
    pub fn take_place(self: &Arc<Self>) -> Result<(Slot, PoolOptions), PaneError> {
        let mut state = self.state();
        if state.closing {
            return Err(PaneError::ShuttingDown);
        }
        let max = state.options.max_ptys;
        if state.taken >= max {
            return Err(PaneError::AtCapacity { max });
        }
        state.taken += 1;
        state.opening += 1;
        Ok((
            Slot {
                registry: Arc::clone(self),
                is_entered: false,
            },
            state.options.clone(),
        ))
    }

    /// Takes a place for a terminal that has had one in another program.
    pub fn resume_place(self: &Arc<Self>) -> Slot {
        self.state().taken += 1;
        Slot {
            registry: Arc::clone(self),
            is_entered: true,
        }
    }

    /// Enters a terminal that was entered in another program.
    pub fn reenter(&self, pane: PaneHandle) {
        let mut state = self.state();
        state.threads += usize::from(pane.parts().facts.ended_at().is_none());
        state.panes.push(pane);
    }

    /// Enters a started terminal in its place, under a name that tells it from the others where none was asked for.
    pub fn enter(&self, slot: &mut Slot, pane: PaneHandle, asked_name: Option<&str>) {
        let mut state = self.state();
        if asked_name.is_none() {
            let base = pane.info().name;
            let is_taken = |name: &str| {
                state.panes.iter().any(|other| {
                    let other = other.parts().facts.info();
                    other.status != Status::Dead && other.name == name
                })
            };
            let free = std::iter::once(base.clone())
                .chain((2..=state.panes.len() + 2).map(|n| format!("{base}-{n}")))
                .find(|name| !is_taken(name));
            pane.parts().facts.info().name = free.unwrap_or(base);
        }
        let ended = state
            .panes
            .iter()
            .filter(|pane| pane.parts().facts.ended_for().is_some())
            .count();
        if ended > MAX_REMEMBERED {
            let oldest = state
                .panes
                .iter()
                .position(|pane| pane.parts().facts.ended_for().is_some());
            oldest.map(|index| state.panes.remove(index));
        }
        state.panes.push(pane);
        state.threads += 1;
        state.opening -= usize::from(!std::mem::replace(&mut slot.is_entered, true));
        drop(state);
        self.freed.notify_waiters();
    }

    pub fn thread_ended(&self) {
        self.state().threads -= 1;
        self.freed.notify_waiters();
    }

    /// A pane's thread has left all of it for another program. Its place stays taken.
    pub fn thread_frozen(&self, id: TerminalId, pane: FrozenPane) {
        let mut state = self.state();
        state.threads -= 1;
        state.frozen.insert(id, pane);
        drop(state);
        self.freed.notify_waiters();
    }

    /// Waits until it holds. Cancel-safe.
    pub async fn wait_until(&self, holds: impl Fn(&State) -> bool) {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if holds(&self.state()) {
                return;
            }
            freed.await;
        }
    }

    /// Waits until no terminal is being started any more. Cancel-safe.
    pub async fn none_opening(&self) {
        self.wait_until(|state| state.opening == 0).await;
    }

    /// Waits until no place is taken and no thread sees a session off.
    pub async fn emptied(&self) {
        self.wait_until(|state| state.taken == 0 && state.threads == 0)
            .await;
    }

    /// Waits until no pane has a thread any more. Cancel-safe.
    pub async fn threads_gone(&self) {
        self.wait_until(|state| state.threads == 0).await;
    }

    /// Tells the threads whose child has ended. Does not reap: that is theirs to do at the right moment.
    pub fn notice_ended_children(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        for pane in &self.state().panes {
            let parts = pane.parts();
            if parts.facts.ended_for().is_none()
                && !matches!(
                    rustix::process::waitid(WaitId::Pid(parts.facts.pid), options),
                    Ok(None)
                )
            {
                parts.mailbox.check_child();
            }
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
