//! How each room of an instance is made: from what another program has left of it, or anew.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::Launch;
use super::error::AppError;
use super::gateway::{self, Continuity, GatewayLaunchEnv};
use super::groundwork::Groundwork;
use super::log::LogHandle;
use super::pool::pool_options;
use super::reload::{ReloadTargets, Reloads};
use super::remote::{self, RunningRemote};
use super::store as keeping;
use super::upgrade::Resumed;
use crate::api::shapes::UpgradeShape;
use crate::api::{Facts, Services};
use crate::config::Settings;
use crate::control;
use crate::gateway::FrozenFront;
use crate::pane::{LaunchEnvSource, Pool, PoolSetup};
use crate::providers::{KeptProviders, Providers};
use crate::push::Push;
use crate::remote::RemoteHandle;
use crate::runtime::dial::LocalListener;
use crate::runtime::handover;
use crate::runtime::tasks::Tasks;
use crate::telemetry::Telemetry;
use crate::tui::KeptFront;

/// How the gateway stops for another program to go on.
pub(super) struct GatewayExit {
    /// Tells how long requests under way may go on.
    pub drain: watch::Sender<Option<Duration>>,
    /// What is left of it then; None where it is disabled.
    pub frozen: Option<oneshot::Receiver<Option<FrozenFront>>>,
}

/// How this program came to be there.
pub(super) struct Arrival {
    /// It is another one than that whose state it takes up. Such a one alone goes wrong in tests, and not the one that goes
    /// on after it.
    pub is_tried: bool,
    /// The number of the signal that came while it could not be taken.
    pub ended_by: Option<i32>,
}

/// Makes one room after the other. One that cannot be had goes the way back at once, before anything is dropped.
pub(super) struct Builder<'a> {
    pub launch: &'a Launch,
    pub tasks: &'a Tasks,
    pub groundwork: Groundwork,
    /// What another program has left; each room takes its own.
    pub resumed: Option<&'a mut Resumed>,
    /// What of it could not be taken up, in words.
    pub lost: Vec<String>,
}

impl Builder<'_> {
    /// Whether there is no other program that could go on in this one's place.
    fn is_last_resort(&self) -> bool {
        self.resumed.as_deref().is_some_and(Resumed::is_last_resort)
    }

    pub fn bind_gateway(&mut self) -> Result<Option<gateway::Bound>, AppError> {
        let kept = self.resumed.as_deref_mut().and_then(|resumed| {
            let gateway = &resumed.rooms.providers.gateway;
            FrozenFront::resume_listener(gateway, &mut resumed.incoming)
        });
        match gateway::bind(&self.launch.settings, kept).inspect_err(handover::go_back) {
            Err(error) if self.is_last_resort() => {
                self.lost.push(format!("the gateway is off: {error}"));
                Ok(None)
            }
            bound => bound,
        }
    }

    /// The panes. Where one of those that were there is lost the way back is gone: the program there has them all.
    pub fn open_pool(&mut self, launch_envs: &Arc<GatewayLaunchEnv>) -> Result<Pool, AppError> {
        let launch_envs: Arc<dyn LaunchEnvSource> = launch_envs.clone();
        let pool = Pool::new(PoolSetup {
            options: pool_options(&self.launch.settings, &self.launch.paths),
            tasks: self.tasks.clone(),
            open_files: self.groundwork.foundation.open_files,
            launch_envs: Some(launch_envs),
            recorder: self.groundwork.store.recorder(),
        })
        .inspect_err(handover::go_back)
        .map_err(AppError::Runtime)?;
        if let Some(resumed) = self.resumed.as_deref_mut() {
            let lost = pool.resume(&resumed.rooms.panes, &mut resumed.incoming);
            if !lost.is_empty() {
                handover::go_back(&lost.join("; "));
            }
            self.lost.extend(lost);
        }
        Ok(pool)
    }

    /// The local socket: that of the program before this one, else a new one.
    pub fn listen_locally(&mut self) -> Result<LocalListener, AppError> {
        let path = self.launch.paths.control_socket();
        let kept = self.resumed.as_deref_mut().and_then(|resumed| {
            let control = &resumed.rooms.control;
            control.resume_listener(&path, &mut resumed.incoming)
        });
        match kept {
            Some(listener) => Ok(listener),
            None => LocalListener::bind(&path).map_err(|source| AppError::Socket { path, source }),
        }
        .inspect_err(handover::go_back)
    }

    pub fn facts(&self) -> Facts {
        Facts {
            version: self.launch.version.clone(),
            pid: std::process::id(),
            started_at: self.groundwork.foundation.started_at,
            control_socket: self.launch.paths.control_socket(),
            log_file: self.launch.paths.log_file(),
            config_file: self.launch.config.path.clone(),
        }
    }

    pub fn start_providers(
        &mut self,
        bound: Option<gateway::Bound>,
    ) -> Result<(Providers, GatewayExit), AppError> {
        let (drain, draining) = watch::channel(None);
        let (frozen, left) = oneshot::channel();
        let exit = GatewayExit {
            drain,
            frozen: bound.is_some().then_some(left),
        };
        let (connections, kept) = match self.resumed.as_deref_mut() {
            Some(resumed) => {
                let gateway = &resumed.rooms.providers.gateway;
                (
                    FrozenFront::resume_connections(gateway, &mut resumed.incoming),
                    std::mem::take(&mut resumed.rooms.providers),
                )
            }
            None => (Vec::new(), KeptProviders::default()),
        };
        let continuity = Continuity {
            kept,
            is_last_resort: self.is_last_resort(),
            connections,
            drain: draining,
            frozen,
        };
        let providers = gateway::start(
            bound,
            continuity,
            &self.launch.settings,
            &self.launch.paths,
            &self.groundwork.store,
            &self.groundwork.traces,
            self.tasks,
        )
        .inspect_err(handover::go_back)?;
        Ok((providers, exit))
    }

    /// Usage goes on from the journal, where no other program has left it.
    pub fn resume_usage(&self, providers: &Providers) {
        if self.resumed.is_none() {
            let started_at = self.groundwork.foundation.started_at;
            keeping::resume_usage(&self.groundwork.store, providers, started_at, self.tasks);
        }
    }

    pub fn log_notices(&self) -> Vec<String> {
        let telemetry = self.groundwork.foundation.telemetry.as_deref();
        telemetry.map(Telemetry::notices).unwrap_or_default()
    }

    pub fn services(&self, pool: &Pool, providers: &Providers, facts: &Facts) -> Services {
        let store = self.groundwork.store.clone();
        let services = Services::new(pool.clone(), providers.clone(), store, facts.clone());
        if let Some(log) = &self.groundwork.foundation.telemetry {
            services.set_log(Arc::new(LogHandle(Arc::downgrade(log))));
        }
        services
    }

    /// Follows the configuration. The log is its own from then on: it ends with the tasks.
    pub fn watch_configuration(
        &mut self,
        pool: &Pool,
        providers: &Providers,
    ) -> (watch::Receiver<Arc<Settings>>, Reloads) {
        let targets = ReloadTargets {
            pool: pool.clone(),
            providers: providers.clone(),
            store: self.groundwork.store.clone(),
            traces: self.groundwork.traces.clone(),
        };
        let telemetry = self.groundwork.foundation.telemetry.take();
        Reloads::start(self.launch, telemetry, targets, self.tasks)
    }

    pub fn start_remote(
        &mut self,
        services: &Services,
        settings: &watch::Receiver<Arc<Settings>>,
        push: Push,
        stop: &CancellationToken,
    ) -> Result<RunningRemote, AppError> {
        let paths = &self.launch.paths;
        let left = self.left_of_remote();
        let remote = remote::start(left, paths, services, settings, self.tasks, push, stop)
            .inspect_err(handover::go_back)?;
        let is_last_resort = self.is_last_resort();
        self.lost
            .extend(remote.trouble().filter(|_| is_last_resort));
        Ok(remote)
    }

    fn left_of_remote(&mut self) -> remote::Left {
        let Some(resumed) = self.resumed.as_deref_mut() else {
            return remote::Left::default();
        };
        let path = self.launch.paths.attach_socket();
        remote::Left {
            listener: RemoteHandle::resume_listener(&resumed.rooms.remote, &mut resumed.incoming),
            viewers: RemoteHandle::resume_viewers(&resumed.rooms.remote, &mut resumed.incoming),
            local: self
                .groundwork
                .foundation
                .attach
                .take()
                .and_then(|(listener, inode)| {
                    let listener = resumed.incoming.descriptor(listener)?;
                    LocalListener::resume(listener, &path, inode).ok()
                }),
            is_last_resort: resumed.is_last_resort(),
            kept: std::mem::take(&mut resumed.rooms.remote),
        }
    }

    /// Connections of commands that another program has served, and what those are told who asked it to be replaced.
    pub fn resume_control(
        &mut self,
        pool: &Pool,
    ) -> (control::Connections, Result<UpgradeShape, String>) {
        let Some(resumed) = self.resumed.as_deref_mut() else {
            return (control::Connections::default(), Err(String::new()));
        };
        let control = &resumed.rooms.control;
        let connections = control.resume_connections(&mut resumed.incoming);
        let terminals = pool.list().len();
        let lost = std::mem::take(&mut self.lost);
        let upgraded = resumed.upgraded(&self.launch.version, terminals, lost);
        (connections, upgraded)
    }

    pub fn arrival(&self) -> Arrival {
        let resumed = self.resumed.as_deref();
        Arrival {
            is_tried: resumed.is_some_and(|resumed| resumed.because.is_none()),
            ended_by: self.groundwork.foundation.ended_by,
        }
    }

    /// The user's place in the program before this one.
    pub fn place(self) -> Option<KeptFront> {
        let resumed = self.resumed?;
        Some(std::mem::take(&mut resumed.rooms.front))
    }
}
