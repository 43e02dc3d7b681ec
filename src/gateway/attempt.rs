//! One attempt: a profile is asked, and what comes back is judged before any of it reaches the caller.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::body::Body;
use super::exchange::Inbound;
use super::gzip::GzipDecoder;
use super::headers;
use super::relay::{Patience, Relay};
use super::scan;
use super::service::Shared;
use super::summary::estimate;
use super::tap::Tap;
use super::upstream::{Post, PostError, body_error};
use super::upstream_call::UpstreamCall;
use super::wire::{self, StreamError, TokenUsage};
use crate::domain::cooldown::{asked_wait, is_budget_spent, remaining};
use crate::domain::outcome::CallError;
use crate::domain::route::Cool;

/// The most of a whole answer that is kept.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// The most of an error's body that is read for its meaning.
const MAX_ERROR: usize = 64 * 1024;
/// How long is waited for it; the next profile should not wait for the words of the last.
const ERROR_PATIENCE: Duration = Duration::from_secs(1);
/// How much of an error's body goes into a message.
const EXCERPT: usize = 512;
/// How much of a stream is held back before its first content, in chunks and in bytes.
const MAX_HELD: (usize, usize) = (64, 256 * 1024);

/// What an attempt came to.
pub enum AttemptResult {
    /// Something to pass on, whatever its status says.
    Answered(Response<Body>),
    Failed(CallError),
}

/// Asks the profile that `call` is with, and settles the call or hands it to the stream that it became.
pub async fn send(shared: &Shared, inbound: &Inbound, mut call: UpstreamCall) -> AttemptResult {
    let profile = std::sync::Arc::clone(call.profile());
    let connection = match shared.connections.of(&profile.name) {
        Ok(connection) => connection,
        Err(reason) => return fail(call, CallError::Http(reason)),
    };
    let mut sent_headers = inbound.headers.clone();
    headers::sign(&mut sent_headers, &profile, connection.key.as_ref());
    let body = inbound.summary.with_model(&inbound.body, call.model());
    let post = Post {
        path: inbound.endpoint.path(),
        query: inbound.query.as_deref(),
        headers: &sent_headers,
        body: &body,
    };
    call.sending();
    let sent = connection
        .upstream
        .post(post, || call.may_reconnect())
        .await;
    let (head, source) = match sent {
        Ok(response) => response.into_parts(),
        Err(PostError::NeverLeft(error)) => {
            call.never_left();
            return fail(call, error);
        }
        Err(PostError::Sent(error)) => return fail(call, error),
    };
    call.first_byte();
    call.learn(remaining(|name| text_of(&head.headers, name)));
    let answer = Incoming {
        shared,
        inbound,
        call,
        status: head.status,
        headers: head.headers,
        source,
        key: connection.key.clone(),
    };
    answer.judge().await
}

/// An answer whose head is here.
struct Incoming<'a> {
    shared: &'a Shared,
    inbound: &'a Inbound,
    call: UpstreamCall,
    status: StatusCode,
    headers: HeaderMap,
    source: reqwest::Body,
    key: Option<HeaderValue>,
}

impl Incoming<'_> {
    async fn judge(self) -> AttemptResult {
        let code = self.status.as_u16();
        match code {
            200..300 if self.media("text/event-stream") => self.stream().await,
            200..300 if self.media("text/html") => fail(
                self.call,
                CallError::Http("the answer is a web page".to_owned()),
            ),
            200..300 => self.whole().await,
            429 => self.rate_limited().await,
            400..500 => self.passed_through().await,
            500.. => self.server_error().await,
            _ => {
                let place = if self.headers.contains_key(LOCATION) {
                    "a redirect, which is not followed"
                } else {
                    "an answer of no use"
                };
                let error = CallError::Http(format!("{place} (status {code})"));
                fail(self.call, error)
            }
        }
    }

    /// A client error is the caller's own: it goes back as it came.
    async fn passed_through(mut self) -> AttemptResult {
        let body = match self.read(MAX_ANSWER).await {
            Ok(body) => body,
            Err(error) => return fail(self.call, error),
        };
        let error = CallError::Api {
            status: self.status.as_u16(),
            message: self.excerpt(&self.unfolded(&body)),
        };
        self.call.fail(&error);
        AttemptResult::Answered(pass(self.status, &self.headers, body))
    }

    async fn rate_limited(mut self) -> AttemptResult {
        let body = self.read_error().await;
        let retry_after = asked_wait(|name| text_of(&self.headers, name), Timestamp::now())
            .unwrap_or(self.call.profile().cooldown);
        let cool = is_budget_spent(&body).then_some(Cool::Spent);
        let error = CallError::RateLimited { retry_after };
        self.call.fail_and_cool(&error, cool);
        AttemptResult::Failed(error)
    }

    async fn server_error(mut self) -> AttemptResult {
        let body = self.read_error().await;
        let named = ["retry-after-ms", "retry-after"]
            .iter()
            .any(|name| self.headers.contains_key(*name));
        let cool = named
            .then(|| asked_wait(|name| text_of(&self.headers, name), Timestamp::now()))
            .flatten()
            .map(Cool::Overload);
        let error = CallError::Api {
            status: self.status.as_u16(),
            message: self.excerpt(&body),
        };
        self.call.fail_and_cool(&error, cool);
        AttemptResult::Failed(error)
    }

    async fn whole(mut self) -> AttemptResult {
        let body = match self.read(MAX_ANSWER).await {
            Ok(body) => body,
            Err(error) => return fail(self.call, error),
        };
        if self.is_unreadable() {
            self.call.confirm();
            self.call.succeed();
            return AttemptResult::Answered(pass(self.status, &self.headers, body));
        }
        let text = if self.is_folded() {
            match GzipDecoder::whole(&body) {
                Ok(text) => text,
                Err(_) => {
                    return fail(
                        self.call,
                        CallError::Parse("the gzip data is broken".to_owned()),
                    );
                }
            }
        } else {
            body.clone()
        };
        match text.trim_ascii_start().first() {
            None => {
                return fail(self.call, CallError::Http("the answer is empty".to_owned()));
            }
            Some(b'<') => {
                return fail(
                    self.call,
                    CallError::Http("the answer is a web page".to_owned()),
                );
            }
            Some(_) => {}
        }
        if let Err(error) = scan::validate(&text) {
            return fail(self.call, CallError::Parse(error.to_string()));
        }
        let answer = wire::read_answer(self.call.dialect(), &text);
        if let Some(error) = answer.error {
            return self.in_band(&error, body);
        }
        if self.inbound.endpoint.generates() {
            let told = answer.usage.map(|usage| {
                let mut told = TokenUsage::default();
                usage.apply(&mut told);
                told
            });
            let output = estimate(wire::answer_text(&text));
            self.call.used_whole(told, output);
        }
        self.call.confirm();
        self.call.succeed();
        AttemptResult::Answered(pass(self.status, &self.headers, body))
    }

    /// An error under a good status counts as what it says; `body` is what the caller gets if it is the caller's own.
    fn in_band(self, error: &StreamError, body: Bytes) -> AttemptResult {
        if error.status == 429 {
            let retry_after = self.call.profile().cooldown;
            let call_error = CallError::RateLimited { retry_after };
            let cool = error.exhausted.then_some(Cool::Spent);
            self.call.fail_and_cool(&call_error, cool);
            return AttemptResult::Failed(call_error);
        }
        let call_error = CallError::Api {
            status: error.status,
            message: error.message.clone(),
        };
        if call_error.fails_over() {
            return fail(self.call, call_error);
        }
        self.call.fail(&call_error);
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        AttemptResult::Answered(pass(status, &self.headers, body))
    }

    /// Holds a stream back until its first content; up to there a failure stays unseen.
    async fn stream(mut self) -> AttemptResult {
        let folded = self.is_folded();
        let mut tap = if self.is_unreadable() {
            Tap::unreadable(self.call.dialect())
        } else {
            Tap::new(self.call.dialect(), folded)
        };
        let idle = self.shared.timeouts().stream_idle;
        let mut held = VecDeque::new();
        let (mut chunks, mut bytes) = (0, 0);
        let (mut events, mut last_event) = (0, Instant::now());
        loop {
            let deadline = (Instant::now() + idle).min(last_event + idle * 2);
            let chunk = match timeout_at(deadline, self.source.frame()).await {
                Err(_) => return fail(self.call, CallError::Timeout),
                Ok(Some(Err(error))) => return fail(self.call, body_error(&error)),
                Ok(None) if tap.is_whole() && tap.has_answer() => break,
                Ok(None) => return fail(self.call, no_content()),
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            match tap.take(chunk) {
                Ok(passed) if passed.is_empty() => {}
                Ok(passed) => {
                    chunks += 1;
                    bytes += passed.len();
                    held.push_back(passed);
                }
                Err(error) => return fail(self.call, error),
            }
            if tap.progress().events != events {
                (events, last_event) = (tap.progress().events, Instant::now());
            }
            if tap.progress().valid {
                self.call.confirm();
            }
            if !tap.progress().content {
                if let Some(error) = tap.progress().error.clone() {
                    let mut headers = std::mem::take(&mut self.headers);
                    headers.remove(CONTENT_ENCODING);
                    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                    self.headers = headers;
                    return self.in_band(&error, tap.error_data().clone());
                }
                if tap.progress().ended && !tap.has_answer() {
                    return fail(self.call, no_content());
                }
            }
            let full = chunks >= MAX_HELD.0 || bytes >= MAX_HELD.1;
            if tap.progress().content || tap.progress().ended || full {
                break;
            }
        }
        let shared = self.shared;
        let patience = Patience {
            idle,
            ping: shared.ping_every(),
        };
        let closing = shared.closing.clone().cancelled_owned();
        let relay = Relay::new(held, self.source, tap, self.call, patience, closing);
        let mut response = Response::new(Body::Relay(Box::new(relay)));
        *response.status_mut() = self.status;
        *response.headers_mut() = headers::from_provider(&self.headers);
        AttemptResult::Answered(response)
    }

    /// Reads the rest of the answer, which must be whole.
    async fn read(&mut self, most: usize) -> Result<Bytes, CallError> {
        let idle = self.shared.timeouts().stream_idle;
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        loop {
            let frame = timeout_at(Instant::now() + idle, self.source.frame()).await;
            let chunk = match frame {
                Err(_) => return Err(CallError::Timeout),
                Ok(None) => break,
                Ok(Some(Err(error))) => return Err(body_error(&error)),
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            if first.len() + rest.len() + chunk.len() > most {
                return Err(CallError::Parse(format!(
                    "the answer is larger than {most} bytes"
                )));
            }
            if first.is_empty() {
                first = chunk;
            } else {
                rest.extend_from_slice(&chunk);
            }
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let mut all = BytesMut::with_capacity(first.len() + rest.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&rest);
        Ok(all.freeze())
    }

    /// Reads what comes soon of an error's body; its status says enough without.
    async fn read_error(&mut self) -> Bytes {
        let deadline = Instant::now() + ERROR_PATIENCE;
        let mut body = BytesMut::new();
        while body.len() < MAX_ERROR
            && let Ok(Some(Ok(frame))) = timeout_at(deadline, self.source.frame()).await
        {
            body.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
        body.truncate(MAX_ERROR);
        self.unfolded(&body.freeze())
    }

    /// The error's own words, without the key should they repeat it.
    fn excerpt(&self, body: &[u8]) -> String {
        let text = excerpt(body);
        match self.key.as_ref().and_then(|key| key.to_str().ok()) {
            Some(key) => text.replace(key, "[key]"),
            None => text,
        }
    }

    fn unfolded(&self, body: &Bytes) -> Bytes {
        if self.is_folded() {
            GzipDecoder::whole(body).unwrap_or_default()
        } else {
            body.clone()
        }
    }

    fn media(&self, kind: &str) -> bool {
        text_of(&self.headers, "content-type").is_some_and(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|media| media.trim().eq_ignore_ascii_case(kind))
        })
    }

    fn is_folded(&self) -> bool {
        text_of(&self.headers, "content-encoding")
            .is_some_and(|coding| matches!(coding.trim(), "gzip" | "x-gzip"))
    }

    /// Whether the body is coded in a way that nobody asked for and we cannot read.
    fn is_unreadable(&self) -> bool {
        !self.is_folded()
            && text_of(&self.headers, "content-encoding")
                .is_some_and(|coding| !matches!(coding.trim(), "" | "identity"))
    }
}

fn fail(call: UpstreamCall, error: CallError) -> AttemptResult {
    call.fail(&error);
    AttemptResult::Failed(error)
}

fn no_content() -> CallError {
    CallError::Http("the stream ended before its first content".to_owned())
}

fn pass(status: StatusCode, provider: &HeaderMap, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers::from_provider(provider);
    response
}

fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// An error's own words if it has any, else the beginning of what it is; without control characters.
fn excerpt(body: &[u8]) -> String {
    let told = serde_json::from_slice::<serde_json::Value>(body).ok();
    let message = told.as_ref().and_then(|told| {
        let error = &told["error"];
        error["message"]
            .as_str()
            .or_else(|| error.as_str())
            .or_else(|| told["message"].as_str())
    });
    let text = message.map_or_else(|| String::from_utf8_lossy(body), Into::into);
    let mut short: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .scan(0, |length, c| {
            *length += c.len_utf8();
            (*length <= EXCERPT).then_some(c)
        })
        .collect();
    if short.trim().is_empty() {
        "no message".clone_into(&mut short);
    }
    short.trim().to_owned()
}
