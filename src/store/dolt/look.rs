//! How the copy stands where no instance ships to it: one look, which writes nothing.

use std::time::Duration;

use tokio::time::timeout;

use super::connect::Session;
use super::error::DoltError;
use super::options::DoltOptions;
use super::revisions;
use crate::store::status::{DoltState, DoltStatus};

/// For the whole look: a person waits.
const LOOK: Duration = Duration::from_secs(4);

/// How a copy stands, asked of its server; `store_id` is None in a home that keeps no journal yet.
///
/// Of a server that tundra runs nothing is asked: it runs with an instance alone. Dropped, it closes its connection.
pub async fn look(options: &DoltOptions, store_id: Option<&str>) -> DoltStatus {
    let mut status = options.at_first();
    if options.managed.is_some() {
        status.message = Some("its server is started with the instance, and none runs".to_owned());
        return status;
    }
    let asked = timeout(LOOK, ask(options, store_id, &mut status)).await;
    let asked = asked.unwrap_or_else(|_| {
        Err(DoltError::NoAnswer {
            address: options.server.address(),
            seconds: LOOK.as_secs(),
        })
    });
    if let Err(error) = asked {
        status.state = error.state();
        status.message = Some(error.to_string());
    }
    status
}

async fn ask(
    options: &DoltOptions,
    store_id: Option<&str>,
    status: &mut DoltStatus,
) -> Result<(), DoltError> {
    let mut copy = Session::log_in(&options.server).await?;
    status.version = Some(copy.version.clone());
    if copy.find(store_id).await? {
        let commits = revisions::log(&mut copy, 1).await?;
        status.last_commit = commits.into_iter().next();
    } else {
        let database = &options.server.database;
        status.message = Some(format!(
            "the database '{database}' holds nothing yet: the next instance fills it"
        ));
    }
    status.state = DoltState::Ready;
    copy.close().await;
    Ok(())
}
