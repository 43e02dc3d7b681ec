//! Answers of tundra's own, in the format that the caller reads.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use uuid::Uuid;

use super::body::Body;
use super::wire::{self, OwnError};
use crate::domain::profile::{Dialect, ProfileName};
use crate::domain::route::NothingLeft;

/// How many upstreams were asked; on every answer.
pub const ATTEMPTS: HeaderName = HeaderName::from_static("x-tundra-attempts");
/// Whom the answer is from, or who was asked last.
pub const PROFILE: HeaderName = HeaderName::from_static("x-tundra-profile");

/// The longest wait that a vendor's own client obeys; beyond it a repeat before its time is certain.
const LONGEST_OBEYED_S: u64 = 60;

/// An error that tundra itself answers with.
#[derive(Debug)]
pub struct OwnAnswer<'a> {
    pub dialect: Dialect,
    pub status: StatusCode,
    pub message: &'a str,
    pub attempts: usize,
    pub profile: Option<&'a ProfileName>,
}

impl OwnAnswer<'_> {
    pub fn into_response(self) -> Response<Body> {
        self.build(None)
    }

    /// With the list of the profiles that cannot take the request, and when the soonest can.
    pub fn with_reasons(self, left: &NothingLeft) -> Response<Body> {
        let profiles = left
            .profiles
            .iter()
            .map(|profile| {
                serde_json::json!({
                    "name": profile.name.as_str(),
                    "reason": profile.reason,
                    "retry_in_s": profile.retry_in.map(|wait| wait.as_secs_f64()),
                })
            })
            .collect::<Vec<_>>();
        let seconds = left.retry_after_s();
        let mut response = self.build(Some(("profiles", profiles.into())));
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        if seconds > LONGEST_OBEYED_S {
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        response
    }

    fn build(self, beside: Option<(&'static str, serde_json::Value)>) -> Response<Body> {
        let request_id = format!("req_{}", Uuid::new_v4().simple());
        let body = wire::error_body(
            self.dialect,
            &OwnError {
                status: self.status,
                message: self.message,
                request_id: &request_id,
                beside,
            },
        );
        let mut response = json(self.status, body);
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            let name = match self.dialect {
                Dialect::Messages => "request-id",
                Dialect::Chat | Dialect::Responses => "x-request-id",
            };
            headers.insert(name, id);
        }
        mark(headers, self.attempts, self.profile);
        response
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, body: Bytes) -> Response<Body> {
    with_type(status, "application/json", body)
}

pub fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sets what every answer carries.
pub fn mark(headers: &mut HeaderMap, attempts: usize, profile: Option<&ProfileName>) {
    headers.insert(ATTEMPTS, HeaderValue::from(attempts));
    if let Some(name) =
        profile.and_then(|name| HeaderValue::from_bytes(name.as_str().as_bytes()).ok())
    {
        headers.insert(PROFILE, name);
    }
}
