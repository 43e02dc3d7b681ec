//! What the front end of an instance works with, and what it begins with.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tracing::warn;

use super::checkup::OwnCheckup;
use super::notices::NoticeDesk;
use super::reload::Reloads;
use super::remote::RunningRemote;
use super::{Launch, Ready, welcome};
use crate::api::Facts;
use crate::config::{PaneSettings, Settings};
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalSpec};
use crate::pane::Pool;
use crate::providers::Providers;
use crate::runtime::lend::LentTerminal;
use crate::runtime::secrets;
use crate::runtime::signals::Terminations;
use crate::runtime::tasks::Tasks;
use crate::store::Store;
use crate::tui::{Checkup, First, FrontLink, KeptFront, Session};

/// What modes of running are given to work with.
pub(super) struct Instance {
    pub pool: Pool,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub reloads: Reloads,
    pub providers: Providers,
    pub store: Store,
    pub tasks: Tasks,
    pub launch: Launch,
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
