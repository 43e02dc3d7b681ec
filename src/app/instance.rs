//! One running instance: everything but the front end.

use std::future::Future;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::checkup::OwnCheckup;
use super::error::AppError;
use super::front_operations::FrontOperations;
use super::gateway::{self, Continuity, GatewayLaunchEnv, PaneTerminals};
use super::launch::Beginning;
use super::log::LogHandle;
use super::notices::NoticeDesk;
use super::pool::pool_options;
use super::reload::{Reloads, Rooms};
use super::remote::{self, RunningRemote};
use super::secret_variables;
use super::store as keeping;
use super::upgrade::{Departed, Departing, Replacement, Resumed};
use super::welcome;
use super::{Ending, Launch, Ready, kept_session};
use crate::api::{Facts, Services, Upgrades};
use crate::config::{PaneSettings, Settings};
use crate::control;
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalSpec};
use crate::gateway::{FrozenFront, Terminals};
use crate::pane::{LaunchEnvSource, Pool, PoolSetup};
use crate::providers::Providers;
use crate::push::Push;
use crate::remote::RemoteHandle;
use crate::runtime::dial::LocalListener;
use crate::runtime::fault;
use crate::runtime::handover::{self, KeptDescriptor};
use crate::runtime::lend::LentTerminal;
use crate::runtime::limits;
use crate::runtime::secrets;
use crate::runtime::signals::Terminations;
use crate::runtime::tasks::Tasks;
use crate::runtime::user_namespace;
use crate::store::Store;
use crate::telemetry::{self, Telemetry, TraceExporter};
use crate::tui::{self, Checkup, First, FrontLink, KeptFront, Life, Session};

/// How long tasks may take to end once every terminal is gone.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long viewers may take to notice that tundra ends, before their terminals do.
const LEAVE: Duration = Duration::from_millis(500);

/// The same for another program to go on, while nothing is served.
const DEPART: Duration = Duration::from_millis(500);

/// Terminals that are offered and not yet looked at.
const LENT: usize = 4;

/// Workers of the runtime: they carry sockets and timers, while each pane has a thread of its own.
const WORKERS: usize = 2;

/// What modes of running are given to work with.
pub(super) struct Instance {
    pub pool: Pool,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub reloads: Reloads,
    pub providers: Providers,
    pub store: Store,
    pub tasks: Tasks,
    launch: Launch,
    pub facts: Facts,
    pub remote: Arc<RunningRemote>,
    /// Terminals that are lent.
    pub lent: mpsc::Receiver<LentTerminal>,
    pub link: FrontLink,
    /// What an instance before this one has left.
    pub restored: Option<Session>,
    /// The user's place in the program that went on in this one.
    pub resumed: Option<KeptFront>,
    pub session_file: PathBuf,
    /// Caught before anybody can know that the instance is there.
    pub terminations: Terminations,
    /// What the user should know of this start.
    pub notices: Vec<String>,
    pub notice_desk: NoticeDesk,
}

/// Where an instance comes from.
#[derive(Default)]
pub(super) struct Origin {
    /// A connection that somebody has to it already.
    pub first: Option<UnixStream>,
    /// What another program in this process has left.
    pub resumed: Option<Box<Resumed>>,
}

/// How an instance came to its end.
enum Outcome {
    Ended(Ending),
    /// Another program is to go on.
    Replaced(Box<Replacement>),
}

/// Makes an instance, lets `mode` run on it, and ends it in order however `mode` came out. Where another program is asked for
/// meanwhile, that one goes on and this does not come back.
pub(super) fn run<M, F>(
    launch: Launch,
    mut origin: Origin,
    life: Life,
    mode: M,
) -> Result<Ending, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    launch.paths.prepare()?;
    let mut resumed = origin.resumed.as_deref_mut();
    let kept_lock = resumed
        .as_deref_mut()
        .and_then(|resumed| control::Instance::resume(&resumed.rooms.lock, &mut resumed.incoming));
    let lock = match kept_lock {
        Some(lock) => lock,
        None => control::Instance::acquire(&launch.paths).inspect_err(handover::go_back)?,
    };
    let kept = resumed.map(|resumed| std::mem::take(&mut resumed.rooms.app));
    let kept = kept.unwrap_or_default();
    if kept.core_files.is_known {
        limits::resume_core(kept.core_files.limit);
    }
    user_namespace::prepare();
    limits::close_memory();
    secrets::take_up(kept.secrets, secret_variables::of(&launch.settings));
    let telemetry = telemetry::start(&launch.settings.logging, launch.paths.log_file())
        .ok()
        .map(Arc::new);
    let open_files = kept.open_files.or_else(limits::raise_open_files);
    let foundation = Foundation {
        telemetry: telemetry.clone(),
        open_files,
        life,
        started_at: kept.started_at,
        attach: kept.attach,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("runtime")
        .enable_all()
        .build()
        .inspect_err(handover::go_back)
        .map_err(AppError::Runtime)?;
    let outcome = runtime.block_on(Box::pin(run_with_store(
        launch, foundation, origin, &lock, mode,
    )));
    // Whatever still hangs on a blocking call must not hold up the way out.
    runtime.shutdown_timeout(Duration::from_millis(200));
    // What was logged last is written here.
    drop(telemetry);
    match outcome? {
        Outcome::Ended(ending) => {
            drop(lock);
            Ok(ending)
        }
        Outcome::Replaced(replacement) => Err(replacement.execute().into()),
    }
}

/// The store is there before all other rooms, which tell it what happens, and ends after them.
async fn run_with_store<M, F>(
    launch: Launch,
    foundation: Foundation,
    mut origin: Origin,
    lock: &control::Instance,
    mode: M,
) -> Result<Outcome, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    let tasks = Tasks::default();
    let kept = origin
        .resumed
        .as_deref_mut()
        .map(|resumed| std::mem::take(&mut resumed.rooms.store));
    let started_at = if kept.is_some() {
        foundation.started_at
    } else {
        Timestamp::now()
    };
    let (store, mut running) =
        keeping::start(&launch, started_at, kept, &tasks).inspect_err(handover::go_back)?;
    let endpoint = launch.settings.logging.otlp_endpoint.clone();
    let (traces, exporter) = TraceExporter::start(endpoint, &launch.version, &tasks);
    let groundwork = Groundwork {
        foundation: Foundation {
            started_at,
            ..foundation
        },
        store,
        traces,
        origin,
    };
    let (open_files, life) = (groundwork.foundation.open_files, groundwork.foundation.life);
    let outcome = run_within(&launch, groundwork, mode).await;
    exporter.end().await;
    let mut departed = match outcome {
        Ok(Course::Departed(departed)) => departed,
        Ok(Course::Ended(ending)) => {
            let outcome = Ok(ending);
            running.end(keeping::end_of(&outcome)).await;
            tasks.shutdown(PATIENCE).await;
            return outcome.map(Outcome::Ended);
        }
        Err(error) => {
            let outcome = Err(error);
            running.end(keeping::end_of(&outcome)).await;
            tasks.shutdown(PATIENCE).await;
            return outcome.map(Outcome::Ended);
        }
    };
    running.leave_copy().await;
    // From here on the panes stand still.
    departed.keep_panes().await;
    departed.rooms.store = running.keep().await;
    departed.rooms.app.started_at = started_at;
    departed.rooms.app.open_files = open_files;
    departed.rooms.app.ends_with_last_pane = life == Life::EndsWithLastPane;
    departed.rooms.lock = lock.keep(&mut departed.out).map_err(AppError::Runtime)?;
    let replacement = departed.seal(&launch)?;
    Ok(Outcome::Replaced(Box::new(replacement)))
}

/// What is there before the store is.
struct Foundation {
    telemetry: Option<Arc<Telemetry>>,
    open_files: Option<(u64, u64)>,
    life: Life,
    started_at: Timestamp,
    /// The local socket of viewers that another program has left.
    attach: Option<(KeptDescriptor, u64)>,
}

/// What is there before the rooms are made.
struct Groundwork {
    foundation: Foundation,
    store: Store,
    traces: TraceExporter,
    origin: Origin,
}

/// What became of the rooms.
enum Course {
    Ended(Ending),
    /// All but the panes and the store are stopped, for another program to go on.
    Departed(Box<Departed>),
}

// The rooms in the order in which they need each other, each from what was left of it or anew.
#[allow(clippy::too_many_lines)]
async fn run_within<M, F>(
    launch: &Launch,
    groundwork: Groundwork,
    mode: M,
) -> Result<Course, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    let Groundwork {
        foundation,
        store,
        traces,
        origin: Origin { first, resumed },
    } = groundwork;
    let Foundation {
        telemetry,
        open_files,
        life: _,
        started_at,
        attach,
    } = foundation;
    let launch = launch.clone();
    let terminations = Terminations::catch()
        .inspect_err(handover::go_back)
        .map_err(AppError::Runtime)?;
    let tasks = Tasks::default();
    let mut left_behind = resumed;
    let mut resumed = left_behind.as_deref_mut();
    let kept_listener = resumed.as_deref_mut().and_then(|resumed| {
        FrozenFront::resume_listener(&resumed.rooms.providers.gateway, &mut resumed.incoming)
    });
    let bound = gateway::bind(&launch.settings, kept_listener).inspect_err(handover::go_back)?;
    let moved = bound.as_ref().and_then(gateway::Bound::notice);
    let options = pool_options(&launch.settings, &launch.paths);
    let launch_envs = Arc::new(GatewayLaunchEnv::default());
    let shared: Arc<dyn LaunchEnvSource> = launch_envs.clone();
    let pool = Pool::new(PoolSetup {
        options,
        tasks: tasks.clone(),
        open_files,
        launch_envs: Some(shared),
        recorder: store.recorder(),
    })
    .inspect_err(handover::go_back)
    .map_err(AppError::Runtime)?;
    let lost = match resumed.as_deref_mut() {
        Some(resumed) => pool.resume(&resumed.rooms.panes, &mut resumed.incoming),
        None => Vec::new(),
    };
    let socket = launch.paths.control_socket();
    let listener =
        listen_locally(&socket, resumed.as_deref_mut()).inspect_err(handover::go_back)?;
    let facts = Facts {
        version: launch.version.clone(),
        pid: std::process::id(),
        started_at,
        control_socket: socket,
        log_file: launch.paths.log_file(),
        config_file: launch.config.path.clone(),
    };
    info!(version = facts.version, pid = facts.pid, "tundra started");
    let (drain, draining) = watch::channel(None);
    let (frozen_sender, frozen_gateway) = oneshot::channel();
    let has_gateway = bound.is_some();
    let continuity = Continuity {
        connections: resumed.as_deref_mut().map_or_else(Vec::new, |resumed| {
            let kept = &resumed.rooms.providers.gateway;
            FrozenFront::resume_connections(kept, &mut resumed.incoming)
        }),
        kept: resumed
            .as_deref_mut()
            .map(|resumed| std::mem::take(&mut resumed.rooms.providers))
            .unwrap_or_default(),
        drain: draining,
        frozen: frozen_sender,
    };
    let started = gateway::start(
        bound,
        continuity,
        &launch.settings,
        &launch.paths,
        &store,
        &traces,
        &tasks,
    );
    let providers = match started.inspect_err(handover::go_back) {
        Ok(providers) => providers,
        Err(error) => {
            tasks.shutdown(PATIENCE).await;
            return Err(error);
        }
    };
    launch_envs.serve(providers.clone());
    let terminals: Arc<dyn Terminals> = Arc::new(PaneTerminals { pool: pool.clone() });
    providers.gateway().tell_terminals(&terminals);
    if resumed.is_none() {
        keeping::resume_usage(&store, &providers, started_at, &tasks);
    }

    let mut notices = telemetry
        .as_deref()
        .map(Telemetry::notices)
        .unwrap_or_default();
    notices.extend(moved);
    let session_file = launch.paths.session();
    let restored = kept_place(&launch, &session_file, &mut notices);
    let rooms = Rooms {
        pool: pool.clone(),
        providers: providers.clone(),
        store: store.clone(),
        traces,
    };
    let log = telemetry.clone();
    let (settings, reloads) = Reloads::start(&launch, telemetry, rooms, &tasks);
    let stop_control = CancellationToken::new();
    let stop_remote = CancellationToken::new();
    let services = Services::new(
        pool.clone(),
        providers.clone(),
        store.clone(),
        facts.clone(),
    );
    if let Some(log) = log {
        services.set_log(Arc::new(LogHandle(Arc::downgrade(&log))));
    }
    let left = resumed.as_deref_mut();
    let left = left.map(|resumed| left_of_remote(&launch, attach, resumed));
    let left = left.unwrap_or_default();
    let push = Push::new(launch.paths.state.clone(), tasks.clone());
    let started = remote::start(
        left,
        &launch.paths,
        &services,
        &settings,
        &tasks,
        push.clone(),
        &stop_remote,
    );
    let remote = match started.inspect_err(handover::go_back) {
        Ok(remote) => remote,
        Err(error) => {
            tasks.shutdown(PATIENCE).await;
            return Err(error);
        }
    };
    notices.extend(remote.notices());
    let (handle, link) = tui::link();
    services.set_front(Arc::new(FrontOperations(handle.clone())));
    let (upgrades, upgrade_requests) = Upgrades::new();
    services.set_upgrades(upgrades);
    let freeze_control = CancellationToken::new();
    let count = pool.list().len();
    let (connections, arrival) = match resumed.as_deref_mut() {
        Some(resumed) => {
            let control = &resumed.rooms.control;
            let connections = control.resume_connections(&mut resumed.incoming);
            (connections, resumed.upgraded(&launch.version, count, lost))
        }
        None => (control::Connections::default(), Err(String::new())),
    };
    let is_tried = resumed
        .as_ref()
        .is_some_and(|resumed| resumed.because.is_none());
    let place = resumed.map(|resumed| std::mem::take(&mut resumed.rooms.front));
    // What is left of it is closed, and its memory given back.
    drop(left_behind);
    if is_tried {
        fault::point("resume", "rooms");
        fault::crash("resume", "crash-in-the-rooms");
    }
    if place.is_some() {
        // Nothing can go wrong any more: until here nothing of the state has been used up, and the programs stand still.
        handover::arrive();
        pool.go_on();
    }
    let (borrower, terminals_lent) = mpsc::channel(LENT);
    let setup = control::Setup {
        listener,
        services,
        borrower,
        first,
        kept: connections,
        upgraded: arrival,
        stop: stop_control.clone(),
        freeze: freeze_control.clone(),
    };
    let frozen_control = serve_control(setup, &tasks);

    let viewers = remote.handle();
    let notice_desk = NoticeDesk::start(&pool, settings.clone(), push, &tasks);
    let departing = Departing {
        requests: upgrade_requests,
        settings: settings.clone(),
        pool: pool.clone(),
        providers: providers.clone(),
        remote: viewers.clone(),
        front: handle,
        drain,
        gateway: has_gateway.then_some(frozen_gateway),
        freeze_control,
        control: frozen_control,
    };
    let remote = Arc::new(remote);
    let instance = Instance {
        pool: pool.clone(),
        settings,
        reloads,
        providers,
        store,
        tasks: tasks.clone(),
        launch: launch.clone(),
        facts,
        remote: Arc::clone(&remote),
        lent: terminals_lent,
        link,
        restored,
        resumed: place,
        session_file,
        terminations,
        notices,
        notice_desk,
    };
    let outcome = tokio::select! {
        outcome = mode(instance) => outcome,
        mut departed = departing.depart(&launch) => {
            tasks.shutdown(DEPART).await;
            if let Some(remote) = Arc::into_inner(remote) {
                departed.keep_attach(remote.into_local());
            }
            return Ok(Course::Departed(Box::new(departed)));
        }
    };

    // Viewers hear that tundra ends, and not that their terminal did.
    stop_remote.cancel();
    let _ = timeout(LEAVE, viewers.emptied()).await;
    // Terminals end before the commands' socket, so that whoever waits for one of them there still hears of its end.
    pool.shutdown().await;
    stop_control.cancel();
    tasks.shutdown(PATIENCE).await;
    drop(terminals);
    info!("tundra ended");
    outcome.map(Course::Ended)
}

/// The local socket: that of the program before this one, else a new one.
fn listen_locally(socket: &Path, resumed: Option<&mut Resumed>) -> Result<LocalListener, AppError> {
    let kept = resumed.and_then(|resumed| {
        let control = &resumed.rooms.control;
        control.resume_listener(socket, &mut resumed.incoming)
    });
    match kept {
        Some(listener) => Ok(listener),
        None => LocalListener::bind(socket).map_err(|source| AppError::Socket {
            path: socket.to_owned(),
            source,
        }),
    }
}

/// The user's place as the last run kept it; what is wrong with it is told.
fn kept_place(launch: &Launch, file: &Path, notices: &mut Vec<String>) -> Option<Session> {
    if launch.beginning == Beginning::Fresh {
        return None;
    }
    kept_session::load(file).unwrap_or_else(|trouble| {
        warn!(trouble, "the session is not brought back");
        notices.push(trouble);
        None
    })
}

fn left_of_remote(
    launch: &Launch,
    attach: Option<(KeptDescriptor, u64)>,
    resumed: &mut Resumed,
) -> remote::Left {
    remote::Left {
        listener: RemoteHandle::resume_listener(&resumed.rooms.remote, &mut resumed.incoming),
        viewers: RemoteHandle::resume_viewers(&resumed.rooms.remote, &mut resumed.incoming),
        local: attach.and_then(|(listener, inode)| {
            let listener = resumed.incoming.descriptor(listener)?;
            LocalListener::resume(listener, &launch.paths.attach_socket(), inode).ok()
        }),
        kept: std::mem::take(&mut resumed.rooms.remote),
    }
}

/// Serves the local socket; what is left of it once it is frozen comes out of the channel.
fn serve_control(
    setup: control::Setup,
    tasks: &Tasks,
) -> oneshot::Receiver<Option<control::FrozenControl>> {
    let (frozen, left) = oneshot::channel();
    tasks.spawn("control", async move {
        match control::serve(setup).await {
            Ok(left) => {
                let _ = frozen.send(left);
            }
            Err(error) => warn!(%error, "the control socket ended"),
        }
    });
    left
}

impl Instance {
    pub fn ready(&self) -> Ready {
        Ready {
            pid: self.facts.pid,
            version: self.facts.version.clone(),
            control_socket: self.facts.control_socket.clone(),
            remote_url: self.remote.url(),
            gateway_url: self
                .providers
                .endpoint()
                .map(|endpoint| endpoint.url.clone()),
            notices: self.notices.clone(),
        }
    }

    /// The doctor of this home.
    pub fn checkup(&self) -> Arc<dyn Checkup> {
        Arc::new(OwnCheckup {
            paths: self.launch.paths.clone(),
            source: self.launch.config.clone(),
        })
    }

    /// What to do next, where nobody can be asked yet; told once.
    pub fn first_steps(&self) -> Option<String> {
        let Launch {
            paths, settings, ..
        } = &self.launch;
        let is_set = |name: &str| secrets::value(name).is_some_and(|value| !value.is_empty());
        let profiles = settings.effective_profiles(is_set);
        let has_key = profiles.iter().any(|profile| profile.key_env.is_some());
        welcome::first_steps(paths, settings, has_key)
    }

    /// What to open first: the configured panes, else one shell.
    pub fn first_terminals(&self, owner: Owner) -> First {
        let configured = &self.launch.settings.panes;
        if configured.is_empty() {
            return First::Only(Box::new(spec_of(&PaneSettings::default(), owner)));
        }
        First::Panes(configured.iter().map(|pane| spec_of(pane, owner)).collect())
    }

    /// Opens the configured panes of an instance without a front end; one that cannot be opened is logged.
    pub async fn open_configured_panes(&self) {
        for pane in &self.launch.settings.panes {
            let spec = spec_of(pane, Owner::Local);
            if let Err(error) = self.pool.open(spec).await {
                warn!(name = pane.name, %error, "a configured pane was not opened");
            }
        }
    }
}

fn spec_of(pane: &PaneSettings, owner: Owner) -> TerminalSpec {
    TerminalSpec {
        confine: pane.confine,
        resume: false,
        budget: pane.budget,
        name: pane.name.clone(),
        command: pane.command.clone(),
        cwd: pane.cwd.clone(),
        env: pane
            .env
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        size: Size::DEFAULT,
        persistent: false,
        agent: pane.agent.clone(),
        gateway: pane.gateway,
        owner,
    }
}
