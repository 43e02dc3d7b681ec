//! What the dialects look like on the wire: their routes, answers, stream events and errors.
//!
//! One folder per dialect holds all that is special to it: what is read along in bodies that pass as they are, and, for those
//! that are translated, a reader and a writer to and from the form in the middle (`ir`), which alone a crossing goes through. This room must not know who is
//! asked, how often, or what follows from an error.

pub mod chat;
pub mod generate;
pub mod ir;
pub mod messages;
mod reading;
pub mod responses;
mod sse;
pub mod stream_writer;
pub mod target;
mod token_details;

use std::borrow::Cow;

use bytes::Bytes;

use super::sse::Event;
pub use reading::{AnswerReading, EventKind, EventReading, OwnError, StreamError, TokenUsage};

use crate::domain::profile::{Auth, Dialect, Profile, ProviderKind};
use reading::text_in;

/// A route that is forwarded to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Messages,
    CountTokens,
    Chat,
    Responses,
    /// Codex asks for a shorter form of its conversation; nobody else has such a route.
    Compact,
    /// What a model is asked to do whom the path names.
    Generate(generate::ApiVersion, generate::Method),
}

impl Endpoint {
    pub fn from_path(path: &str) -> Option<Self> {
        match path {
            "/v1/messages" => Some(Self::Messages),
            "/v1/messages/count_tokens" => Some(Self::CountTokens),
            "/v1/chat/completions" => Some(Self::Chat),
            "/v1/responses" => Some(Self::Responses),
            "/v1/responses/compact" => Some(Self::Compact),
            _ => {
                let route = generate::Route::from_path(path)?;
                Some(Self::Generate(route.version, route.method))
            }
        }
    }

    /// What it is called where it is told of.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Compact => "/v1/responses/compact",
            Self::Generate(_, method) => method.as_str(),
        }
    }

    /// The path at which a caller asks `model`.
    pub fn path(self, model: &str) -> Cow<'static, str> {
        match self {
            Self::Generate(version, method) => {
                Cow::Owned(generate::path_of(version, method, model))
            }
            Self::Messages | Self::CountTokens | Self::Chat | Self::Responses | Self::Compact => {
                Cow::Borrowed(self.name())
            }
        }
    }

    /// The route below the base URL of `profile`: `ChatGPT` serves its logins without the version in it, Google names the
    /// model in it.
    pub fn path_at(self, profile: &Profile, model: &str) -> Cow<'static, str> {
        let path = self.name();
        match (profile.auth, profile.provider) {
            (Auth::Caller, ProviderKind::OpenAi) => {
                Cow::Borrowed(path.strip_prefix("/v1").unwrap_or(path))
            }
            _ => self.path(model),
        }
    }

    pub fn dialect(self) -> Dialect {
        match self {
            Self::Messages | Self::CountTokens => Dialect::Messages,
            Self::Chat => Dialect::Chat,
            Self::Responses | Self::Compact => Dialect::Responses,
            Self::Generate(..) => Dialect::Generate,
        }
    }

    /// The endpoint of the same purpose in another dialect; `None` where it has none.
    pub fn in_dialect(self, dialect: Dialect) -> Option<Self> {
        match (self, dialect) {
            (Self::CountTokens, Dialect::Messages) => Some(Self::CountTokens),
            (Self::Compact, Dialect::Responses) => Some(Self::Compact),
            (Self::Generate(..), Dialect::Generate) => Some(self),
            (Self::CountTokens | Self::Compact | Self::Generate(..), _)
            | (_, Dialect::Generate) => None,
            (_, Dialect::Messages) => Some(Self::Messages),
            (_, Dialect::Chat) => Some(Self::Chat),
            (_, Dialect::Responses) => Some(Self::Responses),
        }
    }

    /// Whether an answer uses tokens; counting them does not.
    pub fn generates(self) -> bool {
        match self {
            Self::CountTokens | Self::Generate(_, generate::Method::CountTokens) => false,
            Self::Messages | Self::Chat | Self::Responses | Self::Compact | Self::Generate(..) => {
                true
            }
        }
    }
}

/// Reads one event of a stream in `dialect`.
pub fn read_event(dialect: Dialect, event: &Event<'_>) -> EventReading {
    match dialect {
        Dialect::Messages => messages::read_event(event),
        Dialect::Chat => chat::read_event(event),
        Dialect::Responses => responses::read_event(event),
        Dialect::Generate => generate::read_event(event),
    }
}

/// Reads a whole answer; what it does not understand it leaves out.
pub fn read_answer(dialect: Dialect, body: &[u8]) -> AnswerReading {
    match dialect {
        Dialect::Messages => messages::read_answer(body),
        Dialect::Chat => chat::read_answer(body),
        Dialect::Responses => responses::read_answer(body),
        Dialect::Generate => generate::read_answer(body),
    }
}

/// The body of an error answer.
pub fn error_body(dialect: Dialect, error: &OwnError<'_>) -> Bytes {
    let mut body = match dialect {
        Dialect::Messages => messages::error_body(error),
        Dialect::Chat | Dialect::Responses => chat::error_body(error),
        Dialect::Generate => generate::error_body(error),
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
        Dialect::Generate => generate::error_event(message),
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
        (Some(told), Dialect::Generate) if told["error"].is_object() => generate::as_event(told),
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
        Dialect::Generate => return Some(generate::words(&event)),
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
        Dialect::Generate => Some(generate::words(&answer)),
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
        Dialect::Generate => generate::PING,
    })
}
