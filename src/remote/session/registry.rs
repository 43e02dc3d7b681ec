//! Everybody who is attached, over all terminals: how many there may be, who comes back, and what ends when all have
//! left.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tracing::info;

use super::client::{Client, Clients};
use super::leaving::Leaving;
use super::left_off::LeftSocket;
use super::send_rate::SendRate;
use crate::config::{Remote, Settings};
use crate::domain::id::TerminalId;
use crate::domain::terminal::{Owner, Status};
use crate::domain::writer::ViewerId;
use crate::pane::PaneHandle;
use crate::remote::kept::{KeptClients, KeptRegistry};
use crate::runtime::tasks::Tasks;

/// Shared by every session.
pub(in crate::remote) struct ViewerRegistry {
    settings: watch::Receiver<Arc<Settings>>,
    tasks: Tasks,
    /// Names this run's numbering of bytes.
    epoch: String,
    state: Mutex<State>,
    emptied: Notify,
    send_rate: SendRate,
    leaving: Leaving,
}

#[derive(Default)]
struct State {
    viewers: usize,
    clients: HashMap<TerminalId, PaneClients>,
    /// The plain viewer of each terminal that was cut off last. A plain client has no name, so the next one within the
    /// grace counts as its return.
    cut_plain: HashMap<TerminalId, ViewerId>,
    /// When terminals end that everybody has left, unless somebody comes back.
    graces: HashMap<TerminalId, Instant>,
    /// Sockets that were left for another program.
    left: Vec<LeftSocket>,
}

/// The clients of one terminal.
struct PaneClients {
    pane: PaneHandle,
    clients: Clients,
}

/// The right of one viewer to be attached, of `max_viewers`; given back when dropped.
pub(in crate::remote) struct ViewerPermit {
    registry: Arc<ViewerRegistry>,
}

impl ViewerRegistry {
    pub fn new(settings: watch::Receiver<Arc<Settings>>, tasks: Tasks, epoch: String) -> Self {
        Self {
            settings,
            tasks,
            epoch,
            state: Mutex::default(),
            emptied: Notify::new(),
            send_rate: SendRate::new(Instant::now()),
            leaving: Leaving::default(),
        }
    }

    /// What goes over to another program.
    pub fn keep(&self) -> KeptRegistry {
        let state = self.state();
        let terminals: HashSet<TerminalId> = state
            .clients
            .keys()
            .chain(state.cut_plain.keys())
            .chain(state.graces.keys())
            .copied()
            .collect();
        let clients = |id: TerminalId| {
            let grace = state.graces.get(&id).map(|end| {
                let left = end.saturating_duration_since(Instant::now());
                u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
            });
            KeptClients {
                terminal: id.to_string(),
                clients: state
                    .clients
                    .get(&id)
                    .map_or_else(Vec::new, |known| known.clients.keep()),
                cut_plain: state.cut_plain.get(&id).map(|viewer| viewer.number()),
                grace_ms: grace,
            }
        };
        KeptRegistry {
            epoch: self.epoch.clone(),
            panes: terminals.into_iter().map(clients).collect(),
        }
    }

    /// Takes up what another program kept of the clients of these terminals; `is_watched` tells of those whose viewers came
    /// over, too, and which therefore nobody has left.
    pub fn resume(
        self: &Arc<Self>,
        kept: &KeptRegistry,
        panes: &[PaneHandle],
        is_watched: impl Fn(&str) -> bool,
    ) {
        let grace = self.options().reconnect_grace;
        for kept in &kept.panes {
            let pane = panes
                .iter()
                .find(|pane| pane.id().to_string() == kept.terminal);
            let Some(pane) = pane else { continue };
            {
                let mut state = self.state();
                let known = PaneClients {
                    pane: pane.clone(),
                    clients: Clients::resume(&kept.clients),
                };
                state.clients.insert(pane.id(), known);
                let cut_plain = kept.cut_plain.map(ViewerId::from_number);
                state
                    .cut_plain
                    .extend(cut_plain.map(|viewer| (pane.id(), viewer)));
            }
            // A writer that was cut off for this, or before it, keeps its place for as long as it would have.
            self.expire_writer_after(pane, grace);
            if let Some(left) = kept.grace_ms.filter(|_| !is_watched(&kept.terminal)) {
                self.end_after(pane, Duration::from_millis(left));
            }
        }
    }

    pub fn options(&self) -> Remote {
        self.settings.borrow().remote.clone()
    }

    /// What all sessions together may send.
    pub(super) fn send_rate(&self) -> &SendRate {
        &self.send_rate
    }

    /// Sessions that are over and about to leave.
    pub(super) fn leaving(&self) -> &Leaving {
        &self.leaving
    }

    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub fn viewers(&self) -> usize {
        self.state().viewers
    }

    /// Waits until nobody is attached.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.viewers() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Takes a place, if there is one.
    ///
    /// # Errors
    /// How many there are, when all are taken.
    pub fn admit(self: &Arc<Self>) -> Result<ViewerPermit, usize> {
        let max = self.settings.borrow().remote.max_viewers;
        let mut state = self.state();
        if state.viewers >= max {
            return Err(max);
        }
        state.viewers += 1;
        Ok(ViewerPermit {
            registry: Arc::clone(self),
        })
    }

    /// The client of that name, known or new.
    pub(super) fn client(&self, pane: &PaneHandle, name: &str) -> Arc<Client> {
        let mut state = self.state();
        state.graces.remove(&pane.id());
        if !state.clients.contains_key(&pane.id()) {
            state
                .clients
                .retain(|_, known| known.pane.info().status != Status::Dead);
        }
        let known = state
            .clients
            .entry(pane.id())
            .or_insert_with(|| PaneClients {
                pane: pane.clone(),
                clients: Clients::default(),
            });
        known.clients.known_or_new(name)
    }

    /// Ends a terminal opened over the network after the grace, unless somebody attaches meanwhile.
    pub fn end_after_grace(self: &Arc<Self>, pane: &PaneHandle) {
        let grace = self.settings.borrow().remote.reconnect_grace;
        self.end_after(pane, grace);
    }

    fn end_after(self: &Arc<Self>, pane: &PaneHandle, grace: Duration) {
        let registry = Arc::clone(self);
        let pane = pane.clone();
        let attach_count = pane.attach_count();
        let ending = self.tasks.ending();
        registry
            .state()
            .graces
            .insert(pane.id(), Instant::now() + grace);
        self.tasks.spawn("grace", async move {
            tokio::select! {
                () = tokio::time::sleep(grace) => {}
                () = ending => return,
            }
            if pane.attach_count() == attach_count {
                registry.state().graces.remove(&pane.id());
            }
            let facts = pane.info();
            let alone = pane.attach_count() == attach_count && facts.viewers == 0;
            if alone
                && facts.owner == Owner::Remote
                && !facts.persistent
                && facts.status != Status::Dead
            {
                info!(id = %pane.id(), "nobody came back to a terminal within the grace; it ends");
                pane.kill();
            }
        });
    }

    /// Gives the place of a writer that was cut off to whoever types next, unless it came back meanwhile.
    pub(super) fn expire_writer_after(self: &Arc<Self>, pane: &PaneHandle, grace: Duration) {
        let registry = Arc::clone(self);
        let pane = pane.clone();
        let attach_count = pane.attach_count();
        let ending = self.tasks.ending();
        self.tasks.spawn("writer's grace", async move {
            tokio::select! {
                () = tokio::time::sleep(grace) => {}
                () = ending => return,
            }
            pane.expire_writer();
            if pane.attach_count() == attach_count {
                registry.state().cut_plain.remove(&pane.id());
            }
        });
    }

    /// Remembers a plain viewer that was cut off.
    pub(super) fn note_cut_plain(&self, pane: &PaneHandle, id: ViewerId) {
        self.state().cut_plain.insert(pane.id(), id);
    }

    /// The plain viewer that one which attaches now comes back for.
    pub(super) fn take_cut_plain(&self, pane: &PaneHandle) -> Option<ViewerId> {
        let mut state = self.state();
        state.graces.remove(&pane.id());
        state.cut_plain.remove(&pane.id())
    }

    /// Leaves a socket for another program to go on with.
    pub(super) fn leave_socket(&self, socket: LeftSocket) {
        self.state().left.push(socket);
    }

    /// Sockets that were left.
    pub fn take_left_sockets(&self) -> Vec<LeftSocket> {
        std::mem::take(&mut self.state().left)
    }

    /// A viewer is back that counted as cut off meanwhile: nobody else comes back for it.
    pub(super) fn has_rejoined(&self, pane: &PaneHandle, id: ViewerId) {
        let mut state = self.state();
        if state.cut_plain.get(&pane.id()) == Some(&id) {
            state.cut_plain.remove(&pane.id());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ViewerPermit {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        state.viewers = state.viewers.saturating_sub(1);
        if state.viewers == 0 {
            self.registry.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn registry() -> Arc<ViewerRegistry> {
        let mut settings = config::parse("", "").unwrap();
        settings.remote.max_viewers = 2;
        let (_, receiver) = watch::channel(Arc::new(settings));
        Arc::new(ViewerRegistry::new(
            receiver,
            Tasks::default(),
            "e".to_owned(),
        ))
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let registry = registry();
        let first = registry.admit().unwrap();
        let _second = registry.admit().unwrap();
        assert_eq!(registry.admit().err(), Some(2));
        drop(first);
        assert_eq!(registry.viewers(), 1);
        assert!(registry.admit().is_ok());
    }
}
