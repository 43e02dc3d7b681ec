//! The last requests of a profile, each with its tries: why it went where it went.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::provider::TokensShape;
use crate::domain::caller::Caller;
use crate::domain::route::Choice;
use crate::domain::usage::{Attempt, AttemptEnd, RequestTries, Try};
use crate::providers::ProvidersStatus;

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestShape {
    /// When it was first sent to somebody, or passed somebody over.
    pub at: Timestamp,
    /// `terminal`, `outside` or `ask`.
    pub caller: &'static str,
    /// The terminal's id; null for other callers.
    pub terminal: Option<String>,
    /// As asked for.
    pub model: String,
    /// In the order in which they were made.
    pub tries: Vec<TryShape>,
}

/// What became of a request at one profile.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TryShape {
    pub profile: String,
    /// `ok`, `failed`, `left` where the caller went away, or `skipped`.
    pub end: &'static str,
    /// The error, or why it was skipped; null for the others.
    pub message: Option<String>,
    /// Why it was chosen; null where it was skipped.
    pub choice: Option<&'static str>,
    pub sent_model: String,
    /// The dialect that it was translated to; null where it was not.
    pub translated: Option<&'static str>,
    /// What was left out for it.
    pub without: Vec<String>,
    pub waited_ms: u64,
    /// Null where no answer began.
    pub first_byte_ms: Option<u64>,
    pub total_ms: u64,
    /// Null where the answer told none and none were estimated.
    pub tokens: Option<TokensShape>,
    pub estimated: bool,
    /// Null where the price is not known.
    pub cost_usd: Option<f64>,
}

/// The shapes of `requests`, with times and reasons as `status` has them.
pub fn requests(status: &ProvidersStatus, requests: &[RequestTries]) -> Vec<RequestShape> {
    let shapes = requests.iter().filter_map(|request| {
        let first = &request.tries.first()?.attempt;
        let (caller, terminal) = match first.caller {
            Caller::Terminal(id) => ("terminal", Some(id.to_string())),
            Caller::Outside => ("outside", None),
            Caller::Ask => ("ask", None),
        };
        Some(RequestShape {
            at: status.date(first.at),
            caller,
            terminal,
            model: first.model.to_string(),
            tries: request
                .tries
                .iter()
                .map(|made| shape(status, made))
                .collect(),
        })
    });
    shapes.collect()
}

fn shape(status: &ProvidersStatus, made: &Try) -> TryShape {
    let attempt = &made.attempt;
    let (end, message) = match &attempt.end {
        AttemptEnd::Success => ("ok", None),
        AttemptEnd::Failed { message, .. } => ("failed", Some(message.clone())),
        AttemptEnd::Cancelled => ("left", None),
        AttemptEnd::Skipped(skip) => {
            let profile = status.profile(&made.profile);
            let word = || skip.as_str().replace('_', " ");
            let reason = profile.map_or_else(word, |profile| skip.text(profile, attempt.at));
            ("skipped", Some(reason))
        }
    };
    TryShape {
        profile: made.profile.to_string(),
        end,
        message,
        choice: attempt.choice.map(Choice::as_str),
        sent_model: attempt.sent_model.to_string(),
        translated: attempt.translated.then(|| attempt.dialect.as_str()),
        without: attempt.without.clone(),
        waited_ms: millis(attempt.waited),
        first_byte_ms: attempt.first_byte.map(millis),
        total_ms: millis(attempt.total),
        tokens: attempt.tokens.map(TokensShape::from),
        estimated: attempt.estimated,
        cost_usd: dollars(attempt),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the price of one answer is far below what a double holds"
)]
fn dollars(attempt: &Attempt) -> Option<f64> {
    attempt.nanodollars.map(|nanos| nanos as f64 / 1e9)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
