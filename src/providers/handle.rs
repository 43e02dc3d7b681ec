//! The handle that operators' front ends hold.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::applied::{Applied, server_specs};
use super::events::{Changes, Events, log_events};
use super::kept::KeptProviders;
use super::kept_plans::{PlanFile, keep_plans};
use crate::config::Settings;
use crate::domain::budget::Account;
use crate::domain::code::Code;
use crate::domain::fact::Recorder;
use crate::domain::id::TerminalId;
use crate::domain::moment::Moment;
use crate::domain::offer::Offers;
use crate::domain::profile::{Profile, ProfileName};
use crate::domain::route::{
    By, CommandError, Done, ProviderState, ProviderStatus, RouterCommand, RouterStatus, ServerState,
};
use crate::domain::usage::{Counters, RequestTries};
use crate::gateway::{Clock, FrozenFront, Gateway, KeySource};
use crate::runtime::handover::Outgoing;
use crate::runtime::tasks::Tasks;
use crate::supervise::{Children, ProcessState, ProcessStatus, RestartError};

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
    shared: Arc<ProvidersInner>,
}

struct ProvidersInner {
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
    /// How every profile stands.
    pub router: RouterStatus,
    /// In the order of `router.providers`; None for a profile without a server of tundra's.
    pub processes: Vec<Option<ProcessStatus>>,
    pub endpoint: Option<GatewayEndpoint>,
    /// Requests to the gateway since the start.
    pub requests: u64,
    /// What each living terminal has used, and may.
    pub accounts: HashMap<TerminalId, Account>,
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

    /// The profile of that name.
    #[must_use]
    pub fn profile(&self, name: &ProfileName) -> Option<&Profile> {
        let mut providers = self.router.providers.iter();
        let found = providers.find(|provider| provider.profile.name == *name);
        found.map(|provider| &*provider.profile)
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

impl Providers {
    /// Makes the router and starts the servers; must be called within the runtime. `keys` tells a variable's value.
    #[must_use]
    pub fn start(setup: Setup<'_>, keys: KeySource) -> Self {
        Self::resume(setup, keys, KeptProviders::default())
    }

    /// The same with what another program in this process has left; the default for nothing.
    #[must_use]
    pub fn resume(setup: Setup<'_>, keys: KeySource, kept: KeptProviders) -> Self {
        let KeptProviders {
            gateway: kept_gateway,
            servers: kept_servers,
        } = kept;
        let applied = Applied::of(setup.settings, &keys);
        let gateway = Gateway::resume(
            applied.options,
            applied.profiles.clone(),
            Arc::clone(&keys),
            &kept_gateway,
        );
        gateway.router().record_with(setup.recorder);
        let (plans, kept) = PlanFile::open(setup.plans);
        gateway.restore_plans(plans.secret(), kept);
        gateway.resume_logins(&kept_gateway);
        gateway.look_for_guesses_now();
        let keeper = keep_plans(plans, gateway.clone(), setup.tasks.clone());
        setup.tasks.spawn("plans", keeper);
        let servers = Children::resume(setup.tasks.clone(), kept_servers);
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
        let shared = Arc::new(ProvidersInner {
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

    /// Keeps all of it for the program that goes on in this one's place. To be called once no request is under way; servers
    /// run on with nobody who looks after them.
    pub async fn keep(&self, front: Option<FrozenFront>, out: &mut Outgoing) -> KeptProviders {
        KeptProviders {
            servers: self.shared.servers.leave().await,
            gateway: self.gateway().keep(front, out),
        }
    }

    /// The gateway whose router this steers.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.shared.gateway
    }

    /// Where programs reach the gateway; `None` where it does not listen.
    #[must_use]
    pub fn endpoint(&self) -> Option<&GatewayEndpoint> {
        self.shared.endpoint.as_ref()
    }

    /// Everything there is to see, as of now.
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
            accounts: self.gateway().router().accounts(),
            clock: self.gateway().router().clock(),
        }
    }

    /// What a terminal has used, and may.
    #[must_use]
    pub fn account(&self, terminal: TerminalId) -> Account {
        self.gateway().router().account(terminal)
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

    /// What the gateway can do for each vendor's clients, as of now.
    #[must_use]
    pub fn offers(&self) -> Offers {
        let gateway = self.gateway();
        let status = gateway.router().status();
        let usable = status
            .providers
            .iter()
            .filter(|provider| provider.enabled && provider.state != ProviderState::NoKey);
        let translation = gateway.router().read(|state, _| state.router.translation());
        let usable: Vec<&Profile> = usable.map(|provider| &*provider.profile).collect();
        Offers::of(&usable, translation)
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

impl ProvidersInner {
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

impl fmt::Debug for ProvidersInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
