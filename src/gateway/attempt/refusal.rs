//! Answers that are errors: what each status means for the profile and for the caller.

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;

use super::upstream_answer::{AttemptResult, UpstreamAnswer};
use crate::domain::agent::Ending;
use crate::domain::cooldown::{AT_ONCE, LONGEST, asked_wait};
use crate::domain::outcome::{CallError, is_rejection};
use crate::domain::plan::UsedUp;
use crate::domain::route::{Cool, Rejection};
use crate::gateway::answer::Answer;
use crate::gateway::spent;
use crate::gateway::wire::{StreamError, generate};

/// A client error is the caller's own: it goes back as it came.
pub async fn passed_through(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let body = match answer.read().await {
        Ok(body) => body,
        Err(error) => return answer.fail(error),
    };
    own_fault(answer, body)
}

fn own_fault(answer: UpstreamAnswer<'_>, body: Bytes) -> AttemptResult {
    let error = CallError::Api {
        status: answer.status.as_u16(),
        message: answer.words(&answer.decoded(&body)),
    };
    let mut passed = answer.pass_error(answer.status, body);
    if is_rejection(answer.status.as_u16()) {
        passed.ending = failed(&error);
    }
    answer.call.fail(&error);
    AttemptResult::Answered(passed)
}

/// A 400 that may be about tundra's key.
pub async fn bad_request(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let body = match answer.read().await {
        Ok(body) => body,
        Err(error) => return answer.fail(error),
    };
    let told = serde_json::from_slice(&answer.decoded(&body)).unwrap_or_default();
    if !generate::is_key_rejected(&told) {
        return own_fault(answer, body);
    }
    let words = answer.words(&answer.decoded(&body));
    let passed = answer.pass_error(answer.status, body);
    reject(answer, 401, words, passed)
}

fn failed(error: &CallError) -> Ending {
    Ending::Failed {
        message: error.to_string(),
    }
}

/// The provider does not take tundra's key, or its account's credit: the next profile may well serve.
pub async fn rejected(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let status = answer.status.as_u16();
    let body = match answer.read().await {
        Ok(body) => body,
        Err(error) => return answer.fail(error),
    };
    let words = answer.words(&answer.decoded(&body));
    let passed = answer.pass_error(answer.status, body);
    reject(answer, status, words, passed)
}

fn reject(answer: UpstreamAnswer<'_>, status: u16, words: String, passed: Answer) -> AttemptResult {
    let rejection = Rejection {
        status,
        words: words.as_str().into(),
    };
    let error = CallError::Api {
        status,
        message: words,
    };
    let cool = Some(Cool::Rejected(rejection));
    answer.call.fail_and_cool(&error, cool);
    let ending = failed(&error);
    AttemptResult::Refused(error, passed.ending(ending))
}

pub async fn rate_limited(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let (own, body) = answer.read_refusal().await;
    let told_inside = || {
        let told = serde_json::from_slice(&body).ok()?;
        generate::retry_delay(&told).map(|wait| wait.clamp(AT_ONCE, LONGEST))
    };
    let retry_after = asked_wait(|name| answer.header(name), Timestamp::now())
        .or_else(told_inside)
        .unwrap_or(answer.call.profile().cooldown);
    let error = CallError::RateLimited { retry_after };
    let Some(own) = own else {
        let spent = spent::read(&body, Timestamp::now());
        let cool = spent.map(|spent| Cool::Spent(spent.reset));
        answer.call.fail_and_cool(&error, cool);
        return AttemptResult::failed(error);
    };
    let model = &answer.request.summary.model;
    let used_up = UsedUp::told(|name| answer.header(name), &body, model, Timestamp::now());
    let passed = answer.pass(own);
    answer.call.refuse_login(&error, used_up);
    AttemptResult::failed_with(error, passed)
}

pub async fn server_error(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let (own, body) = answer.read_refusal().await;
    let named = ["retry-after-ms", "retry-after"]
        .iter()
        .any(|name| answer.headers.contains_key(*name));
    let cool = named
        .then(|| asked_wait(|name| answer.header(name), Timestamp::now()))
        .flatten()
        .map(Cool::Overload);
    let error = CallError::Api {
        status: answer.status.as_u16(),
        message: answer.words(&body),
    };
    let passed = own.map(|own| Box::new(answer.pass(own)));
    answer.call.fail_and_cool(&error, cool);
    AttemptResult::Failed { error, own: passed }
}

/// An error under a good status counts as what it says; `body` is what the caller gets if it is the caller's own.
pub fn within_answer(answer: UpstreamAnswer<'_>, told: &StreamError, body: Bytes) -> AttemptResult {
    if told.status == 429 {
        let retry_after = answer.call.profile().cooldown;
        let error = CallError::RateLimited { retry_after };
        let cool = told.exhausted.then_some(Cool::Spent(None));
        answer.call.fail_and_cool(&error, cool);
        return AttemptResult::failed(error);
    }
    let words = answer.cleaner.words(&told.message);
    let status = StatusCode::from_u16(told.status).unwrap_or(StatusCode::BAD_REQUEST);
    if is_rejection(told.status) && !answer.is_own_login() {
        let passed = answer.pass_error(status, body);
        return reject(answer, told.status, words, passed);
    }
    let error = CallError::Api {
        status: told.status,
        message: words,
    };
    if error.fails_over() {
        return answer.fail(error);
    }
    let passed = answer.pass_error(status, body);
    answer.call.fail(&error);
    AttemptResult::Answered(passed)
}
