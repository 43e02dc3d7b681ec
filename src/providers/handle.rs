//! The handle that operators' front ends hold.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tracing::{info, warn};

use super::kept_plans::PlanFile;
use crate::config::Settings;
use crate::domain::code::Code;
use crate::domain::fact::Recorder;
use crate::domain::moment::Moment;
use crate::domain::profile::{Profile, ProfileName};
use crate::domain::route::{
    By, CommandError, Done, ProviderStatus, RouteSettings, RouterCommand, RouterEvent,
    RouterStatus, ServerState,
};
use crate::domain::usage::{Counters, RequestTries};
use crate::gateway::{Clock, Gateway, KeySource, Options, key_variables};
use crate::runtime::tasks::Tasks;
use crate::supervise::{
    Address, Begin, Children, Probe, ProcessEvent, ProcessState, ProcessStatus, RestartError, Spec,
    StandIn,
};

/// How long changes of plans are gathered before they are written.
const PLANS_DEBOUNCE: Duration = Duration::from_millis(500);

/// Where programs reach the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayEndpoint {
    /// Without a path or a slash at its end.
    pub url: String,
    /// Holds the key of programs outside.
    pub key_file: PathBuf,
}

/// What [`Providers`] is made of.
#[derive(Debug)]
pub struct Setup<'a> {
    pub settings: &'a Settings,
    /// None where the gateway does not listen.
    pub endpoint: Option<GatewayEndpoint>,
    /// The folder for servers' output.
    pub logs: PathBuf,
    /// The file that keeps logins' plans over a restart.
    pub plans: PathBuf,
    pub tasks: Tasks,
    /// Hears of every attempt and every change of the route.
    pub recorder: Arc<dyn Recorder>,
}

/// Shows and steers all providers; cheap to clone.
#[derive(Clone, Debug)]
pub struct Providers {
    shared: Arc<Shared>,
}

struct Shared {
    gateway: Gateway,
    servers: Children,
    /// The folder for their output.
    logs: PathBuf,
    endpoint: Option<GatewayEndpoint>,
    keys: KeySource,
    applied: Mutex<Applied>,
}

/// All there is to see, as of one moment.
#[derive(Clone, Debug)]
pub struct ProvidersStatus {
    pub router: RouterStatus,
    /// In the order of `router.providers`; None for a profile without a server of tundra's.
    pub processes: Vec<Option<ProcessStatus>>,
    pub endpoint: Option<GatewayEndpoint>,
    /// Requests to the gateway since the start.
    pub requests: u64,
    clock: Clock,
}

impl ProvidersStatus {
    /// Each provider with its server.
    pub fn each(&self) -> impl Iterator<Item = (&ProviderStatus, Option<ProcessStatus>)> {
        let processes = self
            .processes
            .iter()
            .copied()
            .chain(std::iter::repeat(None));
        self.router.providers.iter().zip(processes)
    }

    /// The date of one of the router's moments.
    #[must_use]
    pub fn date(&self, moment: Moment) -> Timestamp {
        self.clock.date(moment)
    }
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SteerError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Server(#[from] RestartError),
}

impl From<&SteerError> for Code {
    fn from(error: &SteerError) -> Self {
        match error {
            SteerError::Command(CommandError::NobodyLeft) => Self::NobodyLeft,
            SteerError::Command(CommandError::NotFound(_)) => Self::NotFound,
            SteerError::Server(_) => Self::ServerFailed,
        }
    }
}

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

impl Providers {
    /// Makes the router and starts the servers; must be called within the runtime. `keys` tells a variable's value.
    #[must_use]
    pub fn start(setup: Setup<'_>, keys: KeySource) -> Self {
        let applied = Applied::of(setup.settings, &keys);
        let gateway = Gateway::new(applied.options, applied.profiles.clone(), Arc::clone(&keys));
        gateway.router().record_with(setup.recorder);
        let (plans, kept) = PlanFile::open(setup.plans);
        gateway.restore_plans(plans.secret(), kept);
        gateway.look_for_guesses_now();
        let keeper = keep_plans(plans, gateway.clone(), setup.tasks.clone());
        setup.tasks.spawn("plans", keeper);
        let servers = Children::new(setup.tasks.clone());
        servers.keep(server_specs(
            &applied.profiles,
            &setup.logs,
            &applied.secrets(),
            setup.settings.pty.kill_grace,
        ));
        let events = gateway.router().events();
        let ending = setup.tasks.ending();
        setup.tasks.spawn("provider events", async move {
            tokio::select! {
                () = log_events(events) => {}
                () = ending => {}
            }
        });
        let shared = Arc::new(Shared {
            gateway,
            servers,
            logs: setup.logs,
            endpoint: setup.endpoint,
            keys,
            applied: Mutex::new(applied),
        });
        shared.tell_router();
        let ending = setup.tasks.ending();
        let follower = Arc::clone(&shared);
        setup.tasks.spawn("server states", async move {
            tokio::select! {
                () = follower.follow_servers() => {}
                () = ending => {}
            }
        });
        Self { shared }
    }

    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.shared.gateway
    }

    /// Where programs reach the gateway; `None` where it does not listen.
    #[must_use]
    pub fn endpoint(&self) -> Option<&GatewayEndpoint> {
        self.shared.endpoint.as_ref()
    }

    #[must_use]
    pub fn status(&self) -> ProvidersStatus {
        let router = self.gateway().router().status();
        let processes = router
            .providers
            .iter()
            .map(|provider| self.shared.servers.status(provider.profile.name.as_str()))
            .collect();
        ProvidersStatus {
            router,
            processes,
            endpoint: self.shared.endpoint.clone(),
            requests: self.gateway().traffic().0,
            clock: self.gateway().router().clock(),
        }
    }

    /// The last requests that were made at a profile or passed it over, the newest first.
    #[must_use]
    pub fn requests(&self, name: &ProfileName) -> Vec<RequestTries> {
        self.gateway().router().requests(name)
    }

    /// The file that a profile's server writes to, and its last lines.
    #[must_use]
    pub fn server_log(&self, name: &ProfileName, lines: usize) -> Option<(PathBuf, Vec<String>)> {
        self.shared.servers.log(name.as_str(), lines)
    }

    /// Carries out an operator's command. The restart of a profile with a server waits until that takes requests.
    ///
    /// # Errors
    /// [`SteerError`] where the command cannot be carried out, or the restarted server does not come up. Dropped while it
    /// waits, the restart goes on.
    pub async fn command(&self, command: RouterCommand, by: By) -> Result<Done, SteerError> {
        if let RouterCommand::Restart(name) = &command {
            self.shared.servers.restart(name.as_str()).await?;
            // The next request may come before whoever follows the servers has looked.
            self.shared.tell_router();
        }
        Ok(self.gateway().command(&command, by)?)
    }

    /// Takes another configuration; what is the same stays as it is.
    pub fn reload(&self, settings: &Settings) {
        let wanted = Applied::of(settings, &self.shared.keys);
        {
            let mut applied = self.shared.applied();
            if *applied == wanted {
                return;
            }
            *applied = wanted.clone();
        }
        self.shared.servers.keep(server_specs(
            &wanted.profiles,
            &self.shared.logs,
            &wanted.secrets(),
            settings.pty.kill_grace,
        ));
        self.gateway()
            .reload(wanted.options, wanted.profiles, By::Reload);
        self.gateway().look_for_guesses_now();
        self.shared.tell_router();
    }

    /// Looks whether anything answers now at the address of a server that nobody wrote down.
    pub async fn look_for_guesses(&self) {
        self.gateway().look_for_guesses().await;
    }

    /// Lets a profile's counters go on from what was counted before this process began.
    pub fn resume_usage(&self, profile: &ProfileName, counters: &Counters) {
        self.gateway().router().resume_usage(profile, counters);
    }

    /// The variables that hold providers' keys.
    #[must_use]
    pub fn key_variables(&self) -> Vec<String> {
        self.shared.applied().key_variables().collect()
    }

    /// The variables that hold providers' keys and the store's password, which no program in a terminal may see.
    #[must_use]
    pub fn secret_variables(&self) -> Vec<String> {
        self.shared.applied().secrets()
    }

    /// The variable that holds the store's password, where there is one.
    #[must_use]
    pub fn store_secret(&self) -> Vec<String> {
        self.shared.applied().store_secret.iter().cloned().collect()
    }

    /// Wakes up when there is something new to show. Countdowns are the viewer's own.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes {
            router: self.gateway().router().watch(),
            servers: self.shared.servers.watch(),
        }
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events {
            router: self.gateway().router().events(),
            servers: self.shared.servers.events(),
        }
    }
}

impl Shared {
    fn applied(&self) -> MutexGuard<'_, Applied> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the router which profiles' servers take requests.
    fn tell_router(&self) {
        let names: Vec<ProfileName> = {
            let applied = self.applied();
            applied
                .profiles
                .iter()
                .filter(|profile| !profile.is_guess)
                .map(|profile| profile.name.clone())
                .collect()
        };
        for name in names {
            let state = match self
                .servers
                .status(name.as_str())
                .map(|status| status.state)
            {
                Some(ProcessState::Starting) => ServerState::Starting,
                Some(ProcessState::Backoff) => ServerState::Down,
                Some(ProcessState::Ready | ProcessState::Stopped) | None => ServerState::Serving,
            };
            self.gateway.router().set_server(&name, state);
        }
    }

    async fn follow_servers(&self) {
        let mut changed = self.servers.watch();
        loop {
            // Looked at once more after the subscription, for what changed before it.
            self.tell_router();
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub struct Changes {
    router: watch::Receiver<u64>,
    servers: watch::Receiver<u64>,
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

#[derive(Debug)]
pub struct Events {
    router: broadcast::Receiver<RouterEvent>,
    servers: broadcast::Receiver<ProcessEvent>,
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

/// Writes what is known of plans whenever it has changed, and once more at the end.
async fn keep_plans(file: PlanFile, gateway: Gateway, tasks: Tasks) {
    let file = Arc::new(file);
    let mut changed = gateway.router().watch_plans();
    let mut written = *changed.borrow();
    let ending = tasks.ending();
    tokio::pin!(ending);
    loop {
        let ends = tokio::select! {
            () = &mut ending => true,
            changed = async {
                let changed = changed.changed().await;
                tokio::time::sleep(PLANS_DEBOUNCE).await;
                changed
            } => changed.is_err(),
        };
        let revision = *changed.borrow_and_update();
        if revision != written {
            let (file, plans) = (Arc::clone(&file), gateway.router().kept_plans());
            match tokio::task::spawn_blocking(move || file.write(&plans)).await {
                Ok(Ok(())) => written = revision,
                Ok(Err(error)) => warn!(%error, "what is left of plans could not be kept"),
                Err(error) => warn!(%error, "what is left of plans could not be kept"),
            }
        }
        if ends {
            return;
        }
    }
}

fn options_of(settings: &Settings) -> Options {
    Options {
        route: RouteSettings {
            breaker: settings.breaker,
            max_wait: settings.gateway.max_wait,
            translation: settings.gateway.translation,
            affinity: settings.gateway.affinity,
            spill: settings.gateway.spill,
        },
        timeouts: settings.timeouts,
        max_body: settings.gateway.max_body,
        ..Options::default()
    }
}

fn profiles_of(settings: &Settings, keys: &KeySource) -> Vec<Profile> {
    settings.effective_profiles(|name| keys(name).is_some_and(|key| !key.trim().is_empty()))
}

/// The servers of local profiles that have a command. They see none of the variables `without`.
fn server_specs(
    profiles: &[Profile],
    logs: &Path,
    without: &[String],
    grace: Duration,
) -> Vec<Spec> {
    let with_server = profiles
        .iter()
        .filter(|profile| !profile.command.is_empty());
    let specs = with_server.map(|profile| {
        let name = profile.name.as_str();
        Spec {
            without: without.to_vec(),
            probe: Address::of(&profile.base_url).map_or(Probe::Never, Probe::Http),
            // A server that the user started by hand is as good.
            stand_in: StandIn::Accepted,
            grace,
            begin: if profile.enabled {
                Begin::Running
            } else {
                Begin::Stopped
            },
            ..Spec::new(name, profile.command.clone(), Spec::log_in(logs, name))
        }
    });
    specs.collect()
}

/// What is in force, so that a change of other settings is no change here.
#[derive(Clone, Debug, PartialEq)]
struct Applied {
    options: Options,
    profiles: Vec<Profile>,
    /// The variable that holds the store's password.
    store_secret: Option<String>,
}

impl Applied {
    fn of(settings: &Settings, keys: &KeySource) -> Self {
        Self {
            options: options_of(settings),
            profiles: profiles_of(settings, keys),
            store_secret: settings.dolt.password_env.clone(),
        }
    }

    fn key_variables(&self) -> impl Iterator<Item = String> {
        key_variables(&self.profiles).map(str::to_owned)
    }

    /// Variables that no child may see.
    fn secrets(&self) -> Vec<String> {
        let keys = self.key_variables();
        keys.chain(self.store_secret.clone()).collect()
    }
}

/// Writes down what the router tells, with who asked for it.
async fn log_events(mut events: broadcast::Receiver<RouterEvent>) {
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
