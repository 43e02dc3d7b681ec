//! Anthropic's Messages (platform.claude.com/docs/en/api/messages, …/streaming, …/errors).

pub mod answer;
pub mod error;
pub mod request;
pub mod stream;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reading::{
    AnswerReading, EventKind, EventReading, OwnError, StreamError, UsageUpdate, text_in,
};
use crate::gateway::spent;
use crate::gateway::sse::Event;

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    message: Option<Message>,
    delta: Option<Delta>,
    content_block: Option<Block>,
    usage: Option<Usage>,
    /// An object with type and message; whoever stands in front of the vendor may tell a code's number, or a text alone.
    error: Option<Value>,
    stop_reason: Option<String>,
    /// Of a whole answer.
    #[serde(default)]
    content: Vec<Block>,
}

#[derive(Deserialize)]
struct Message {
    usage: Option<Usage>,
}

/// What a gateway of another vendor writes where its own provider failed.
const STOPPED_BY_ERROR: &str = "error";

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type", default)]
    kind: String,
}

impl Block {
    /// What says nothing unless it has text.
    fn is_words(&self) -> bool {
        matches!(self.kind.as_str(), "" | "text" | "thinking")
    }

    /// A call of a tool that runs at the caller's; `server_tool_use` and its kind run at the vendor's.
    fn is_call(&self) -> bool {
        self.kind == "tool_use"
    }
}

#[derive(Deserialize)]
struct Delta {
    stop_reason: Option<String>,
    signature: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Deserialize)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

impl From<Usage> for UsageUpdate {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input_tokens,
            output: usage.output_tokens,
            cache_read: usage.cache_read_input_tokens,
            cache_write: usage.cache_creation_input_tokens,
            cache_write_1h: usage
                .cache_creation
                .and_then(|cache| cache.ephemeral_1h_input_tokens),
        }
    }
}

pub fn read_event(event: &Event<'_>) -> EventReading {
    if event.name == b"content_block_delta" {
        let text = text_in(&event.data);
        if text > 0 {
            return EventReading::told(text);
        }
    }
    let Ok(frame) = serde_json::from_slice::<Frame>(&event.data) else {
        return EventReading::of(EventKind::Quiet);
    };
    let kind = if frame.kind.is_empty() {
        std::str::from_utf8(event.name).unwrap_or_default()
    } else {
        frame.kind.as_str()
    };
    let usage = frame
        .usage
        .or_else(|| frame.message.and_then(|message| message.usage))
        .map(UsageUpdate::from);
    let calls = frame.content_block.as_ref().is_some_and(Block::is_call);
    let (mut text, mut stopped) = (0, false);
    let step = match kind {
        "content_block_delta" => {
            text = text_in(&event.data);
            let signed = frame.delta.is_some_and(|delta| delta.signature.is_some());
            if text > 0 || signed {
                EventKind::Content
            } else {
                EventKind::Lifecycle
            }
        }
        "content_block_start" => {
            text = text_in(&event.data);
            let words = frame.content_block.is_none_or(|block| block.is_words());
            match (text > 0, words) {
                (true, _) => EventKind::Content,
                (false, true) => EventKind::Lifecycle,
                (false, false) => EventKind::Opened,
            }
        }
        "content_block_stop" => EventKind::Closed,
        "message_delta" => {
            let stop = frame.delta.and_then(|delta| delta.stop_reason);
            if stop.as_deref() == Some(STOPPED_BY_ERROR) {
                return EventReading::of(EventKind::Error(in_band(frame.error)));
            }
            stopped = stop.is_some_and(|reason| reason != "end_turn");
            // An empty answer that was paid for is an answer.
            if usage.and_then(|usage| usage.output).unwrap_or_default() > 0 {
                EventKind::Content
            } else {
                EventKind::Lifecycle
            }
        }
        "message_stop" => EventKind::End,
        "error" => EventKind::Error(in_band(frame.error)),
        "" if frame.error.is_some() => EventKind::Error(in_band(frame.error)),
        "message_start" => EventKind::Lifecycle,
        _ => EventKind::Quiet,
    };
    EventReading {
        step,
        finished: false,
        stopped,
        calls,
        text,
        usage,
    }
}

pub fn read_answer(body: &[u8]) -> AnswerReading {
    let Ok(frame) = serde_json::from_slice::<Frame>(body) else {
        return AnswerReading::default();
    };
    let stopped = frame.stop_reason.as_deref() == Some(STOPPED_BY_ERROR);
    let failed = frame.kind == "error" || frame.error.is_some() || stopped;
    let error = failed.then(|| in_band(frame.error));
    AnswerReading {
        calls: frame.content.iter().any(Block::is_call),
        usage: frame.usage.map(UsageUpdate::from),
        error,
    }
}

fn in_band(error: Option<Value>) -> StreamError {
    let error = error.unwrap_or_default();
    let kind = error["type"].as_str().unwrap_or_default();
    let message = error["message"].as_str().or_else(|| error.as_str());
    let code = error["code"]
        .as_u64()
        .and_then(|code| u16::try_from(code).ok());
    let code = code.filter(|code| (400..600).contains(code));
    StreamError {
        status: code.unwrap_or_else(|| status_of(kind)),
        exhausted: spent::is_phrase(message.unwrap_or_default()),
        message: match message.filter(|message| !message.is_empty()) {
            Some(message) => message.to_owned(),
            None if !kind.is_empty() => kind.to_owned(),
            None => "the provider ended its answer with an error".to_owned(),
        },
    }
}

fn status_of(kind: &str) -> u16 {
    match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    }
}

pub fn error_body(error: &OwnError<'_>) -> serde_json::Value {
    json!({
        "type": "error",
        "error": {"type": kind_of(error.status), "message": error.message},
        "request_id": error.request_id,
    })
}

fn kind_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 | 405 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        status if status < 500 => "invalid_request_error",
        _ => "api_error",
    }
}

/// Of the kind after which clients ask again by themselves: after `api_error` opencode gives the turn up.
pub fn error_event(message: &str) -> Bytes {
    let data = json!({"type": "error", "error": {"type": "overloaded_error", "message": message}});
    Bytes::from(format!("event: error\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::sse;

    fn read(frame: &str) -> EventReading {
        read_event(&sse::parse(frame.as_bytes()).unwrap())
    }

    #[test]
    fn tells_lifecycle_from_content() {
        let table = [
            (
                r#"{"type":"message_start","message":{"id":"m","content":[]}}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":""}}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}"#,
                EventKind::Content,
            ),
            (
                r#"{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"x"}}"#,
                EventKind::Content,
            ),
            (
                r#"{"type":"content_block_stop","index":0}"#,
                EventKind::Closed,
            ),
            (
                r#"{"type":"content_block_start","content_block":{"type":"tool_use","name":"f","input":{}}}"#,
                EventKind::Opened,
            ),
            (
                r#"{"type":"content_block_start","content_block":{"type":"text","text":"Hi"}}"#,
                EventKind::Content,
            ),
            (r#"{"type":"message_stop"}"#, EventKind::End),
            (r#"{"type":"ping"}"#, EventKind::Quiet),
            (
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":0}}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"type":"message_delta","delta":{"stop_reason":"refusal"},"usage":{"output_tokens":3}}"#,
                EventKind::Content,
            ),
        ];
        for (data, step) in table {
            assert_eq!(read(&format!("data: {data}\n\n")).step, step, "{data}");
        }
        let named = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"abc\"}}\n\n";
        assert_eq!(read(named).text, 3);
    }

    #[test]
    fn counts_input_without_cache() {
        let answer = read_answer(
            br#"{"type":"message","usage":{"input_tokens":10,"cache_creation_input_tokens":7,"cache_read_input_tokens":5,
            "output_tokens":3,"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}}}"#,
        );
        let mut told = super::super::TokenUsage::default();
        answer.usage.unwrap().apply(&mut told);
        assert_eq!((told.input, told.output, told.cache_read), (10, 3, 5));
        assert_eq!((told.cache_write, told.cache_write_1h), (7, 4));
    }

    #[test]
    fn maps_an_error_event_to_its_status() {
        let frame = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
        let EventKind::Error(error) = read(frame).step else {
            panic!("no error")
        };
        assert_eq!((error.status, error.message.as_str()), (529, "busy"));
    }
}
