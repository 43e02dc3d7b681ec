//! What is answered where no instance runs: the files tell it, and the copy's server is asked.

use crate::config::{ConfigError, Dolt, Paths, Settings};
use crate::runtime::secrets;
use crate::store::{
    self, DoltOptions, DoltStatus, ManagedOptions, Reader, Server, StoreError, StoreState,
    StoreStatus,
};

/// How a store stands: the journal's file and, where the configuration wants a copy, its server, which is waited for four
/// seconds at most. Nothing is written. Dropped, it closes its connection.
///
/// # Errors
/// [`StoreError`] where the journal cannot be read.
pub async fn store(
    paths: &Paths,
    settings: &Result<Settings, ConfigError>,
) -> Result<StoreStatus, StoreError> {
    let path = paths.journal();
    let (mut status, store_id) = match Reader::open(&path) {
        Ok(reader) => (reader.status()?, reader.store_id()?),
        Err(error) => (store::status_of_error(&path, &error).ok_or(error)?, None),
    };
    status.dolt = match settings {
        Ok(settings) => match dolt_options(&settings.dolt, paths) {
            Some(options) if status.state == StoreState::SchemaNewer => options.unshipped(),
            Some(options) => store::look_at_dolt(&options, store_id.as_deref()).await,
            None => DoltStatus::default(),
        },
        Err(error) => DoltStatus {
            message: error.to_string().lines().next().map(str::to_owned),
            ..DoltStatus::default()
        },
    };
    Ok(status)
}

/// Where the copy is kept; None where none is wanted.
#[must_use]
pub fn dolt_options(dolt: &Dolt, paths: &Paths) -> Option<DoltOptions> {
    if !dolt.enabled {
        return None;
    }
    let password = dolt.password_env.as_deref().and_then(|name| {
        // One that was named while tundra ran is still in the environment, where no child is to find it.
        secrets::hide(name);
        secrets::value(name)
    });
    let managed = dolt.managed.then(|| ManagedOptions {
        folder: dolt.dir.clone().unwrap_or_else(|| paths.data.join("dolt")),
        state: paths.state.clone(),
        logs: paths.logs.clone(),
        without: dolt.password_env.iter().cloned().collect(),
    });
    Some(DoltOptions {
        server: Server {
            host: dolt.host.clone(),
            port: dolt.port,
            user: dolt.user.clone(),
            password,
            database: dolt.database.clone(),
        },
        managed,
        commit_every: dolt.commit_every,
        host: host(),
    })
}

/// This machine's name.
#[must_use]
pub fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}
