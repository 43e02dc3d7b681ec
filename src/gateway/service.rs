//! The gateway as the rest of tundra holds it: one handle for its server, its commands and its panel.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::conversation::ConversationNames;
use super::frozen::FrozenFront;
use super::kept::{KeptConnection, KeptGateway, KeptKey, StandingShape};
use super::kept_usage::{AccountShape, KeptUsage};
use super::keys::{CallerKey, KeyRing};
use super::login::LoginHasher;
use super::router::RouterHandle;
use super::terminals::Terminals;
use super::upstream::Upstream;
use super::upstream::connections::{Connections, KeySource};
use super::upstream::reach;
use crate::domain::caller::Caller;
use crate::domain::login::{KeptPlan, KeptStanding};
use crate::domain::profile::{Profile, ProfileName};
use crate::domain::route::{By, CommandError, Done, RouteSettings, RouterCommand};
use crate::domain::timeouts::Timeouts;
use crate::domain::trace::Tracer;
use crate::runtime::handover::Outgoing;
use crate::runtime::tasks::Tasks;

/// How long a caller of a stream hears nothing before a ping.
const PING_EVERY: Duration = Duration::from_secs(15);
/// The largest request body.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// What the configuration says about the gateway, its profiles apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How profiles are chosen.
    pub route: RouteSettings,
    /// For every call to a provider.
    pub timeouts: Timeouts,
    /// Bytes of the largest request body.
    pub max_body: usize,
    /// Between pings to the caller of a silent stream.
    pub ping_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            route: RouteSettings::default(),
            timeouts: Timeouts::default(),
            max_body: MAX_BODY,
            ping_every: PING_EVERY,
        }
    }
}

/// Talks to the gateway; cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(super) state: Arc<GatewayState>,
}

/// What the server and every request share.
#[derive(Debug)]
pub(super) struct GatewayState {
    pub router: RouterHandle,
    pub connections: Connections,
    pub keys: KeyRing,
    logins: OnceLock<LoginHasher>,
    pub conversations: ConversationNames,
    options: RwLock<Options>,
    pub address: RwLock<Option<SocketAddr>>,
    pub counts: Counts,
    /// Who wants traces of requests; set once.
    pub tracer: OnceLock<Arc<dyn Tracer>>,
    /// Cancelled when streams must end.
    pub closing: CancellationToken,
    /// Where connections are opened ahead; known once the listener is served.
    tasks: OnceLock<Tasks>,
    /// Weak, since those who hold terminals hold the gateway too.
    terminals: OnceLock<Weak<dyn Terminals>>,
}

/// What the server counts itself.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Requests for a forwarded route, whether sound or not.
    pub requests: AtomicU64,
    /// Of those, answered by tundra itself for a fault of the request.
    pub refused: AtomicU64,
}

impl Gateway {
    /// `keys` tells the value of the environment variable that holds a provider's key.
    #[must_use]
    pub fn new(options: Options, profiles: Vec<Profile>, keys: KeySource) -> Self {
        Self::resume(options, profiles, keys, &KeptGateway::default())
    }

    /// Goes on with what another program has learned and counted; the default for none.
    #[must_use]
    pub fn resume(
        options: Options,
        profiles: Vec<Profile>,
        keys: KeySource,
        kept: &KeptGateway,
    ) -> Self {
        let connections = Connections::new(keys);
        let profiles = connections.open_all(profiles, options.timeouts);
        let origin = kept.origin.map(Duration::from_nanos);
        let clock = origin.map_or_else(Clock::start, Clock::resume);
        let router = RouterHandle::new(options.route, profiles, seed(), clock);
        if origin.is_some() {
            router.resume(&(&kept.router).into(), |state| {
                kept.usage.resume(&mut state.usage);
                for (terminal, account) in kept.accounts.iter().filter_map(AccountShape::resume) {
                    state.accounts.resume(terminal, account);
                }
            });
        }
        let keys = KeyRing::default();
        for KeptKey { key, terminal } in &kept.keys {
            if let Ok(terminal) = terminal.parse() {
                keys.admit(CallerKey::shown(key), Caller::Terminal(terminal));
            }
        }
        let conversations = kept.conversations.map(ConversationNames::of_secret);
        Self {
            state: Arc::new(GatewayState {
                router,
                connections,
                keys,
                logins: OnceLock::new(),
                conversations: conversations.unwrap_or_default(),
                options: RwLock::new(options),
                address: RwLock::new(None),
                counts: Counts {
                    requests: AtomicU64::new(kept.requests),
                    refused: AtomicU64::new(kept.refused),
                },
                tracer: OnceLock::new(),
                closing: CancellationToken::new(),
                tasks: OnceLock::new(),
                terminals: OnceLock::new(),
            }),
        }
    }

    /// Tells of requests from now on; only the first one given counts. Nobody is told once all others have let go of it.
    pub fn tell_terminals(&self, terminals: &Arc<dyn Terminals>) {
        let _ = self.state.terminals.set(Arc::downgrade(terminals));
    }

    /// Tells every request's trace to somebody; only the first one counts.
    pub fn set_tracer(&self, tracer: Arc<dyn Tracer>) {
        let _ = self.state.tracer.set(tracer);
    }

    /// Keeps all of it for the program that goes on in this one's place, with the sockets where it listens. To be called
    /// once nothing is under way.
    pub fn keep(&self, front: Option<FrozenFront>, out: &mut Outgoing) -> KeptGateway {
        let state = &self.state;
        let origin = state.router.clock().origin();
        let keys = state.keys.of_terminals();
        let mut kept = KeptGateway {
            origin: origin.and_then(|origin| u64::try_from(origin.as_nanos()).ok()),
            conversations: Some(state.conversations.secret()),
            keys: keys
                .iter()
                .map(|(key, terminal)| KeptKey {
                    key: key.reveal().to_owned(),
                    terminal: terminal.to_string(),
                })
                .collect(),
            requests: state.counts.requests.load(Ordering::Relaxed),
            refused: state.counts.refused.load(Ordering::Relaxed),
            ..KeptGateway::default()
        };
        state.router.read(|state, _| {
            kept.router = (&state.router.keep()).into();
            kept.usage = KeptUsage::of(&state.usage);
            let standings = state.plans.standings();
            kept.standings = standings.iter().map(StandingShape::from).collect();
            let accounts = state.accounts.living();
            kept.accounts = accounts
                .map(|(terminal, account)| AccountShape::of(terminal, &account))
                .collect();
        });
        let Some(FrozenFront { listener, idle }) = front else {
            return kept;
        };
        kept.listener = listener
            .into_std()
            .ok()
            .map(|listener| out.descriptor(listener.into()));
        for (stream, read) in idle {
            if let Ok(stream) = stream.into_std() {
                kept.idle.push(KeptConnection {
                    stream: out.descriptor(stream.into()),
                    read: out.bytes(&read),
                });
            }
        }
        kept
    }

    /// Ends what is under way.
    pub fn cut_off(&self) {
        self.state.closing.cancel();
    }

    /// Goes on with how logins stood in another program, after [`Gateway::restore_plans`].
    pub fn resume_logins(&self, kept: &KeptGateway) {
        let standings = kept.standings.iter().map(KeptStanding::from);
        self.state.router.resume_logins(standings.collect());
    }

    /// The rules' own handle: status, events, attempts, usage.
    #[must_use]
    pub fn router(&self) -> &RouterHandle {
        &self.state.router
    }

    /// The keys that callers show; whoever opens terminals adds and removes theirs.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.state.keys
    }

    /// Takes up what an earlier run kept of logins' plans, with the secret that names logins in it. Without it, before the
    /// first request, logins are named for this run alone.
    pub fn restore_plans(&self, secret: &[u8], kept: Vec<KeptPlan>) {
        let _ = self.state.logins.set(LoginHasher::new(secret));
        self.state.router.restore_plans(kept);
    }

    /// Looks whether anything answers now at the address of a server that nobody wrote down.
    pub async fn look_for_guesses(&self) {
        self.state.look_for_guesses().await;
    }

    /// The same at once, for a start or a reload: an address on this machine answers or refuses without a wait.
    pub fn look_for_guesses_now(&self) {
        for (name, url) in self.state.guesses() {
            let server = reach::answers_now(&url);
            self.state.router.set_server(&name, server);
        }
    }

    /// Where the server listens; `None` before it does.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        *self
            .state
            .address
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests since the start, and those under way.
    #[must_use]
    pub fn traffic(&self) -> (u64, u64) {
        let counts = &self.state.counts;
        let in_flight = self.state.router.status().in_flight;
        (counts.requests.load(Ordering::Relaxed), in_flight)
    }

    /// Carries out an operator's command; a restart also takes new connections and a fresh look at the key.
    ///
    /// The process of a local profile is not this room's: whoever runs it restarts it too.
    ///
    /// # Errors
    /// [`CommandError`] where the profile is unknown or nobody else can take over; nothing is changed then.
    pub fn command(&self, command: &RouterCommand, by: By) -> Result<Done, CommandError> {
        if let RouterCommand::Restart(name) = command {
            let profile = self
                .state
                .router
                .status()
                .providers
                .into_iter()
                .find(|provider| provider.profile.name == *name)
                .map(|provider| provider.profile)
                .ok_or_else(|| CommandError::NotFound(name.clone()))?;
            let state = self
                .state
                .connections
                .reopen(&profile, self.state.timeouts());
            self.state.router.set_key(name, state);
        }
        self.state.router.command(command, by)
    }

    /// Takes another configuration; requests under way end as they began.
    pub fn reload(&self, options: Options, profiles: Vec<Profile>, by: By) {
        *self
            .state
            .options
            .write()
            .unwrap_or_else(PoisonError::into_inner) = options;
        let profiles = self.state.connections.open_all(profiles, options.timeouts);
        self.state.router.reload(options.route, profiles, by);
    }
}

impl GatewayState {
    pub fn terminals(&self) -> Option<Arc<dyn Terminals>> {
        self.terminals.get()?.upgrade()
    }

    /// Lets what goes on beside requests run on `tasks`; only the first ones given count.
    pub fn run_on(&self, tasks: &Tasks) {
        let _ = self.tasks.set(tasks.clone());
    }

    /// Opens the connection of the next call over `upstream`, where each has its own.
    pub fn open_ahead(&self, upstream: &Upstream) {
        let Some(tasks) = self.tasks.get() else {
            return;
        };
        if let Some(ahead) = upstream.ahead(tasks.ending()) {
            tasks.spawn("connection ahead", ahead);
        }
    }

    /// See [`Gateway::look_for_guesses`].
    pub async fn look_for_guesses(&self) {
        for (name, url) in self.guesses() {
            let server = reach::answers(&url).await;
            self.router.set_server(&name, server);
        }
    }

    fn guesses(&self) -> Vec<(ProfileName, String)> {
        self.router.read(|state, _| {
            let guesses = state.router.profiles().filter(|profile| profile.is_guess);
            guesses
                .map(|guess| (guess.name.clone(), guess.base_url.clone()))
                .collect()
        })
    }

    pub fn timeouts(&self) -> Timeouts {
        self.options().timeouts
    }

    pub fn logins(&self) -> &LoginHasher {
        self.logins
            .get_or_init(|| LoginHasher::new(uuid::Uuid::new_v4().as_bytes()))
    }

    /// How long a stream may be silent before its caller gets a ping.
    pub fn ping_every(&self) -> Duration {
        self.options().ping_every
    }

    /// The largest body of a request, in bytes, decoded.
    pub fn max_body(&self) -> usize {
        self.options().max_body
    }

    fn options(&self) -> Options {
        *self.options.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A start for the breakers' jitter that differs from run to run.
fn seed() -> u64 {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    NonZeroU64::new(high ^ low).map_or(1, NonZeroU64::get)
}
