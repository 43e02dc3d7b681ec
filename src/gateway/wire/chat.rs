//! `OpenAI`'s Chat Completions (platform.openai.com/docs/api-reference/chat), as `OpenRouter` and local servers speak it too.

pub mod answer;
pub mod details;
pub mod error;
pub mod request;
pub mod stream;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::reading::{AnswerReading, EventKind, EventReading, OwnError, StreamError, UsageUpdate};
use crate::gateway::scan::{Scanner, Token};
use crate::gateway::spent;
use crate::gateway::sse::Event;

#[derive(Deserialize)]
struct Whole {
    usage: Option<Usage>,
    error: Option<Failure>,
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    /// `OpenRouter` tells what became of one choice here.
    error: Option<Failure>,
    finish_reason: Option<String>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    tool_calls: Option<Vec<IgnoredAny>>,
    function_call: Option<IgnoredAny>,
}

impl Message {
    fn has_calls(&self) -> bool {
        let calls = self.tool_calls.as_ref();
        self.function_call.is_some() || calls.is_some_and(|calls| !calls.is_empty())
    }
}

impl Whole {
    /// The error that it tells, wherever it stands; a finish reason may be all there is of one.
    fn error(self) -> Option<StreamError> {
        let mut choices = self.choices.into_iter();
        let within = |choice: Choice| match (choice.error, choice.finish_reason.as_deref()) {
            (Some(error), _) => Some(Some(error)),
            (None, Some("error")) => Some(None),
            (None, _) => None,
        };
        let told = self.error.map(Some).or_else(|| choices.find_map(within))?;
        Some(told.map_or_else(ended_in_error, |error| in_band(Some(error))))
    }
}

/// An error of which nothing is told but that there was one.
fn ended_in_error() -> StreamError {
    StreamError {
        status: 502,
        message: "the provider ended its answer with an error".to_owned(),
        exhausted: false,
    }
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

/// Providers put an object here, sometimes only a text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Failure {
    Object {
        #[serde(default)]
        message: Option<String>,
        #[serde(rename = "type", default)]
        kind: Option<String>,
        #[serde(default)]
        code: Option<Value>,
    },
    Text(String),
}

impl From<&Usage> for UsageUpdate {
    fn from(usage: &Usage) -> Self {
        let details = usage.prompt_tokens_details.as_ref();
        let read = details.and_then(|details| details.cached_tokens);
        let write = details.and_then(|details| details.cache_write_tokens);
        let cached = read.unwrap_or_default() + write.unwrap_or_default();
        Self {
            input: usage.prompt_tokens.map(|all| all.saturating_sub(cached)),
            output: usage.completion_tokens,
            cache_read: read,
            cache_write: write,
            cache_write_1h: None,
        }
    }
}

pub fn read_event(event: &Event<'_>) -> EventReading {
    let data = event.data.trim_ascii();
    if data == b"[DONE]" {
        return EventReading::of(EventKind::End);
    }
    let Some(chunk) = Chunk::scan(data) else {
        return EventReading::of(EventKind::Quiet);
    };
    let whole = (chunk.error || chunk.usage)
        .then(|| serde_json::from_slice::<Whole>(data).ok())
        .flatten();
    let usage = whole.as_ref().and_then(|whole| whole.usage.as_ref());
    let usage = usage.map(UsageUpdate::from);
    let step = if chunk.error {
        let error = whole.and_then(Whole::error);
        EventKind::Error(error.unwrap_or_else(|| in_band(None)))
    } else if chunk.text > 0 || chunk.calls {
        EventKind::Content
    } else {
        EventKind::Lifecycle
    };
    EventReading {
        step,
        finished: chunk.finish,
        stopped: chunk.stopped,
        calls: chunk.calls,
        text: chunk.text,
        usage,
    }
}

/// What one pass over a chunk tells.
#[derive(Default)]
struct Chunk {
    text: usize,
    calls: bool,
    finish: bool,
    /// Finished for another reason than that all is said.
    stopped: bool,
    usage: bool,
    error: bool,
}

impl Chunk {
    fn scan(data: &[u8]) -> Option<Self> {
        let mut scanner = Scanner::new(data).ok()?;
        let mut chunk = Self::default();
        let mut key: &[u8] = b"";
        let mut within_calls = None;
        while let Ok(Some(token)) = scanner.next_token() {
            match token {
                Token::Key(span) => {
                    key = span.of(data);
                }
                Token::ArrayStart if matches!(key, b"tool_calls") => {
                    within_calls = Some(scanner.depth());
                }
                Token::ObjectStart if within_calls.is_some() => chunk.calls = true,
                // Of the whole, or of a choice.
                Token::ObjectStart if key == b"error" && scanner.depth() == 4 => chunk.error = true,
                Token::ObjectStart if scanner.depth() == 2 => match key {
                    b"usage" => chunk.usage = true,
                    b"error" => chunk.error = true,
                    _ => {}
                },
                Token::ArrayEnd if within_calls.is_some_and(|depth| scanner.depth() < depth) => {
                    within_calls = None;
                }
                Token::String(_) if matches!(scanner.depth(), 1 | 3) && key == b"error" => {
                    chunk.error = true;
                }
                Token::String(span) => {
                    if key == b"finish_reason" {
                        let reason = span.of(data);
                        // Some local servers write an empty one before there is any.
                        chunk.finish |= !reason.is_empty();
                        chunk.stopped |= !matches!(reason, b"" | b"stop" | b"error");
                        chunk.error |= reason == b"error";
                    } else if super::reading::is_answer(key) {
                        chunk.text += span.len();
                    }
                }
                _ => {}
            }
        }
        Some(chunk)
    }
}

pub fn read_answer(body: &[u8]) -> AnswerReading {
    let Ok(whole) = serde_json::from_slice::<Whole>(body) else {
        return AnswerReading::default();
    };
    let messages = whole
        .choices
        .iter()
        .filter_map(|choice| choice.message.as_ref());
    AnswerReading {
        calls: messages.into_iter().any(Message::has_calls),
        usage: whole.usage.as_ref().map(UsageUpdate::from),
        error: whole.error(),
    }
}

pub(super) fn in_band(error: Option<Failure>) -> StreamError {
    let (message, kind, code) = match error {
        Some(Failure::Object {
            message,
            kind,
            code,
        }) => (message, kind.unwrap_or_default(), code),
        Some(Failure::Text(text)) => (Some(text), String::new(), None),
        None => (None, String::new(), None),
    };
    let word = code.as_ref().and_then(Value::as_str).unwrap_or_default();
    let number = code
        .as_ref()
        .and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()))
        .and_then(|number| u16::try_from(number).ok())
        .filter(|number| (400..600).contains(number));
    let status = number.unwrap_or_else(|| status_of(word, &kind));
    StreamError {
        status,
        exhausted: spent::is_code(word) || spent::is_code(&kind),
        message: message.unwrap_or_else(|| {
            if word.is_empty() {
                "the provider told an error without a message".to_owned()
            } else {
                word.to_owned()
            }
        }),
    }
}

fn status_of(code: &str, kind: &str) -> u16 {
    match (code, kind) {
        ("insufficient_quota" | "rate_limit_exceeded" | "rate_limit_error", _)
        | (
            _,
            "insufficient_quota"
            | "rate_limit_exceeded"
            | "rate_limit_error"
            | "tokens"
            | "requests",
        ) => 429,
        ("invalid_api_key", _) | (_, "authentication_error") => 401,
        ("model_not_found", _) => 404,
        (_, "permission_error") => 403,
        ("context_length_exceeded" | "invalid_prompt", _) | (_, "invalid_request_error") => 400,
        _ => 500,
    }
}

pub fn error_body(error: &OwnError<'_>) -> Value {
    let (kind, code) = kind_of(error.status);
    json!({"error": {"message": error.message, "type": kind, "code": code, "param": null}})
}

fn kind_of(status: StatusCode) -> (&'static str, Option<&'static str>) {
    match status.as_u16() {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        402 => ("insufficient_quota", Some("insufficient_quota")),
        404 => ("invalid_request_error", Some("not_found")),
        429 => ("rate_limit_error", Some("rate_limit_exceeded")),
        503 => ("server_error", Some("service_unavailable")),
        status if status < 500 => ("invalid_request_error", None),
        _ => ("server_error", None),
    }
}

pub fn error_event(message: &str) -> Bytes {
    let data = json!({
        "error": {"message": message, "type": "server_error", "code": null, "param": null}
    });
    Bytes::from(format!("data: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::sse;

    fn read(data: &str) -> EventReading {
        read_event(&sse::parse(format!("data: {data}\n\n").as_bytes()).unwrap())
    }

    #[test]
    fn tells_lifecycle_from_content() {
        let table = [
            (
                r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"choices":[{"delta":{"content":"","tool_calls":[]}}]}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"choices":[{"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}"#,
                EventKind::Content,
            ),
            (
                r#"{"choices":[{"delta":{"reasoning":"hm"}}]}"#,
                EventKind::Content,
            ),
            (
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}}]}"#,
                EventKind::Content,
            ),
            (
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
                EventKind::Lifecycle,
            ),
            ("[DONE]", EventKind::End),
            ("nonsense", EventKind::Lifecycle),
        ];
        for (data, step) in table {
            assert_eq!(read(data).step, step, "{data}");
        }
    }

    #[test]
    fn the_last_words_and_the_end_may_come_in_one_chunk() {
        let last = read(r#"{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#);
        assert_eq!((last.step, last.finished), (EventKind::Content, true));
        let end = read(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#);
        assert_eq!((end.step, end.finished), (EventKind::Lifecycle, true));
        let word = read(r#"{"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}"#);
        assert!(!word.finished);
    }

    #[test]
    fn counts_input_without_cache() {
        let reading = read(
            r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":60}}}"#,
        );
        let usage = reading.usage.unwrap();
        assert_eq!(
            (usage.input, usage.output, usage.cache_read),
            (Some(40), Some(7), Some(60))
        );
    }

    #[test]
    fn maps_errors_to_their_status() {
        let status = |data: &str| match read(data).step {
            EventKind::Error(error) => (error.status, error.exhausted),
            step => panic!("{step:?}"),
        };
        assert_eq!(
            status(r#"{"error":{"code":502,"message":"bad"},"choices":[]}"#),
            (502, false)
        );
        assert_eq!(
            status(r#"{"error":{"code":"insufficient_quota","message":"m"}}"#),
            (429, true)
        );
        assert_eq!(
            status(r#"{"error":{"type":"server_error","message":"m"}}"#),
            (500, false)
        );
        assert_eq!(
            status(r#"{"error":{"type":"invalid_request_error","message":"m"}}"#),
            (400, false)
        );
        assert_eq!(status(r#"{"error":"model exploded"}"#), (500, false));
        assert_eq!(
            status(
                r#"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":429,"message":"m"}}]}"#
            ),
            (429, false)
        );
        assert_eq!(
            status(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#),
            (502, false)
        );
    }
}
