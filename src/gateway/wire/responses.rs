//! `OpenAI`'s Responses (platform.openai.com/docs/api-reference/responses, …/responses-streaming).

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::chat::{Failure, in_band};
use super::{Answer, Reading, Step, UsageUpdate, text_in};
use crate::gateway::sse::Event;

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    response: Option<Response>,
    error: Option<Failure>,
    message: Option<String>,
    code: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Response {
    usage: Option<Usage>,
    error: Option<Failure>,
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
}

impl From<Usage> for UsageUpdate {
    fn from(usage: Usage) -> Self {
        let cached = usage
            .input_tokens_details
            .and_then(|details| details.cached_tokens);
        Self {
            input: usage
                .input_tokens
                .map(|all| all.saturating_sub(cached.unwrap_or_default())),
            output: usage.output_tokens,
            cache_read: cached,
            ..Self::default()
        }
    }
}

pub fn read_event(event: &Event<'_>) -> Reading {
    if event.name.ends_with(b".delta") {
        let text = text_in(&event.data);
        let step = if text > 0 {
            Step::Content
        } else {
            Step::Lifecycle
        };
        return Reading {
            step,
            text,
            usage: None,
        };
    }
    let data = event.data.trim_ascii();
    if data == b"[DONE]" {
        return Reading::of(Step::Quiet);
    }
    let Ok(frame) = serde_json::from_slice::<Frame>(data) else {
        return Reading::of(Step::Quiet);
    };
    let kind = if frame.kind.is_empty() {
        std::str::from_utf8(event.name).unwrap_or_default()
    } else {
        frame.kind.as_str()
    };
    match kind {
        "response.completed" | "response.incomplete" => Reading {
            step: Step::End,
            text: 0,
            usage: frame
                .response
                .and_then(|response| response.usage)
                .map(UsageUpdate::from),
        },
        "response.failed" => {
            let error = frame.response.and_then(|response| response.error);
            Reading::of(Step::Error(in_band(error)))
        }
        "error" => Reading::of(Step::Error(in_band(frame.error.or(Some(
            Failure::Object {
                message: frame.message,
                kind: None,
                code: frame.code,
            },
        ))))),
        "response.created"
        | "response.queued"
        | "response.in_progress"
        | "response.output_item.added"
        | "response.content_part.added"
        | "response.reasoning_summary_part.added" => Reading::of(Step::Lifecycle),
        kind if kind.as_bytes().ends_with(b".delta") => {
            let text = text_in(data);
            Reading {
                step: if text > 0 {
                    Step::Content
                } else {
                    Step::Lifecycle
                },
                text,
                usage: None,
            }
        }
        kind if kind.starts_with("response.") => Reading::of(Step::Content),
        _ => Reading::of(Step::Quiet),
    }
}

pub fn read_answer(body: &[u8]) -> Answer {
    let Ok(answer) = serde_json::from_slice::<Response>(body) else {
        return Answer::default();
    };
    Answer {
        usage: answer.usage.map(UsageUpdate::from),
        error: answer.error.map(|error| in_band(Some(error))),
    }
}

/// The `error` event, which the SDKs raise, and the `response.failed` that agents wait for.
pub fn error_event(message: &str) -> Bytes {
    let error = json!({
        "type": "error", "code": "server_error", "message": message, "param": null,
        "error": {"type": "server_error", "code": "server_error", "message": message, "param": null},
    });
    let failed = json!({
        "type": "response.failed",
        "response": {
            "object": "response", "status": "failed",
            "error": {"code": "server_error", "message": message},
        },
    });
    Bytes::from(format!(
        "event: error\ndata: {error}\n\nevent: response.failed\ndata: {failed}\n\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::sse;

    fn read(data: &str) -> Reading {
        read_event(&sse::parse(format!("data: {data}\n\n").as_bytes()).unwrap())
    }

    #[test]
    fn tells_lifecycle_from_content() {
        let table = [
            (
                r#"{"type":"response.created","response":{"id":"r"}}"#,
                Step::Lifecycle,
            ),
            (
                r#"{"type":"response.output_item.added","item":{}}"#,
                Step::Lifecycle,
            ),
            (
                r#"{"type":"response.output_text.delta","delta":"Hi"}"#,
                Step::Content,
            ),
            (
                r#"{"type":"response.output_item.done","item":{}}"#,
                Step::Content,
            ),
            (r#"{"type":"response.completed","response":{}}"#, Step::End),
            (r#"{"type":"keepalive"}"#, Step::Quiet),
        ];
        for (data, step) in table {
            assert_eq!(read(data).step, step, "{data}");
        }
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
            let Step::Error(told) = read(data).step else {
                panic!("{data}")
            };
            assert_eq!((told.status, told.message.as_str()), (status, message));
        }
    }
}
