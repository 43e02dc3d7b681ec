//! All servers that tundra runs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::timeout;

use super::log;
use super::server::{Begin, Plan, ProcessStatus, Server, ServerError, ServerEvent};
use crate::domain::profile::{Profile, ProfileName};
use crate::runtime::tasks::Tasks;

/// How many events a slow listener may be behind.
const EVENTS: usize = 64;
/// How long a restart waits for a server; models are large and disks slow.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// The longest that tundra's end waits for a server's.
const MOST_GRACE: Duration = Duration::from_secs(2);

/// Talks to the servers of local profiles; cheap to clone.
#[derive(Clone, Debug)]
pub struct Servers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    servers: Mutex<HashMap<ProfileName, Server>>,
    logs: PathBuf,
    tasks: Tasks,
    changed: watch::Sender<u64>,
    events: broadcast::Sender<ServerEvent>,
}

impl Servers {
    /// None run yet. Their output goes to files in `logs`.
    #[must_use]
    pub fn new(logs: PathBuf, tasks: Tasks) -> Self {
        Self {
            shared: Arc::new(Shared {
                servers: Mutex::default(),
                logs,
                tasks,
                changed: watch::Sender::new(0),
                events: broadcast::Sender::new(EVENTS),
            }),
        }
    }

    /// Runs exactly the servers of these profiles: starts what is new, ends what is gone, and leaves alone what stays.
    pub fn keep(&self, profiles: &[Profile], without: &[String], grace: Duration) {
        let grace = grace.min(MOST_GRACE);
        let mut servers = self.servers();
        let mut kept = HashMap::new();
        for profile in profiles
            .iter()
            .filter(|profile| !profile.command.is_empty())
        {
            let plan = Plan::of(profile, &self.shared.logs, without, grace);
            let server = match servers.remove(&profile.name) {
                Some(server) if server.plan.is_same_server(&plan) => server,
                _ => {
                    let begin = if profile.enabled {
                        Begin::Running
                    } else {
                        Begin::Stopped
                    };
                    let shared = &self.shared;
                    Server::new(
                        plan,
                        begin,
                        shared.changed.clone(),
                        shared.events.clone(),
                        &shared.tasks,
                    )
                }
            };
            kept.insert(profile.name.clone(), server);
        }
        *servers = kept;
    }

    #[must_use]
    pub fn status(&self, name: &ProfileName) -> Option<ProcessStatus> {
        self.servers().get(name).map(Server::status)
    }

    /// Stops a profile's server, starts it and waits until it takes requests; nothing where it has none.
    pub async fn restart(&self, name: &ProfileName) -> Result<(), ServerError> {
        let (restarted, log) = match self.servers().get(name) {
            Some(server) => (server.restart(), server.plan.log.clone()),
            None => return Ok(()),
        };
        let why = match timeout(READY_WITHIN, restarted).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(why))) => why,
            Ok(Err(_)) => "was stopped meanwhile".to_owned(),
            Err(_) => format!("takes no requests after {}s", READY_WITHIN.as_secs()),
        };
        Err(ServerError {
            profile: name.clone(),
            why,
            log,
        })
    }

    /// The file that a profile's server writes to, and its last lines; `None` where the profile has no server.
    #[must_use]
    pub fn log(&self, name: &ProfileName, lines: usize) -> Option<(PathBuf, Vec<String>)> {
        let path = self.servers().get(name)?.plan.log.clone();
        let tail = log::tail(&path, lines).unwrap_or_default();
        Some((path, tail))
    }

    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ServerEvent> {
        self.shared.events.subscribe()
    }

    /// Changes with every change of a status.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    fn servers(&self) -> MutexGuard<'_, HashMap<ProfileName, Server>> {
        self.shared
            .servers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
