//! What the three dialects look like on the wire: their routes, answers, stream events and errors.
//!
//! One file per dialect holds all that is special to it. Bodies are read here and never rewritten; translation from one
//! dialect to another will be files beside these, chosen by the pair of caller's and upstream's dialect. This room must
//! not know who is asked, how often, or what follows from an error.

pub mod chat;
pub mod ir;
pub mod messages;
pub mod responses;
mod sse;
pub mod target;

use bytes::Bytes;
use http::StatusCode;

use super::scan::{Scanner, Token};
use super::sse::Event;
use crate::domain::profile::{Auth, Dialect, Profile, ProviderKind};

/// A route that is forwarded to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Messages,
    CountTokens,
    Chat,
    Responses,
    /// Codex asks for a shorter form of its conversation; nobody else has such a route.
    Compact,
}

impl Endpoint {
    pub fn from_path(path: &str) -> Option<Self> {
        match path {
            "/v1/messages" => Some(Self::Messages),
            "/v1/messages/count_tokens" => Some(Self::CountTokens),
            "/v1/chat/completions" => Some(Self::Chat),
            "/v1/responses" => Some(Self::Responses),
            "/v1/responses/compact" => Some(Self::Compact),
            _ => None,
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Compact => "/v1/responses/compact",
        }
    }

    /// The route below the base URL of `profile`: `ChatGPT` serves its logins without the version in it.
    pub fn path_at(self, profile: &Profile) -> &'static str {
        let path = self.path();
        match (profile.auth, profile.provider) {
            (Auth::Caller, ProviderKind::OpenAi) => path.strip_prefix("/v1").unwrap_or(path),
            _ => path,
        }
    }

    pub fn dialect(self) -> Dialect {
        match self {
            Self::Messages | Self::CountTokens => Dialect::Messages,
            Self::Chat => Dialect::Chat,
            Self::Responses | Self::Compact => Dialect::Responses,
        }
    }

    /// The endpoint of the same purpose in another dialect; `None` where it has none.
    pub fn in_dialect(self, dialect: Dialect) -> Option<Self> {
        match (self, dialect) {
            (Self::CountTokens, Dialect::Messages) => Some(Self::CountTokens),
            (Self::Compact, Dialect::Responses) => Some(Self::Compact),
            (Self::CountTokens | Self::Compact, _) => None,
            (_, Dialect::Messages) => Some(Self::Messages),
            (_, Dialect::Chat) => Some(Self::Chat),
            (_, Dialect::Responses) => Some(Self::Responses),
        }
    }

    /// Whether an answer uses tokens; counting them does not.
    pub fn generates(self) -> bool {
        self != Self::CountTokens
    }
}

/// The usage that a provider told. `input` is without what came from or went to a cache, in every dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    /// All tokens written to a cache, those kept for an hour included.
    pub cache_write: u64,
    /// Of `cache_write`, those that are kept for an hour and cost more.
    pub cache_write_1h: u64,
}

/// An error that came inside an answer whose status said 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// The status that the same error has when it is told properly.
    pub status: u16,
    pub message: String,
    /// A 429 for a spent budget, which no waiting cures soon.
    pub exhausted: bool,
}

/// What one stream event means for the stream's fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A ping or something unknown; says nothing.
    Quiet,
    /// Opens or closes something without telling any of the answer.
    Lifecycle,
    /// Opens a part that is an answer even where nothing more is told of it, such as a tool's call.
    Opened,
    /// Closes a part: content, if it was such a one.
    Closed,
    /// A part of the answer: from here on there is no way back.
    Content,
    /// The answer is complete though its terminator has not come yet.
    Finish,
    /// The terminator.
    End,
    Error(StreamError),
}

/// One stream event, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventReading {
    pub step: EventKind,
    /// The answer stops for another reason than that all is said, which makes it one even where it is empty.
    pub stopped: bool,
    /// Bytes of answer text in it, for an estimate where no usage is told.
    pub text: usize,
    pub usage: Option<UsageUpdate>,
}

impl EventReading {
    fn of(step: EventKind) -> Self {
        Self {
            step,
            stopped: false,
            text: 0,
            usage: None,
        }
    }

    /// A piece of the answer with so much text; without any it is none.
    fn told(text: usize) -> Self {
        let step = if text > 0 {
            EventKind::Content
        } else {
            EventKind::Lifecycle
        };
        Self {
            text,
            ..Self::of(step)
        }
    }
}

/// Numbers that later events replace one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageUpdate {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write: Option<u64>,
    pub cache_write_1h: Option<u64>,
}

impl UsageUpdate {
    pub fn apply(self, told: &mut TokenUsage) {
        let set = |place: &mut u64, value: Option<u64>| {
            if let Some(value) = value {
                *place = value;
            }
        };
        set(&mut told.input, self.input);
        set(&mut told.output, self.output);
        set(&mut told.cache_read, self.cache_read);
        set(&mut told.cache_write, self.cache_write);
        set(&mut told.cache_write_1h, self.cache_write_1h);
    }
}

/// A whole answer, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerReading {
    pub usage: Option<UsageUpdate>,
    pub error: Option<StreamError>,
}

/// Reads one event of a stream in `dialect`.
pub fn read_event(dialect: Dialect, event: &Event<'_>) -> EventReading {
    match dialect {
        Dialect::Messages => messages::read_event(event),
        Dialect::Chat => chat::read_event(event),
        Dialect::Responses => responses::read_event(event),
    }
}

/// Reads a whole answer; what it does not understand it leaves out.
pub fn read_answer(dialect: Dialect, body: &[u8]) -> AnswerReading {
    match dialect {
        Dialect::Messages => messages::read_answer(body),
        Dialect::Chat => chat::read_answer(body),
        Dialect::Responses => responses::read_answer(body),
    }
}

/// An error of tundra's own, in the shape that callers of `dialect` read.
#[derive(Clone, Debug)]
pub struct OwnError<'a> {
    pub status: StatusCode,
    pub message: &'a str,
    pub request_id: &'a str,
    /// Further members beside the error object.
    pub beside: Option<(&'static str, serde_json::Value)>,
}

/// The body of an error answer.
pub fn error_body(dialect: Dialect, error: &OwnError<'_>) -> Bytes {
    let mut body = match dialect {
        Dialect::Messages => messages::error_body(error),
        Dialect::Chat | Dialect::Responses => chat::error_body(error),
    };
    if let (Some((key, value)), Some(members)) = (error.beside.clone(), body.as_object_mut()) {
        members.insert(key.to_owned(), value);
    }
    Bytes::from(body.to_string())
}

/// The event that ends a stream which can no longer be answered; no success terminator follows it. `next` numbers it
/// where the dialect has its events numbered.
pub fn error_event(dialect: Dialect, message: &str, next: u64) -> Bytes {
    match dialect {
        Dialect::Messages => messages::error_event(message),
        Dialect::Chat => chat::error_event(message),
        Dialect::Responses => responses::error_event(message, next),
    }
}

/// An error answer's body as the event that ends a stream whose status has gone out already.
pub fn error_as_event(dialect: Dialect, body: &[u8]) -> Bytes {
    let told = serde_json::from_slice::<serde_json::Value>(body).ok();
    let message = told
        .as_ref()
        .and_then(|told| told["error"]["message"].as_str())
        .unwrap_or("the provider answered with an error");
    match (&told, dialect) {
        // A fault of ours or of a provider is told as one after which clients ask again.
        (Some(told), Dialect::Messages) if told["error"]["type"] == "api_error" => {
            error_event(dialect, message, 0)
        }
        (Some(told), Dialect::Messages) if told["type"] == "error" => {
            Bytes::from(format!("event: error\ndata: {told}\n\n"))
        }
        (Some(told), Dialect::Chat) if told["error"].is_object() => {
            Bytes::from(format!("data: {told}\n\n"))
        }
        // Nothing but the head has gone out before.
        _ => error_event(dialect, message, 0),
    }
}

/// The words of an answer in one stream event; tools and thoughts are none.
pub fn delta_text(dialect: Dialect, data: &[u8]) -> Option<String> {
    let event: serde_json::Value = serde_json::from_slice(data).ok()?;
    let text = match dialect {
        Dialect::Messages => &event["delta"]["text"],
        Dialect::Chat => &event["choices"][0]["delta"]["content"],
        Dialect::Responses if event["type"] == "response.output_text.delta" => &event["delta"],
        Dialect::Responses => return None,
    };
    text.as_str().map(str::to_owned)
}

/// The words of a whole answer.
pub fn whole_text(dialect: Dialect, body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let parts = |parts: &serde_json::Value| -> String {
        let parts = parts.as_array().into_iter().flatten();
        parts.filter_map(|part| part["text"].as_str()).collect()
    };
    match dialect {
        Dialect::Messages => Some(parts(&answer["content"])),
        Dialect::Chat => answer["choices"][0]["message"]["content"]
            .as_str()
            .map(str::to_owned),
        Dialect::Responses => {
            let items = answer["output"].as_array()?.iter();
            Some(items.map(|item| parts(&item["content"])).collect())
        }
    }
}

/// Bytes of answer text in a whole answer, for an estimate where it tells no usage.
pub fn answer_text(body: &[u8]) -> usize {
    text_in(body)
}

/// What keeps a silent stream's caller waiting.
pub fn ping(dialect: Dialect) -> Bytes {
    Bytes::from_static(match dialect {
        Dialect::Messages => b"event: ping\ndata: {\"type\": \"ping\"}\n\n",
        Dialect::Chat | Dialect::Responses => b": ping\n\n",
    })
}

/// Bytes in the strings that are part of an answer, wherever they stand in an event.
fn text_in(data: &[u8]) -> usize {
    let Ok(mut scanner) = Scanner::new(data) else {
        return 0;
    };
    let (mut text, mut counts) = (0, false);
    while let Ok(Some(token)) = scanner.next_token() {
        match token {
            Token::Key(span) => counts = is_answer(span.of(data)),
            Token::String(span) if counts => text += span.len(),
            Token::ArrayStart => {}
            _ => counts = false,
        }
    }
    text
}

fn is_answer(key: &[u8]) -> bool {
    matches!(
        key,
        b"content"
            | b"text"
            | b"thinking"
            | b"partial_json"
            | b"arguments"
            | b"delta"
            | b"reasoning"
            | b"reasoning_content"
            | b"refusal"
    )
}
