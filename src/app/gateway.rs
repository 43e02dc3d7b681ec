//! The gateway's listener, its keys, and what terminals are told of it.

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tracing::warn;

use super::error::AppError;
use crate::config::{Paths, Settings};
use crate::domain::adapter::Endpoint;
use crate::domain::agent::WireFact;
use crate::domain::caller::Caller;
use crate::domain::id::TerminalId;
use crate::domain::route::ProviderState;
use crate::gateway::{self, FrozenFront, Terminals, environment, outside_key};
use crate::pane::{LaunchEnv, LaunchEnvSource, LaunchRequest, Pool};
use crate::providers::{GatewayEndpoint, KeptProviders, Providers, Setup};
use crate::runtime::ports::{self, Choice};
use crate::runtime::secrets;
use crate::runtime::tasks::Tasks;
use crate::store::Store;
use crate::telemetry::TraceExporter;

/// Connections that may wait to be accepted: a thousand agents may begin at once.
const BACKLOG: i32 = 1024;

/// The gateway before anything is started: a bad address must be told before a screen is drawn.
pub(super) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    /// The address that the user would expect, where another one was taken.
    instead_of: Option<SocketAddr>,
}

/// Takes the gateway's port; none where it is disabled.
pub(super) fn bind(
    settings: &Settings,
    kept: Option<TcpListener>,
) -> Result<Option<Bound>, AppError> {
    let gateway = &settings.gateway;
    if !gateway.enabled {
        return Ok(None);
    }
    if let Some(listener) = kept {
        let address = listener.local_addr().map_err(AppError::Runtime)?;
        return Ok(Some(Bound {
            listener,
            address,
            instead_of: None,
        }));
    }
    let choice = if gateway.bind_named {
        Choice::Named
    } else {
        let remote = &settings.remote;
        let is_taken_later = remote.enabled && remote.bind_named;
        Choice::Default {
            reserved: is_taken_later.then_some(remote.bind.port()),
        }
    };
    let listener = ports::listen(gateway.bind, choice)?;
    rustix::net::listen(&listener, BACKLOG).map_err(|error| AppError::Runtime(error.into()))?;
    let address = listener.local_addr().map_err(AppError::Runtime)?;
    let moved = gateway.bind.port() != 0 && address != gateway.bind;
    Ok(Some(Bound {
        listener,
        address,
        instead_of: moved.then_some(gateway.bind),
    }))
}

impl Bound {
    /// What the user should know.
    pub fn notice(&self) -> Option<String> {
        let wanted = self.instead_of?;
        Some(format!(
            "the gateway listens on {}, since {wanted} is in use",
            self.address
        ))
    }
}

/// What another program has left for the gateway, and how this one is told that it is to be replaced itself.
pub(super) struct Continuity {
    pub kept: KeptProviders,
    /// Whether there is no other program that could go on.
    pub is_last_resort: bool,
    /// Connections that the other program has served.
    pub connections: Vec<(TcpStream, Bytes)>,
    pub drain: watch::Receiver<Option<Duration>>,
    pub frozen: oneshot::Sender<Option<FrozenFront>>,
}

/// Starts router, servers and listener.
pub(super) fn start(
    bound: Option<Bound>,
    continuity: Continuity,
    settings: &Settings,
    paths: &Paths,
    store: &Store,
    traces: &TraceExporter,
    tasks: &Tasks,
) -> Result<Providers, AppError> {
    let key_file = paths.gateway_key();
    let endpoint = bound.as_ref().map(|bound| GatewayEndpoint {
        url: format!("http://{}", bound.address),
        key_file: key_file.clone(),
    });
    let setup = Setup {
        settings,
        endpoint,
        logs: paths.logs.clone(),
        plans: paths.plans(),
        tasks: tasks.clone(),
        recorder: store.recorder(),
    };
    let Continuity {
        kept,
        is_last_resort,
        connections,
        drain,
        frozen,
    } = continuity;
    let providers = Providers::resume(setup, environment(), kept);
    providers.gateway().set_tracer(traces.tracer());
    if let Some(bound) = bound {
        match outside_key(&key_file) {
            Ok(key) => providers.gateway().keys().admit(key, Caller::Outside),
            // Terminals have keys of their own.
            Err(error) if is_last_resort => {
                warn!(%error, "nobody outside has a key to the gateway");
            }
            Err(source) => {
                let path = key_file;
                return Err(AppError::Key { path, source });
            }
        }
        let listener =
            tokio::net::TcpListener::from_std(bound.listener).map_err(AppError::Runtime)?;
        let connections = gateway::Connections {
            listener,
            kept: connections,
            drain,
        };
        let gateway = providers.gateway().clone();
        let server = gateway::serve_until_replaced(connections, gateway, tasks.clone());
        tasks.spawn("gateway", async move {
            // Nobody hears of it where the instance ends.
            let _ = frozen.send(Box::pin(server).await);
        });
    }
    Ok(providers)
}

/// Points terminals' programs at the gateway, each with a key of its own, and hides the providers' keys from them.
#[derive(Debug, Default)]
pub(super) struct GatewayLaunchEnv {
    providers: OnceLock<Providers>,
}

impl GatewayLaunchEnv {
    /// Set once, before the first terminal; without it terminals get nothing.
    pub fn serve(&self, providers: Providers) {
        let _ = self.providers.set(providers);
    }
}

impl LaunchEnvSource for GatewayLaunchEnv {
    fn launch_env(&self, id: TerminalId, request: LaunchRequest<'_>) -> LaunchEnv {
        let agent = request.agent;
        let Some(providers) = self.providers.get() else {
            return LaunchEnv::default();
        };
        let router = providers.gateway().router();
        router.open_account(id, request.budget);
        let Some(endpoint) = providers.endpoint().filter(|_| request.gateway) else {
            // The environment stays as it is, but for what is the store's alone.
            let own = launch_env(gateway::bare(agent), providers.store_secret());
            let mut env = keys_of_the_user(providers);
            env.extend(own.env);
            return LaunchEnv { env, ..own };
        };
        let key = providers.gateway().keys().issue(id);
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let model = served_model(providers);
        let endpoint = Endpoint {
            gateway: endpoint.url.trim_end_matches('/'),
            key: key.reveal(),
            model: &model,
        };
        let launch = gateway::launch(endpoint, agent, providers.offers(), is_set);
        launch_env(launch, providers.secret_variables())
    }

    fn ended(&self, id: TerminalId) {
        if let Some(providers) = self.providers.get() {
            providers.gateway().keys().forget(id);
            providers.gateway().router().close_account(id);
        }
    }
}

fn launch_env(launch: gateway::Launch, without: Vec<String>) -> LaunchEnv {
    let env = launch.env.into_iter();
    LaunchEnv {
        env: env.map(|(name, value)| (name, value.into())).collect(),
        args: launch.args,
        is_observed: launch.is_observed,
        without,
    }
}

/// A model for an agent that must name one: that of the profile that requests now go to, else of the first that is usable.
fn served_model(providers: &Providers) -> String {
    let status = providers.gateway().router().status();
    let mut usable = status
        .providers
        .iter()
        .filter(|provider| provider.enabled && provider.state != ProviderState::NoKey);
    let active = usable.clone().find(|provider| provider.active);
    let chosen = active.or_else(|| usable.next());
    chosen.map_or_else(String::new, |provider| {
        provider.profile.default_model.clone()
    })
}

/// The panes, as the gateway knows those who hold terminals.
#[derive(Debug)]
pub(super) struct PaneTerminals {
    pub pool: Pool,
}

impl Terminals for PaneTerminals {
    fn tell(&self, terminal: TerminalId, fact: WireFact) {
        if let Some(pane) = self.pool.get(terminal) {
            pane.wire(fact);
        }
    }

    fn name(&self, terminal: TerminalId) -> Option<String> {
        Some(self.pool.get(terminal)?.info().name)
    }
}

/// The providers' keys as the user has set them, for a program that goes to its provider by itself.
fn keys_of_the_user(providers: &Providers) -> Vec<(String, OsString)> {
    let keys = providers.key_variables();
    secrets::taken()
        .filter(|(name, _)| keys.iter().any(|key| key == name))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}
