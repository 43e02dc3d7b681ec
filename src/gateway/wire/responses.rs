//! `OpenAI`'s Responses (platform.openai.com/docs/api-reference/responses, …/responses-streaming).

pub mod answer;
pub mod request;
pub mod stream;
mod tools;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::chat::{Failure, in_band};
use super::reading::{AnswerReading, EventKind, EventReading, UsageUpdate, text_in};
use crate::gateway::sse::Event;

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    response: Option<Response>,
    item: Option<Item>,
    error: Option<Failure>,
    message: Option<String>,
    code: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type", default)]
    kind: String,
}

impl Item {
    /// What says nothing unless it has text.
    fn is_words(&self) -> bool {
        matches!(self.kind.as_str(), "" | "message" | "reasoning")
    }

    /// A call of a tool that runs at the caller's; what the vendor hosts runs there.
    fn is_call(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "function_call"
                | "custom_tool_call"
                | "local_shell_call"
                | "shell_call"
                | "apply_patch_call"
                | "computer_call"
        )
    }
}

#[derive(Deserialize)]
struct Response {
    usage: Option<Usage>,
    error: Option<Failure>,
    status: Option<String>,
    #[serde(default)]
    output: Vec<Item>,
}

impl Response {
    fn has_calls(&self) -> bool {
        self.output.iter().any(Item::is_call)
    }

    /// A failed one need not say why.
    fn is_failed(&self) -> bool {
        self.error.is_some() || self.status.as_deref() == Some("failed")
    }
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

impl From<Usage> for UsageUpdate {
    fn from(usage: Usage) -> Self {
        let details = usage.input_tokens_details;
        let read = details.as_ref().and_then(|details| details.cached_tokens);
        let write = details.and_then(|details| details.cache_write_tokens);
        let cached = read.unwrap_or_default() + write.unwrap_or_default();
        Self {
            input: usage.input_tokens.map(|all| all.saturating_sub(cached)),
            output: usage.output_tokens,
            cache_read: read,
            cache_write: write,
            ..Self::default()
        }
    }
}

pub fn read_event(event: &Event<'_>) -> EventReading {
    if event.name.ends_with(b".delta") {
        return EventReading::told(text_in(&event.data));
    }
    let data = event.data.trim_ascii();
    if data == b"[DONE]" {
        return EventReading::of(EventKind::Quiet);
    }
    let Ok(frame) = serde_json::from_slice::<Frame>(data) else {
        return EventReading::of(EventKind::Quiet);
    };
    let kind = if frame.kind.is_empty() {
        std::str::from_utf8(event.name).unwrap_or_default()
    } else {
        frame.kind.as_str()
    };
    match kind {
        "response.completed" | "response.incomplete"
            if frame.response.as_ref().is_some_and(Response::is_failed) =>
        {
            let error = frame.response.and_then(|response| response.error);
            EventReading::of(EventKind::Error(in_band(error)))
        }
        "" if frame.error.is_some() => EventReading::of(EventKind::Error(in_band(frame.error))),
        "response.completed" | "response.incomplete" => EventReading {
            stopped: kind == "response.incomplete",
            calls: frame.response.as_ref().is_some_and(Response::has_calls),
            usage: frame
                .response
                .and_then(|response| response.usage)
                .map(UsageUpdate::from),
            ..EventReading::of(EventKind::End)
        },
        "response.failed" => {
            let error = frame.response.and_then(|response| response.error);
            EventReading::of(EventKind::Error(in_band(error)))
        }
        "error" => EventReading::of(EventKind::Error(in_band(frame.error.or(Some(
            Failure::Object {
                message: frame.message,
                kind: None,
                code: frame.code,
            },
        ))))),
        "response.created"
        | "response.queued"
        | "response.in_progress"
        | "response.content_part.added"
        | "response.reasoning_summary_part.added" => EventReading::of(EventKind::Lifecycle),
        "response.output_item.added" => {
            let calls = frame.item.as_ref().is_some_and(Item::is_call);
            let words = frame.item.is_none_or(|item| item.is_words());
            let step = if words {
                EventKind::Lifecycle
            } else {
                EventKind::Opened
            };
            EventReading {
                calls,
                ..EventReading::of(step)
            }
        }
        kind if kind.as_bytes().ends_with(b".delta") => EventReading::told(text_in(data)),
        // The text is told once more, and counted already where it came in pieces.
        kind if kind.as_bytes().ends_with(b".done") => EventReading::of(if text_in(data) > 0 {
            EventKind::Content
        } else if kind == "response.output_item.done" {
            EventKind::Closed
        } else {
            EventKind::Lifecycle
        }),
        kind if kind.starts_with("response.") => EventReading::of(EventKind::Content),
        _ => EventReading::of(EventKind::Quiet),
    }
}

pub fn read_answer(body: &[u8]) -> AnswerReading {
    let Ok(answer) = serde_json::from_slice::<Response>(body) else {
        return AnswerReading::default();
    };
    let failed = answer.is_failed();
    AnswerReading {
        calls: answer.has_calls(),
        usage: answer.usage.map(UsageUpdate::from),
        error: failed.then(|| in_band(answer.error)),
    }
}

/// The `error` event, which the SDKs raise, and the `response.failed` that agents wait for, numbered on from `next`.
pub fn error_event(message: &str, next: u64) -> Bytes {
    let error = json!({
        "type": "error", "code": "server_error", "message": message, "param": null, "sequence_number": next,
        "error": {"type": "server_error", "code": "server_error", "message": message, "param": null},
    });
    let failed = json!({
        "type": "response.failed", "sequence_number": next + 1,
        "response": {
            "object": "response", "status": "failed",
            "error": {"code": "server_error", "message": message},
        },
    });
    Bytes::from(format!(
        "event: error\ndata: {error}\n\nevent: response.failed\ndata: {failed}\n\n"
    ))
}

/// The highest number in whole events that follow one another; `None` where they have none.
pub fn sequence_number(events: &[u8]) -> Option<u64> {
    // Within a text the quote before the colon is escaped, so that this is always the member.
    const MEMBER: &[u8] = b"\"sequence_number\":";
    let at = memchr::memmem::rfind(events, MEMBER)? + MEMBER.len();
    let digits = events.get(at..)?.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit());
    std::str::from_utf8(&digits[..end.unwrap_or(digits.len())])
        .ok()?
        .parse()
        .ok()
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
                r#"{"type":"response.created","response":{"id":"r"}}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"type":"response.output_item.added","item":{}}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"type":"response.output_text.delta","delta":"Hi"}"#,
                EventKind::Content,
            ),
            (
                r#"{"type":"response.output_item.done","item":{}}"#,
                EventKind::Closed,
            ),
            (
                r#"{"type":"response.output_item.done","item":{"content":[{"text":"Hi"}]}}"#,
                EventKind::Content,
            ),
            (
                r#"{"type":"response.output_item.added","item":{"type":"function_call"}}"#,
                EventKind::Opened,
            ),
            (
                r#"{"type":"response.output_text.done","text":""}"#,
                EventKind::Lifecycle,
            ),
            (
                r#"{"type":"response.completed","response":{}}"#,
                EventKind::End,
            ),
            (r#"{"type":"keepalive"}"#, EventKind::Quiet),
        ];
        for (data, step) in table {
            assert_eq!(read(data).step, step, "{data}");
        }
    }

    #[test]
    fn finds_the_last_number_and_no_text_that_looks_like_one() {
        let events = br#"data: {"type":"a","sequence_number":7}

data: {"type":"response.output_text.delta","sequence_number": 12,"delta":"\"sequence_number\":99"}

"#;
        assert_eq!(sequence_number(events), Some(12));
        assert_eq!(sequence_number(b": ping\n\n"), None);
    }

    #[test]
    fn counts_input_without_cache() {
        let reading = read(
            r#"{"type":"response.completed","response":{"usage":{"input_tokens":50,"output_tokens":9,"input_tokens_details":{"cached_tokens":20}}}}"#,
        );
        let usage = reading.usage.unwrap();
        assert_eq!(
            (usage.input, usage.output, usage.cache_read),
            (Some(30), Some(9), Some(20))
        );
    }

    #[test]
    fn maps_errors_to_their_status() {
        let failed = r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"slow"}}}"#;
        let error = r#"{"type":"error","code":"server_error","message":"no"}"#;
        for (data, status, message) in [(failed, 429, "slow"), (error, 500, "no")] {
            let EventKind::Error(told) = read(data).step else {
                panic!("{data}")
            };
            assert_eq!((told.status, told.message.as_str()), (status, message));
        }
    }
}
