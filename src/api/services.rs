//! What operations are carried out on.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};

use jiff::Timestamp;

use super::error::ApiError;
use super::shapes::{FrontShape, RemoteShape};
use super::typing::Turns;
use super::upgrade::Upgrades;
use crate::domain::id::TerminalId;
use crate::domain::route::By;
use crate::pane::Pool;
use crate::providers::Providers;
use crate::store::Store;

/// What never changes while an instance runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub version: String,
    pub pid: u32,
    pub started_at: Timestamp,
    pub control_socket: PathBuf,
    pub log_file: PathBuf,
    pub config_file: PathBuf,
}

/// The handles of an instance's rooms; cheap to clone.
#[derive(Clone, Debug)]
pub struct Services {
    pub pool: Pool,
    pub providers: Providers,
    pub store: Store,
    pub facts: Facts,
    /// Held while a terminal gets a name, so that no two get the same.
    pub(super) naming: Arc<tokio::sync::Mutex<()>>,
    pub(super) turns: Turns,
    /// Set once it listens. Weak, since the listener answers from these very services.
    listener: Arc<OnceLock<Weak<dyn Listener>>>,
    front: Arc<OnceLock<Arc<dyn Front>>>,
    /// Set once, where there is one.
    log: Arc<OnceLock<Arc<dyn Log>>>,
    upgrades: Arc<OnceLock<Upgrades>>,
}

/// What is asked of the front end.
pub trait Front: fmt::Debug + Send + Sync {
    /// Which terminal shows the instance now.
    fn shape(&self) -> FrontShape;

    /// Leaves the terminal that shows the instance, if one does; done once it is left.
    fn detach(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Begins to end the instance.
    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// What is asked of the listener for viewers.
pub trait Listener: fmt::Debug + Send + Sync {
    /// None where it is disabled.
    fn shape(&self) -> Option<RemoteShape>;

    /// An address with a token that is good for one login.
    ///
    /// # Errors
    /// [`ApiError`] where the listener is disabled, or where no token can be drawn.
    fn url(&self, terminal: Option<TerminalId>) -> Result<String, ApiError>;
}

/// What is asked of the log.
pub trait Log: fmt::Debug + Send + Sync {
    /// What is logged, as `RUST_LOG` would have it.
    fn filter(&self) -> String;

    /// Logs something else from now on.
    ///
    /// # Errors
    /// What is wrong with the filter.
    fn set_filter(&self, filter: &str, by: By) -> Result<(), String>;
}

impl Services {
    /// Joins the handles that operations act on.
    #[must_use]
    pub fn new(pool: Pool, providers: Providers, store: Store, facts: Facts) -> Self {
        Self {
            pool,
            providers,
            store,
            facts,
            naming: Arc::default(),
            turns: Turns::default(),
            listener: Arc::default(),
            front: Arc::default(),
            log: Arc::default(),
            upgrades: Arc::default(),
        }
    }

    /// Makes the front end known to every clone; only the first one counts.
    pub fn set_front(&self, front: Arc<dyn Front>) {
        let _ = self.front.set(front);
    }

    /// Makes known to every clone who carries out upgrades; only the first one counts.
    pub fn set_upgrades(&self, upgrades: Upgrades) {
        let _ = self.upgrades.set(upgrades);
    }

    pub(super) fn upgrades(&self) -> Option<&Upgrades> {
        self.upgrades.get()
    }

    pub(super) fn front(&self) -> Option<&dyn Front> {
        self.front.get().map(AsRef::as_ref)
    }

    /// Makes the listener known to every clone; only the first one counts.
    pub fn set_listener(&self, listener: &Arc<dyn Listener>) {
        let _ = self.listener.set(Arc::downgrade(listener));
    }

    /// Makes the log known to every clone; only the first one counts.
    pub fn set_log(&self, log: Arc<dyn Log>) {
        let _ = self.log.set(log);
    }

    pub(super) fn log(&self) -> Option<&Arc<dyn Log>> {
        self.log.get()
    }

    pub(super) fn listener(&self) -> Option<Arc<dyn Listener>> {
        self.listener.get()?.upgrade()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::domain::adapter::Adapters;
    use crate::domain::fact::Forgetful;
    use crate::pane::{PoolOptions, PoolSetup, PrivateFolders};
    use crate::providers::Setup;
    use crate::runtime::tasks::Tasks;
    use crate::store::StoreOptions;

    /// The services of an instance of at most three terminals and no provider, which keeps its files in a folder.
    pub fn services(folder: &Path) -> Services {
        let options = PoolOptions {
            max_ptys: 3,
            scrollback_lines: 10,
            idle_timeout: Duration::ZERO,
            max_lifetime: Duration::ZERO,
            kill_grace: Duration::from_secs(1),
            replay_bytes: 0,
            shell: vec!["/bin/sh".to_owned()],
            agents: Adapters::default(),
            env: Vec::new(),
            confine: false,
            private: PrivateFolders::default(),
        };
        let setup = Setup {
            settings: &crate::config::parse("", "").unwrap(),
            endpoint: None,
            logs: folder.to_owned(),
            plans: std::path::PathBuf::new(),
            tasks: Tasks::default(),
            recorder: Arc::new(Forgetful),
        };
        Services::new(
            Pool::new(PoolSetup {
                options,
                tasks: Tasks::default(),
                open_files: None,
                launch_envs: None,
                recorder: Arc::new(Forgetful),
            })
            .unwrap(),
            Providers::start(setup, Arc::new(|_| None)),
            store(folder),
            Facts {
                version: "9.9".to_owned(),
                pid: 7,
                started_at: Timestamp::UNIX_EPOCH,
                control_socket: folder.join("control.sock"),
                log_file: PathBuf::from("log"),
                config_file: PathBuf::from("config"),
            },
        )
    }

    /// A journal in the folder, of a writer that is left to itself.
    fn store(folder: &Path) -> Store {
        let options = StoreOptions {
            path: folder.join("tundra.db"),
            host: "here".to_owned(),
            version: "9.9".to_owned(),
            pid: 7,
            started_at: Timestamp::UNIX_EPOCH,
            retention: Duration::from_secs(3600),
            dolt: None,
        };
        Store::start(options, &Tasks::default()).unwrap().0
    }
}
