//! An answer of which nothing has reached the caller yet, and what may become of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, HeaderMap};
use http::{StatusCode, response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::domain::outcome::CallError;
use crate::domain::profile::Auth;
use crate::gateway::answer::Answer;
use crate::gateway::content_coding::ContentCoding;
use crate::gateway::conversion::Conversion;
use crate::gateway::gzip::{GzipDecoder, MAX_DECODED};
use crate::gateway::request::IncomingRequest;
use crate::gateway::service::GatewayState;
use crate::gateway::upstream::cleaner::Cleaner;
use crate::gateway::upstream::{body_error, headers};
use crate::gateway::upstream_call::UpstreamCall;

/// The most of a whole answer that is kept, in bytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// The most of an error's body that is read for its meaning, in bytes.
const MAX_ERROR: usize = 64 * 1024;
/// How long is waited for it; the next profile should not wait for the words of the last.
const ERROR_PATIENCE: Duration = Duration::from_secs(1);
/// A body that is read to its end brings at least so many bytes in twice `stream_idle`; any model writes a hundred times
/// as fast, and a byte now and then is as good as silence.
const LEAST_PER_WINDOW: usize = 1024;
/// How many times `stream_idle` a body may keep its reader waiting with blanks, as some providers do while they think.
const MOST_BLANK_WINDOWS: u32 = 20;
/// As many bytes tell what a body is.
const TELLING: usize = 8;

/// What an attempt came to.
pub enum AttemptResult {
    /// Something to pass on, whatever its status says.
    Answered(Answer),
    Failed {
        error: CallError,
        /// The provider's own answer, which the caller gets if nobody else has a better one.
        own: Option<Box<Answer>>,
    },
    /// A key of tundra's was rejected: the next profile's turn; but if every one refuses, the caller gets the last one's
    /// answer.
    Refused(CallError, Answer),
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

/// What a body is, by its first bytes: providers send events under any media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Events,
    Json,
    Page,
    /// Nothing, something else, or what cannot be read.
    Other,
}

impl Content {
    /// `None` where more bytes are needed to tell.
    fn of(text: &[u8]) -> Option<Self> {
        const FIELDS: [&[u8]; 5] = [b":", b"data", b"event", b"id", b"retry"];
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let text = text.trim_ascii_start();
        let begins = |field: &[u8]| text.starts_with(field) || field.starts_with(text);
        match text.first() {
            None => None,
            Some(b'<') => Some(Self::Page),
            Some(b'{' | b'[') => Some(Self::Json),
            Some(_) if FIELDS.iter().any(|field| text.starts_with(field)) => Some(Self::Events),
            Some(_) if text.len() < TELLING && FIELDS.iter().any(|field| begins(field)) => None,
            Some(_) => Some(Self::Other),
        }
    }
}

/// An answer whose head is here.
pub struct UpstreamAnswer<'a> {
    pub state: &'a GatewayState,
    pub request: &'a IncomingRequest,
    pub conversion: Conversion,
    pub call: UpstreamCall,
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Knows what the profile is asked with, and the caller's login.
    pub cleaner: Arc<Cleaner>,
    /// Knows what the profile is asked with alone: a caller may well read its own login.
    profile_cleaner: Arc<Cleaner>,
    pub source: Incoming,
    /// What was read to tell what the body is.
    peeked: VecDeque<Bytes>,
}

impl<'a> UpstreamAnswer<'a> {
    pub fn new(
        state: &'a GatewayState,
        request: &'a IncomingRequest,
        conversion: Conversion,
        call: UpstreamCall,
        answer: (response::Parts, Incoming),
        cleaner: Arc<Cleaner>,
    ) -> Self {
        let (head, source) = answer;
        let profile_cleaner = Arc::clone(&cleaner);
        let cleaner = match &request.brought {
            Some(brought) => Arc::new(cleaner.and(brought.secrets())),
            None => cleaner,
        };
        Self {
            profile_cleaner,
            state,
            request,
            conversion,
            call,
            status: head.status,
            headers: head.headers,
            cleaner,
            source,
            peeked: VecDeque::new(),
        }
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the caller's own login was shown and no key of tundra's.
    pub fn is_own_login(&self) -> bool {
        self.call.profile().auth == Auth::Caller
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
        match ContentCoding::of(&self.headers) {
            Ok(None) => Coding::Plain,
            Ok(Some(ContentCoding::Gzip)) => Coding::Gzip,
            // Not asked for, and no stream of these is read along.
            Ok(Some(ContentCoding::Deflate | ContentCoding::Zstd)) | Err(_) => Coding::Unreadable,
        }
    }

    /// The next piece of the body by `deadline`; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`CallError::Timeout`] where none comes in time, [`CallError::Http`] where the body is cut short.
    pub async fn next_chunk(&mut self, deadline: Instant) -> Result<Option<Bytes>, CallError> {
        if let Some(chunk) = self.peeked.pop_front() {
            return Ok(Some(chunk));
        }
        match timeout_at(deadline, self.source.frame()).await {
            Err(_) => Err(CallError::Timeout),
            Ok(None) => Ok(None),
            Ok(Some(Err(error))) => Err(body_error(&error)),
            Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
        }
    }

    /// Reads as much as tells what the body is, and keeps it to be read again.
    pub async fn content(&mut self) -> Result<Content, CallError> {
        let idle = self.state.timeouts().stream_idle;
        let gives_up_at = Instant::now() + idle * MOST_BLANK_WINDOWS;
        let mut decoder = match self.coding() {
            Coding::Plain => None,
            Coding::Gzip => Some(GzipDecoder::default()),
            Coding::Unreadable => return Ok(Content::Other),
        };
        let (mut peeked, mut text) = (VecDeque::new(), Vec::new());
        let mut length = 0;
        let content = loop {
            let deadline = (Instant::now() + idle).min(gives_up_at);
            let Some(chunk) = self.next_chunk(deadline).await? else {
                break Content::Other;
            };
            match &mut decoder {
                None => text.extend_from_slice(&chunk),
                Some(decoder) => match decoder.push(&chunk) {
                    Ok(plain) => text.extend_from_slice(&plain),
                    Err(_) => text.extend_from_slice(b"!"),
                },
            }
            length += chunk.len();
            peeked.push_back(chunk);
            if let Some(content) = Content::of(&text) {
                break content;
            }
            if length > MAX_ANSWER {
                break Content::Other;
            }
            if text.trim_ascii().is_empty() {
                // Blanks keep the reader waiting and are looked at once.
                text.clear();
            }
        };
        self.peeked = peeked;
        Ok(content)
    }

    /// Reads the rest of the answer, which must be whole.
    ///
    /// # Errors
    ///
    /// Where it is silent for `stream_idle`, drips, is cut short, or is larger than 32 MiB.
    pub async fn read(&mut self) -> Result<Bytes, CallError> {
        let idle = self.state.timeouts().stream_idle;
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        let (mut window_ends, mut window_began_at) = (Instant::now() + idle * 2, 0);
        loop {
            let deadline = (Instant::now() + idle).min(window_ends);
            let Some(chunk) = self.next_chunk(deadline).await? else {
                break;
            };
            let length = first.len() + rest.len() + chunk.len();
            if length > MAX_ANSWER {
                return Err(CallError::Parse(format!(
                    "the answer is larger than {MAX_ANSWER} bytes"
                )));
            }
            if length - window_began_at >= LEAST_PER_WINDOW {
                (window_ends, window_began_at) = (Instant::now() + idle * 2, length);
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
            && let Ok(Some(chunk)) = self.next_chunk(deadline).await
        {
            body.extend_from_slice(&chunk);
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
            Coding::Gzip => ContentCoding::Gzip
                .decode(body, MAX_DECODED)
                .unwrap_or_default(),
            Coding::Plain | Coding::Unreadable => body.clone(),
        }
    }

    /// An error's own words, cleaned: its message if it has any, else the beginning of what it is.
    pub fn words(&self, body: &[u8]) -> String {
        let told = serde_json::from_slice::<Value>(body).ok();
        let message = told.as_ref().and_then(|told| {
            // Google tells a stream's error in an array.
            let told = told.get(0).unwrap_or(told);
            let error = &told["error"];
            error["message"]
                .as_str()
                .or_else(|| error.as_str())
                .or_else(|| told["message"].as_str())
        });
        match message {
            Some(message) => self.cleaner.words(message),
            None => self.cleaner.words(&String::from_utf8_lossy(body)),
        }
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

    /// An error as it came, or as the caller reads it; `body` is all of it, of which only a secret of ours is taken out.
    pub fn pass_error(&self, status: StatusCode, body: Bytes) -> Answer {
        let mut headers = headers::from_provider(&self.headers);
        let text = self.decoded(&body);
        let clean = self.profile_cleaner.bytes(text.clone());
        let body = if clean == text {
            body
        } else {
            headers.remove(CONTENT_ENCODING);
            clean.clone()
        };
        self.conversion.mark(&mut headers, true);
        let body = self.conversion.error(status.as_u16(), body, &clean);
        Answer::whole(status, headers, body)
    }
}
