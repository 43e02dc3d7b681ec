//! A reply on its way out.

use std::time::Duration;

use crate::api::shapes::ErrorShape;
use crate::control::protocol::Reply;
use crate::domain::code::Code;

/// For a reply to be taken.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(30);

pub(super) fn line<T: serde::Serialize>(reply: &Reply<T>) -> Vec<u8> {
    let mut line = serde_json::to_vec(reply).unwrap_or_else(|error| {
        tracing::error!(%error, "control reply not written");
        br#"{"error":{"code":"internal","message":"the answer could not be written"}}"#.to_vec()
    });
    line.push(b'\n');
    line
}

/// What whoever comes too late is told.
pub(super) fn shutting_down() -> ErrorShape {
    ErrorShape::new(Code::ShuttingDown, "tundra is shutting down")
}
