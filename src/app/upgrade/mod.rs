//! Another program goes on in this one's place, as the same process.
//!
//! It is asked first whether it takes the state, in a process of its own, and until it has said so nothing is given up.
//! Then requests under way are let end, everything is stopped at a clean point, and all of it goes into a memory file and
//! the descriptors that the next program is executed with. What cannot be executed, or cannot read what it is given, is
//! replaced by this very program, which goes on and says why.

mod kept;
mod resumed;
mod successor;

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::launch::Launch;
use crate::api::UpgradeRequest;
use crate::config::Settings;
use crate::control::FrozenControl;
use crate::gateway::FrozenFront;
use crate::pane::Pool;
use crate::providers::Providers;
use crate::remote::RemoteHandle;
use crate::runtime::dial::LocalListener;
use crate::runtime::handover::{HandoverError, KeptDescriptor, Outgoing, Sealed, Successor};
use crate::runtime::signals::{Termination, Terminations};
use crate::runtime::{limits, secrets};
use crate::store::Store;
use crate::telemetry::TraceExporter;
use crate::tui::FrontHandle;

pub(super) use kept::{KeptCore, KeptRooms};
pub(super) use resumed::Resumed;
pub use successor::CanResume;

/// How long viewers may take to hear that they are to come back.
const VIEWERS: Duration = Duration::from_millis(500);
/// Beyond the time that requests have: for those that are cut off to be answered.
const CUT_OFF: Duration = Duration::from_secs(2);
/// How long the local socket may take to be left as it is.
const CONTROL: Duration = Duration::from_secs(5);
/// How long the front end may take to leave its terminal.
const FRONT: Duration = Duration::from_secs(5);

/// The rooms that are stopped one after the other.
pub(super) struct Departing {
    pub requests: mpsc::Receiver<UpgradeRequest>,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub pool: Pool,
    pub providers: Providers,
    pub store: Store,
    pub traces: TraceExporter,
    pub remote: RemoteHandle,
    pub front: FrontHandle,
    /// Tells the gateway how long requests under way may go on.
    pub drain: watch::Sender<Option<Duration>>,
    pub gateway: Option<oneshot::Receiver<Option<FrozenFront>>>,
    pub freeze_control: CancellationToken,
    pub control: oneshot::Receiver<Option<FrozenControl>>,
}

/// What is kept so far, and by whom it is to be taken up.
pub(super) struct Departed {
    pub out: Outgoing,
    pub rooms: KeptRooms,
    pub successor: PathBuf,
    pub pool: Pool,
    /// Caught from before anybody stopped to listen for them; None where they cannot be.
    terminations: Option<Terminations>,
}

impl Departing {
    /// Waits until this program is to be replaced, and stops everything but the panes. Whoever asks for what cannot be is
    /// told why, and everything goes on.
    pub async fn depart(mut self, launch: &Launch) -> Departed {
        loop {
            let Some(request) = self.requests.recv().await else {
                return std::future::pending().await;
            };
            match self.check(launch, &request.program).await {
                Ok(version) => {
                    info!(program = %request.program.display(), version, "another program takes over");
                    let departed = self.stop(launch, request.program).await;
                    // The next program answers.
                    drop(request.refused);
                    return departed;
                }
                Err(why) => {
                    warn!(why, "no upgrade");
                    // Whoever hears of it may ask again at once.
                    let UpgradeRequest { refused, turn, .. } = request;
                    drop(turn);
                    let _ = refused.send(why);
                }
            }
        }
    }

    async fn check(&self, launch: &Launch, program: &Path) -> Result<String, String> {
        successor::look_at(program).map_err(|error| format!("{}: {error}", program.display()))?;
        successor::ask(program, &globals(launch)).await
    }

    async fn stop(&mut self, launch: &Launch, successor: PathBuf) -> Departed {
        let mut out = Outgoing::new(&launch.version);
        let mut rooms = KeptRooms::default();
        let patience = self.settings.borrow().general.drain;
        let until = Instant::now() + patience;
        let gateway = self.drain(patience, until).await;
        // There are no requests any more to tell of. What is shown goes on while a collector or a database takes its time.
        tokio::join!(self.traces.end(), self.store.leave_copy());
        self.remote.freeze(VIEWERS).await;
        let terminations = Terminations::catch().ok();
        if let Ok(Some(front)) = timeout(FRONT, self.front.freeze()).await {
            rooms.front = front;
        } else {
            warn!("the front end does not go over");
        }
        self.freeze_control.cancel();
        if let Ok(Ok(Some(control))) = timeout(CONTROL, &mut self.control).await {
            match control.keep(&mut out) {
                Ok(control) => rooms.control = control,
                Err(error) => error!(%error, "the local socket does not go over"),
            }
        } else {
            error!("the local socket does not go over");
        }
        rooms.providers = self.providers.keep(gateway, &mut out).await;
        match self.remote.keep(&mut out) {
            Ok(remote) => rooms.remote = remote,
            Err(error) => error!(%error, "attaching does not go over"),
        }
        Departed {
            out,
            rooms,
            successor,
            pool: self.pool.clone(),
            terminations,
        }
    }

    /// Lets requests under way end, and takes no new ones.
    async fn drain(&mut self, patience: Duration, until: Instant) -> Option<FrozenFront> {
        self.drain.send_replace(Some(patience));
        let frozen = match self.gateway.take() {
            Some(frozen) => timeout(patience + CUT_OFF, frozen).await.ok(),
            None => None,
        };
        // Prompts of the command line go past the server.
        let router = self.providers.gateway().router().clone();
        let mut changed = router.watch();
        let idle = async {
            while self.providers.gateway().traffic().1 > 0 && changed.changed().await.is_ok() {}
        };
        if tokio::time::timeout_at(until, idle).await.is_err() {
            self.providers.gateway().cut_off();
        }
        frozen.and_then(Result::ok).flatten()
    }
}

impl Departed {
    /// Stops the panes and puts everything down, but for what the store adds.
    pub async fn keep_panes(&mut self) {
        self.rooms.panes = self.pool.keep(&mut self.out).await;
    }

    /// Keeps the local socket of viewers.
    pub fn keep_attach(&mut self, local: LocalListener) {
        match local.leave() {
            Ok((listener, inode)) => {
                let listener: KeptDescriptor = self.out.descriptor(listener);
                self.rooms.app.attach = Some((listener, inode));
            }
            Err(error) => error!(%error, "the socket of viewers does not go over"),
        }
    }

    /// Writes all of it into memory.
    ///
    /// # Errors
    /// [`HandoverError`] where there is no memory for it: everything is lost then.
    pub fn seal(mut self, launch: &Launch) -> Result<Replacement, HandoverError> {
        let ended_by = self.terminations.as_mut().and_then(Terminations::pending);
        let app = &mut self.rooms.app;
        app.ended_by = ended_by.map(Termination::number);
        app.secrets = secrets::taken()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if let Some(limit) = limits::core_before() {
            app.core_files = KeptCore {
                is_known: true,
                limit,
            };
        }
        let own = File::open("/proc/self/exe").ok().map(OwnedFd::from);
        let own = own.map(|own| self.out.descriptor(own));
        self.rooms.write(&mut self.out)?;
        Ok(Replacement {
            sealed: self.out.seal()?,
            program: self.successor,
            globals: globals(launch),
            own,
        })
    }
}

/// Everything that goes over, once nothing else is left to do.
pub(super) struct Replacement {
    sealed: Sealed,
    program: PathBuf,
    globals: Vec<OsString>,
    /// This program's own file, for a next one that cannot go on.
    own: Option<KeptDescriptor>,
}

impl Replacement {
    /// Becomes the next program, or this one anew. Comes back only where neither can be executed.
    pub fn execute(&self) -> HandoverError {
        let name = std::env::args_os()
            .next()
            .unwrap_or_else(|| "tundra".into());
        let call = |program: &Path, because: Option<String>| {
            let mut arguments = vec![name.clone()];
            arguments.extend(self.globals.iter().cloned());
            arguments.push("resume".into());
            if let Some(own) = self.own {
                arguments.extend(["--former".into(), own.to_string().into()]);
            }
            if let Some(because) = because {
                arguments.extend(["--because".into(), because.into()]);
            }
            Successor {
                program: program.to_owned(),
                arguments,
            }
        };
        let because = match self.sealed.execute(&call(&self.program, None)) {
            Ok(never) => match never {},
            Err(error) => error.to_string(),
        };
        match self
            .sealed
            .execute(&call(Path::new("/proc/self/exe"), Some(because)))
        {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }
}

/// The arguments that name the same home and configuration.
fn globals(launch: &Launch) -> Vec<OsString> {
    let mut globals = Vec::new();
    if let Some(home) = &launch.paths.home {
        globals.extend(["--home".into(), home.into()]);
    }
    if launch.config.named {
        globals.extend(["--config".into(), launch.config.path.clone().into()]);
    }
    globals
}
