//! What is read of the journal. It is the disk that is read, so a thread for that does it.

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::error::ApiError;
use super::services::Services;
use super::shapes::{EventShape, UsageShape};
use super::since::Since;
use crate::domain::code::Code;
use crate::store::{EventFilter, Grouping, StoreError};

/// Usage from the full hour of `since` on.
pub(super) async fn usage(
    services: &Services,
    since: Since,
    by: Grouping,
) -> Result<UsageShape, ApiError> {
    let store = services.store.clone();
    read(move || {
        let now = Timestamp::now();
        let report = store.read()?.usage(since.at(now), now, by)?;
        Ok(UsageShape::new(&report, by))
    })
    .await
}

/// The events that are wanted, the oldest first.
pub(super) async fn history(
    services: &Services,
    filter: EventFilter,
) -> Result<Vec<serde_json::Value>, ApiError> {
    let store = services.store.clone();
    read(move || {
        let mut events = Vec::new();
        store.read()?.events(&filter, None, |event| {
            // A shape of strings and numbers is always JSON.
            events.extend(serde_json::to_value(EventShape::from(event)));
            Ok::<_, StoreError>(())
        })?;
        Ok(events)
    })
    .await
}

async fn read<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    match spawn_blocking(read).await {
        Ok(read) => Ok(read?),
        Err(error) => Err(ApiError::new(
            Code::Internal,
            format!("the journal was not read: {error}"),
        )),
    }
}
