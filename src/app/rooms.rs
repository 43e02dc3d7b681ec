//! The rooms of an instance, made in the order in which they need each other, and ended in order.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::builder::{Arrival, Builder};
use super::error::AppError;
use super::front_operations::FrontOperations;
use super::gateway::{self, GatewayLaunchEnv, PaneTerminals};
use super::groundwork::{Groundwork, Origin};
use super::instance::Instance;
use super::launch::Beginning;
use super::notices::NoticeDesk;
use super::remote::RunningRemote;
use super::upgrade::{Departed, Departing};
use super::{Launch, kept_session};
use crate::api::Upgrades;
use crate::control;
use crate::gateway::Terminals;
use crate::pane::Pool;
use crate::providers::Providers;
use crate::push::Push;
use crate::remote::RemoteHandle;
use crate::runtime::fault;
use crate::runtime::handover;
use crate::runtime::signals::{Termination, Terminations};
use crate::runtime::tasks::Tasks;
use crate::tui::{self, Session};

/// How long tasks may take to end once every terminal is gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// How long viewers may take to notice that tundra ends, before their terminals do.
const LEAVE: Duration = Duration::from_millis(500);
/// How long tasks may take to end for another program to go on, while nothing is served.
const DEPART: Duration = Duration::from_millis(500);
/// Terminals that are offered and not yet looked at.
const LENT: usize = 4;

/// The rooms, made.
pub(super) struct Rooms {
    pub instance: Instance,
    /// Stops them for another program to go on.
    pub departing: Departing,
    /// Ends them.
    pub closing: Closing,
}

impl Rooms {
    /// Makes all rooms; from then on they serve.
    ///
    /// # Errors
    /// [`AppError`] for the first that cannot be had; tasks may run by then. Where there is a way back to the program before
    /// this one it has been gone.
    pub fn open(
        launch: &Launch,
        groundwork: Groundwork,
        origin: Origin,
        terminations: Terminations,
        tasks: &Tasks,
    ) -> Result<Self, AppError> {
        let Origin { first, mut resumed } = origin;
        let mut builder = Builder {
            launch,
            tasks,
            groundwork,
            resumed: resumed.as_deref_mut(),
            lost: Vec::new(),
        };
        let bound = builder.bind_gateway()?;
        let moved = bound.as_ref().and_then(gateway::Bound::notice);
        let launch_envs = Arc::new(GatewayLaunchEnv::default());
        let pool = builder.open_pool(&launch_envs)?;
        let listener = builder.listen_locally()?;
        let facts = builder.facts();
        info!(version = facts.version, pid = facts.pid, "tundra started");
        let (providers, gateway_exit) = builder.start_providers(bound)?;
        let terminals = introduce(&launch_envs, &pool, &providers);
        builder.resume_usage(&providers);

        let mut notices = builder.log_notices();
        notices.extend(moved);
        let restored = kept_place(launch, &mut notices);
        let services = builder.services(&pool, &providers, &facts);
        let (settings, reloads) = builder.watch_configuration(&pool, &providers);
        let push = Push::new(launch.paths.state.clone(), tasks.clone());
        let stop_remote = CancellationToken::new();
        let remote = builder.start_remote(&services, &settings, push.clone(), &stop_remote)?;
        notices.extend(remote.notices());
        let (front, link) = tui::link();
        services.set_front(Arc::new(FrontOperations(front.clone())));
        let (upgrades, requests) = Upgrades::new();
        services.set_upgrades(upgrades);
        let (kept, answer) = builder.resume_control(&pool);
        let store = builder.groundwork.store.clone();
        let traces = builder.groundwork.traces.clone();
        let arrival = builder.arrival();
        let place = builder.place();
        // What is left of it is closed, and its memory given back.
        drop(resumed);
        if place.is_some() {
            arrive(&arrival, &pool);
        }

        let (borrower, lent) = mpsc::channel(LENT);
        let (stop_control, freeze_control) = (CancellationToken::new(), CancellationToken::new());
        let served = control::Setup {
            listener,
            services,
            borrower,
            first,
            kept,
            upgraded: answer,
            stop: stop_control.clone(),
            freeze: freeze_control.clone(),
        };
        let control = serve_control(served, tasks);
        let viewers = remote.handle();
        let remote = Arc::new(remote);
        let notice_desk = NoticeDesk::start(&pool, settings.clone(), push, tasks);
        Ok(Self {
            departing: Departing {
                requests,
                settings: settings.clone(),
                pool: pool.clone(),
                providers: providers.clone(),
                store: store.clone(),
                traces,
                remote: viewers.clone(),
                front,
                drain: gateway_exit.drain,
                gateway: gateway_exit.frozen,
                freeze_control,
                control,
            },
            closing: Closing {
                pool: pool.clone(),
                tasks: tasks.clone(),
                remote: Arc::clone(&remote),
                viewers,
                stop_control,
                stop_remote,
                terminals,
            },
            instance: Instance {
                pool,
                settings,
                reloads,
                providers,
                store,
                tasks: tasks.clone(),
                launch: launch.clone(),
                facts,
                remote,
                lent,
                link,
                restored,
                resumed: place,
                session_file: launch.paths.session(),
                terminations,
                notices,
                notice_desk,
            },
        })
    }
}

/// What ends an instance's rooms in order.
pub(super) struct Closing {
    pool: Pool,
    tasks: Tasks,
    /// The services know its listener weakly.
    remote: Arc<RunningRemote>,
    viewers: RemoteHandle,
    stop_control: CancellationToken,
    stop_remote: CancellationToken,
    /// The gateway knows it weakly.
    terminals: Arc<dyn Terminals>,
}

impl Closing {
    /// Ends everything but the store.
    pub async fn end(self) {
        // Viewers hear that tundra ends, and not that their terminal did.
        self.stop_remote.cancel();
        let _ = timeout(LEAVE, self.viewers.emptied()).await;
        // Terminals end before the commands' socket, so that whoever waits for one of them there still hears of its end.
        self.pool.shutdown().await;
        self.stop_control.cancel();
        self.tasks.shutdown(PATIENCE).await;
        drop((self.terminals, self.remote));
        info!("tundra ended");
    }

    /// Lets go of everything but panes and store, once it stands still, for another program.
    pub async fn leave(self, departed: &mut Departed) {
        self.tasks.shutdown(DEPART).await;
        if let Some(local) = self.viewers.take_local() {
            departed.keep_attach(local);
        }
    }
}

/// The user's place as the last run kept it; what is wrong with it is told.
fn kept_place(launch: &Launch, notices: &mut Vec<String>) -> Option<Session> {
    if launch.beginning == Beginning::Fresh {
        return None;
    }
    kept_session::load(&launch.paths.session()).unwrap_or_else(|trouble| {
        warn!(trouble, "the session is not brought back");
        notices.push(trouble);
        None
    })
}

/// Ends what can go wrong: until here nothing of the state has been used up, and the programs in the panes stand still.
/// A signal that came meanwhile comes again.
fn arrive(arrival: &Arrival, pool: &Pool) {
    if arrival.is_tried {
        fault::point("resume", "rooms");
        fault::crash("resume", "crash-in-the-rooms");
    }
    handover::arrive();
    pool.go_on();
    let ended_by = arrival.ended_by.and_then(Termination::of_number);
    ended_by.into_iter().for_each(Termination::raise);
}

/// Lets the panes and the gateway know of each other.
fn introduce(envs: &GatewayLaunchEnv, pool: &Pool, providers: &Providers) -> Arc<dyn Terminals> {
    envs.serve(providers.clone());
    let terminals: Arc<dyn Terminals> = Arc::new(PaneTerminals { pool: pool.clone() });
    providers.gateway().tell_terminals(&terminals);
    terminals
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
