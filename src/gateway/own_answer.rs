//! Answers of tundra's own, in the format that the caller reads.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::answer::Answer;
use super::wire::{self, OwnError};
use crate::domain::agent::Ending;
use crate::domain::profile::{Dialect, ProfileName};
use crate::domain::route::NothingLeft;

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
    pub fn into_answer(self) -> Answer {
        self.build(None)
    }

    /// With the list of the profiles that cannot take the request, and when the soonest can.
    pub fn with_reasons(self, left: &NothingLeft) -> Answer {
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
        let mut answer = self.build(Some(("profiles", profiles.into())));
        if left.never {
            // No time would mend it.
            return answer;
        }
        let headers = &mut answer.headers;
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        if seconds > LONGEST_OBEYED_S {
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        answer
    }

    fn build(self, beside: Option<(&'static str, serde_json::Value)>) -> Answer {
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
        let mut answer = json(self.status, body).ending(Ending::Failed {
            message: self.message.to_owned(),
        });
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            let name = match self.dialect {
                Dialect::Messages => "request-id",
                Dialect::Chat | Dialect::Responses | Dialect::Generate => "x-request-id",
            };
            answer.headers.insert(name, id);
        }
        answer.mark(self.attempts, self.profile);
        answer
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, body: Bytes) -> Answer {
    with_type(status, "application/json", body)
}

pub fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]);
    Answer::whole(status, headers, body)
}
