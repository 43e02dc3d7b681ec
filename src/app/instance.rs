//! One running instance: everything but the front end.

use std::future::Future;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::checkup::OwnCheckup;
use super::error::AppError;
use super::front_operations::FrontOperations;
use super::gateway::{self, GatewayLaunchEnv, PaneTerminals};
use super::launch::Beginning;
use super::log::LogHandle;
use super::notices::NoticeDesk;
use super::pool::pool_options;
use super::reload::{Reloads, Rooms};
use super::remote::{self, RunningRemote};
use super::secret_variables;
use super::store as keeping;
use super::welcome;
use super::{Ending, Launch, Ready, kept_session};
use crate::api::{Facts, Services};
use crate::config::{PaneSettings, Settings};
use crate::control;
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalSpec};
use crate::gateway::Terminals;
use crate::pane::{LaunchEnvSource, Pool, PoolSetup};
use crate::providers::Providers;
use crate::runtime::dial::LocalListener;
use crate::runtime::lend::LentTerminal;
use crate::runtime::limits;
use crate::runtime::secrets;
use crate::runtime::signals::Terminations;
use crate::runtime::tasks::Tasks;
use crate::runtime::user_namespace;
use crate::store::Store;
use crate::telemetry::{self, Telemetry, TraceExporter};
use crate::tui::{self, Checkup, First, FrontLink, Session};

/// How long tasks may take to end once every terminal is gone.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long viewers may take to notice that tundra ends, before their terminals do.
const LEAVE: Duration = Duration::from_millis(500);

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
    pub remote: RunningRemote,
    /// Terminals that are lent.
    pub lent: mpsc::Receiver<LentTerminal>,
    pub link: FrontLink,
    /// What an instance before this one has left.
    pub restored: Option<Session>,
    pub session_file: PathBuf,
    /// What the user should know of this start.
    pub notices: Vec<String>,
    pub notice_desk: NoticeDesk,
}

/// Makes an instance, lets `mode` run on it, and ends it in order however `mode` came out. `first` is a connection that somebody
/// has to it already.
pub(super) fn run<M, F>(
    launch: Launch,
    first: Option<UnixStream>,
    mode: M,
) -> Result<Ending, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    launch.paths.prepare()?;
    let lock = control::Instance::acquire(&launch.paths)?;
    user_namespace::prepare();
    limits::close_memory();
    secrets::take(secret_variables::of(&launch.settings));
    let telemetry = telemetry::start(&launch.settings.logging, launch.paths.log_file())
        .ok()
        .map(Arc::new);
    let open_files = limits::raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("runtime")
        .enable_all()
        .build()
        .map_err(AppError::Runtime)?;
    let outcome = runtime.block_on(Box::pin(run_with_store(
        launch,
        telemetry.clone(),
        open_files,
        first,
        mode,
    )));
    // Whatever still hangs on a blocking call must not hold up the way out.
    runtime.shutdown_timeout(Duration::from_millis(200));
    // What was logged last is written here.
    drop(telemetry);
    drop(lock);
    outcome
}

/// The store is there before all other rooms, which tell it what happens, and ends after them.
async fn run_with_store<M, F>(
    launch: Launch,
    telemetry: Option<Arc<Telemetry>>,
    open_files: Option<(u64, u64)>,
    first: Option<UnixStream>,
    mode: M,
) -> Result<Ending, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    let tasks = Tasks::default();
    let started_at = Timestamp::now();
    let (store, running) = keeping::start(&launch, started_at, &tasks)?;
    let endpoint = launch.settings.logging.otlp_endpoint.clone();
    let (traces, exporter) = TraceExporter::start(endpoint, &launch.version, &tasks);
    let groundwork = Groundwork {
        started_at,
        telemetry,
        open_files,
        store,
        traces,
        first,
    };
    let outcome = run_within(launch, groundwork, mode).await;
    exporter.end().await;
    running.end(keeping::end_of(&outcome)).await;
    tasks.shutdown(PATIENCE).await;
    outcome
}

/// What is there before the rooms are made.
struct Groundwork {
    started_at: Timestamp,
    telemetry: Option<Arc<Telemetry>>,
    open_files: Option<(u64, u64)>,
    store: Store,
    traces: TraceExporter,
    first: Option<UnixStream>,
}

async fn run_within<M, F>(
    launch: Launch,
    groundwork: Groundwork,
    mode: M,
) -> Result<Ending, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    let Groundwork {
        started_at,
        telemetry,
        open_files,
        store,
        traces,
        first,
    } = groundwork;
    let tasks = Tasks::default();
    let bound = gateway::bind(&launch.settings)?;
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
    .map_err(AppError::Runtime)?;
    let socket = launch.paths.control_socket();
    let listener = LocalListener::bind(&socket).map_err(|source| AppError::Socket {
        path: socket.clone(),
        source,
    })?;
    let facts = Facts {
        version: launch.version.clone(),
        pid: std::process::id(),
        started_at,
        control_socket: socket,
        log_file: launch.paths.log_file(),
        config_file: launch.config.path.clone(),
    };
    info!(version = facts.version, pid = facts.pid, "tundra started");
    let providers = match gateway::start(
        bound,
        &launch.settings,
        &launch.paths,
        &store,
        &traces,
        &tasks,
    ) {
        Ok(providers) => providers,
        Err(error) => {
            tasks.shutdown(PATIENCE).await;
            return Err(error);
        }
    };
    launch_envs.serve(providers.clone());
    let terminals: Arc<dyn Terminals> = Arc::new(PaneTerminals { pool: pool.clone() });
    providers.gateway().tell_terminals(&terminals);
    keeping::resume_usage(&store, &providers, started_at, &tasks);

    let mut notices = telemetry
        .as_deref()
        .map(Telemetry::notices)
        .unwrap_or_default();
    notices.extend(moved);
    let session_file = launch.paths.session();
    let restored = match launch.beginning {
        Beginning::Fresh => None,
        Beginning::Restored => match kept_session::load(&session_file) {
            Ok(session) => session,
            Err(trouble) => {
                warn!(trouble, "the session is not brought back");
                notices.push(trouble);
                None
            }
        },
    };
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
    let started = remote::start(&launch.paths, &services, &settings, &tasks, &stop_remote);
    let remote = match started {
        Ok(remote) => remote,
        Err(error) => {
            tasks.shutdown(PATIENCE).await;
            return Err(error);
        }
    };
    notices.extend(remote.notices());
    let (handle, link) = tui::link();
    services.set_front(Arc::new(FrontOperations(handle)));
    let (borrower, lent) = mpsc::channel(LENT);
    let setup = control::Setup {
        listener,
        services,
        borrower,
        first,
        stop: stop_control.clone(),
    };
    tasks.spawn("control", async move {
        if let Err(error) = control::serve(setup).await {
            warn!(%error, "the control socket ended");
        }
    });

    let viewers = remote.handle();
    let notice_desk = NoticeDesk::start(&pool, settings.clone(), &tasks);
    let instance = Instance {
        pool: pool.clone(),
        settings,
        reloads,
        providers,
        store,
        tasks: tasks.clone(),
        launch,
        facts,
        remote,
        lent,
        link,
        restored,
        session_file,
        notices,
        notice_desk,
    };
    let outcome = mode(instance).await;

    // Viewers hear that tundra ends, and not that their terminal did.
    stop_remote.cancel();
    let _ = timeout(LEAVE, viewers.emptied()).await;
    // Terminals end before the commands' socket, so that whoever waits for one of them there still hears of its end.
    pool.shutdown().await;
    stop_control.cancel();
    tasks.shutdown(PATIENCE).await;
    drop(terminals);
    info!("tundra ended");
    outcome
}

impl Instance {
    /// Takes over the terminating signals.
    #[allow(clippy::unused_self)]
    pub fn signals(&self) -> Result<Terminations, AppError> {
        Terminations::catch().map_err(AppError::Runtime)
    }

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
