//! Reading a request's body, within its bounds.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, EXPECT, HeaderMap};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::gateway::error::Refusal;

/// How long a request's body may be silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a body may take in all: 32 MiB come over loopback in less than a second, over a slow tunnel in minutes.
const AT_MOST: Duration = Duration::from_secs(300);
/// How much of an oversized body is read and thrown away, so that its sender gets to read why, in bytes.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;

/// Reads a body of at most `most` bytes.
///
/// # Errors
///
/// Where it is larger, silent for too long, or ends early.
pub async fn read(headers: &HeaderMap, mut body: Incoming, most: usize) -> Result<Bytes, Refusal> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    // A caller that waits for leave to send, or would send more than is worth discarding, is told at once.
    let discarded = most.saturating_add(MAX_DISCARDED);
    let waits = headers.contains_key(EXPECT);
    if announced.is_some_and(|length| length > discarded || (length > most && waits)) {
        return Err(Refusal::TooLarge { most });
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut length = 0;
    let ends = Instant::now() + AT_MOST;
    loop {
        let silent_until = ends.min(Instant::now() + PATIENCE);
        let frame = match timeout_at(silent_until, body.frame()).await {
            Err(_) => return Err(Refusal::BodyTimeout),
            Ok(None) => break,
            Ok(Some(Err(error))) => return Err(Refusal::BodyCut(error.to_string())),
            Ok(Some(Ok(frame))) => frame,
        };
        let chunk = frame.into_data().unwrap_or_default();
        length += chunk.len();
        if length > discarded {
            return Err(Refusal::TooLarge { most });
        }
        if length > most {
            (first, all) = (Bytes::new(), BytesMut::new());
        } else if first.is_empty() && all.is_empty() {
            first = chunk;
        } else {
            if all.is_empty() {
                let expected = announced.unwrap_or(0).min(most);
                all.reserve(expected.max(first.len() + chunk.len()));
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&chunk);
        }
    }
    if length > most {
        return Err(Refusal::TooLarge { most });
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
