//! What is new, for those who show providers and for the log.

use std::fmt;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tracing::info;

use crate::domain::route::RouterEvent;
use crate::supervise::ProcessEvent;

/// Something that happened, for whoever tells people.
#[derive(Clone, Debug, PartialEq)]
pub enum ProviderEvent {
    Router(RouterEvent),
    Server(ProcessEvent),
}

impl fmt::Display for ProviderEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Router(event) => event.fmt(f),
            Self::Server(event) => event.fmt(f),
        }
    }
}

/// Wakes up when there is something new to show.
#[derive(Debug)]
pub struct Changes {
    pub(super) router: watch::Receiver<u64>,
    pub(super) servers: watch::Receiver<u64>,
}

impl Changes {
    /// Waits for the next change. Cancel-safe.
    pub async fn next(&mut self) {
        tokio::select! {
            changed = self.router.changed() => lasting(changed.is_ok()).await,
            changed = self.servers.changed() => lasting(changed.is_ok()).await,
        }
    }
}

/// Never comes back for a sender that is gone, as only happens at the end.
async fn lasting(is_there: bool) {
    if !is_there {
        std::future::pending::<()>().await;
    }
}

/// What happens, one after the other.
#[derive(Debug)]
pub struct Events {
    pub(super) router: broadcast::Receiver<RouterEvent>,
    pub(super) servers: broadcast::Receiver<ProcessEvent>,
}

impl Events {
    /// The next event; what a slow listener missed is left out. Cancel-safe.
    pub async fn next(&mut self) -> ProviderEvent {
        loop {
            let event = tokio::select! {
                event = self.router.recv() => event.map(ProviderEvent::Router),
                event = self.servers.recv() => event.map(ProviderEvent::Server),
            };
            match event {
                Ok(event) => return event,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// Writes down what the router tells, with who asked for it.
pub(super) async fn log_events(mut events: broadcast::Receiver<RouterEvent>) {
    loop {
        match events.recv().await {
            Ok(event) => match &event {
                RouterEvent::Commanded { command, by, .. } => {
                    info!(%command, by = by.as_str(), "command");
                }
                RouterEvent::Reloaded {
                    by,
                    added,
                    changed,
                    removed,
                    ..
                } => info!(
                    by = by.as_str(),
                    ?added,
                    ?changed,
                    ?removed,
                    "profiles reloaded"
                ),
                event => info!(%event, "router"),
            },
            Err(RecvError::Lagged(missed)) => info!(missed, "router events were missed"),
            Err(RecvError::Closed) => return,
        }
    }
}
