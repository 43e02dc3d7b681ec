//! What the pool of terminals goes by.

use crate::config::{Paths, Settings};
use crate::pane::{PoolOptions, PrivateFolders};

/// The pool's share of the settings.
pub(super) fn pool_options(settings: &Settings, paths: &Paths) -> PoolOptions {
    // Commands inside a terminal are to reach this very instance.
    let home = paths
        .home
        .as_ref()
        .map(|home| ("TUNDRA_HOME".to_owned(), home.into()));
    PoolOptions {
        max_ptys: settings.pty.max_ptys,
        scrollback_lines: settings.pty.scrollback_lines,
        idle_timeout: settings.pty.idle_timeout,
        max_lifetime: settings.pty.max_lifetime,
        kill_grace: settings.pty.kill_grace,
        replay_bytes: settings.remote.replay_bytes,
        shell: settings.general.shell_command(),
        agents: settings.agents.clone(),
        env: home.into_iter().collect(),
        confine: settings.pty.confine,
        private: PrivateFolders {
            pinned: paths.home.clone(),
            covered: vec![
                paths.run.clone(),
                paths.state.clone(),
                paths.logs.clone(),
                paths.data.clone(),
                paths.config_dir.clone(),
            ],
        },
    }
}
