//! An answer of which nothing has reached the caller yet, and what may become of it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderValue};
use http::{StatusCode, response};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::domain::outcome::CallError;
use crate::gateway::answer::Answer;
use crate::gateway::conversion::Conversion;
use crate::gateway::gzip::GzipDecoder;
use crate::gateway::request::{BroughtLogin, IncomingRequest};
use crate::gateway::service::GatewayState;
use crate::gateway::upstream::{body_error, headers};
use crate::gateway::upstream_call::UpstreamCall;

/// The most of a whole answer that is kept, in bytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// The most of an error's body that is read for its meaning, in bytes.
const MAX_ERROR: usize = 64 * 1024;
/// How long is waited for it; the next profile should not wait for the words of the last.
const ERROR_PATIENCE: Duration = Duration::from_secs(1);
/// How much of an error's body goes into a message, in bytes.
const EXCERPT: usize = 512;

/// What an attempt came to.
pub enum AttemptResult {
    /// Something to pass on, whatever its status says.
    Answered(Answer),
    Failed {
        error: CallError,
        /// The provider's own answer, which the caller gets if nobody else has a better one.
        own: Option<Box<Answer>>,
    },
}

impl AttemptResult {
    /// A failure of which the caller sees nothing.
    pub fn failed(error: CallError) -> Self {
        Self::Failed { error, own: None }
    }

    /// A failure whose answer is the caller's in the end, since it is about the caller's own login.
    pub fn failed_with(error: CallError, own: Answer) -> Self {
        let own = Some(Box::new(own));
        Self::Failed { error, own }
    }
}

/// How an answer's body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Plain,
    Gzip,
    /// One that nobody asked for and we cannot read.
    Unreadable,
}

/// An answer whose head is here.
pub struct UpstreamAnswer<'a> {
    pub state: &'a GatewayState,
    pub request: &'a IncomingRequest,
    pub conversion: Conversion,
    pub call: UpstreamCall,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub source: reqwest::Body,
    key: Option<HeaderValue>,
}

impl<'a> UpstreamAnswer<'a> {
    pub fn new(
        state: &'a GatewayState,
        request: &'a IncomingRequest,
        conversion: Conversion,
        call: UpstreamCall,
        answer: (response::Parts, reqwest::Body),
        key: Option<HeaderValue>,
    ) -> Self {
        let (head, source) = answer;
        Self {
            state,
            request,
            conversion,
            call,
            status: head.status,
            headers: head.headers,
            source,
            key,
        }
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn has_media(&self, kind: &str) -> bool {
        self.header("content-type").is_some_and(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|media| media.trim().eq_ignore_ascii_case(kind))
        })
    }

    pub fn coding(&self) -> Coding {
        match self.header("content-encoding").map(str::trim) {
            None | Some("" | "identity") => Coding::Plain,
            Some("gzip" | "x-gzip") => Coding::Gzip,
            Some(_) => Coding::Unreadable,
        }
    }

    /// Reads the rest of the answer, which must be whole.
    pub async fn read(&mut self) -> Result<Bytes, CallError> {
        let idle = self.state.timeouts().stream_idle;
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
            if first.len() + rest.len() + chunk.len() > MAX_ANSWER {
                return Err(CallError::Parse(format!(
                    "the answer is larger than {MAX_ANSWER} bytes"
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

    /// Reads what comes soon of an error's body, decoded; its status says enough without.
    pub async fn read_error(&mut self) -> Bytes {
        let deadline = Instant::now() + ERROR_PATIENCE;
        let mut body = BytesMut::new();
        while body.len() < MAX_ERROR
            && let Ok(Some(Ok(frame))) = timeout_at(deadline, self.source.frame()).await
        {
            body.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
        body.truncate(MAX_ERROR);
        self.decoded(&body.freeze())
    }

    /// Reads an error's body: all of it where the caller is to have it as it came, else what comes soon. Answers it as it
    /// came, if so, and decoded.
    pub async fn read_refusal(&mut self) -> (Option<Bytes>, Bytes) {
        if self.call.login().is_none() {
            return (None, self.read_error().await);
        }
        let body = self.read().await.unwrap_or_default();
        let decoded = self.decoded(&body);
        (Some(body), decoded)
    }

    /// A body without its coding; empty where that is broken.
    pub fn decoded(&self, body: &Bytes) -> Bytes {
        match self.coding() {
            Coding::Gzip => GzipDecoder::whole(body).unwrap_or_default(),
            Coding::Plain | Coding::Unreadable => body.clone(),
        }
    }

    /// An error's own words, without the key should they repeat it.
    pub fn excerpt(&self, body: &[u8]) -> String {
        let key = self.key.as_ref().and_then(|key| key.to_str().ok());
        let brought = self.request.brought.iter().flat_map(BroughtLogin::secrets);
        let secrets = key.into_iter().chain(brought);
        secrets.fold(excerpt(body), |text, secret| text.replace(secret, "[key]"))
    }

    /// The call failed, and the next profile may be asked.
    pub fn fail(self, error: CallError) -> AttemptResult {
        self.call.fail(&error);
        AttemptResult::failed(error)
    }

    /// The answer as it came, `body` being all of it as the caller reads it.
    pub fn pass(&self, body: Bytes) -> Answer {
        let mut headers = headers::from_provider(&self.headers);
        self.conversion.mark(&mut headers, false);
        Answer::whole(self.status, headers, body)
    }

    /// An error as it came, or as the caller reads it; `body` is all of it.
    pub fn pass_error(&self, status: StatusCode, body: Bytes) -> Answer {
        let mut headers = headers::from_provider(&self.headers);
        let text = self.decoded(&body);
        self.conversion.mark(&mut headers, true);
        let body = self.conversion.error(status.as_u16(), body, &text);
        Answer::whole(status, headers, body)
    }
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
