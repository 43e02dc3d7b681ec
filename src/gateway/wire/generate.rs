//! Google's `generateContent` (ai.google.dev/api/generate-content), as the Gemini API and its command line speak it.
//!
//! The model and whether a stream is wanted stand in the path and the query, not in the body. Nothing marks a stream's end
//! but the reason why the answer finished. Without `alt=sse` a stream is one JSON array, which is read as a whole answer.

mod refusal;
pub mod request;
mod route;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::reading::{AnswerReading, EventKind, EventReading, OwnError, StreamError, UsageUpdate};
use crate::gateway::sse::Event;

pub use refusal::{is_key_rejected, retry_delay, spent};
pub use route::{ApiVersion, Method, Route, is_stream_of_events, path_of};

/// A chunk of a stream, which has the form of a whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Chunk {
    candidates: Vec<Candidate>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Usage>,
    error: Option<Failure>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    parts: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Part {
    text: Option<String>,
    function_call: Option<Value>,
    inline_data: Option<IgnoredAny>,
    file_data: Option<IgnoredAny>,
    executable_code: Option<Value>,
    code_execution_result: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Feedback {
    block_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "they are Google's")]
struct Usage {
    prompt_token_count: Option<u64>,
    /// What tools of Google's own put into the prompt.
    tool_use_prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
}

/// An error as Google's services tell it (google.aip.dev/193).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Failure {
    code: Option<u16>,
    message: Option<String>,
    status: Option<String>,
}

impl From<&Usage> for UsageUpdate {
    /// The prompt's count holds what came from a cache; thoughts are written as the answer is, and cost as much.
    fn from(usage: &Usage) -> Self {
        let cached = usage.cached_content_token_count;
        let of_tools = usage.tool_use_prompt_token_count.unwrap_or_default();
        let input = usage.prompt_token_count.map(|all| {
            all.saturating_sub(cached.unwrap_or_default())
                .saturating_add(of_tools)
        });
        let said = usage.candidates_token_count;
        let thought = usage.thoughts_token_count;
        let output = said
            .or(thought)
            .map(|_| said.unwrap_or_default() + thought.unwrap_or_default());
        Self {
            input,
            output,
            cache_read: cached,
            cache_write: None,
            cache_write_1h: None,
        }
    }
}

impl Part {
    /// Bytes of answer in it.
    fn text(&self) -> usize {
        let code = [
            &self.function_call,
            &self.executable_code,
            &self.code_execution_result,
        ];
        let code = code.into_iter().flatten();
        self.text.as_ref().map_or(0, String::len)
            + code.map(|value| value.to_string().len()).sum::<usize>()
    }

    fn is_told(&self) -> bool {
        self.text() > 0 || self.inline_data.is_some() || self.file_data.is_some()
    }
}

impl Chunk {
    fn parts(&self) -> impl Iterator<Item = &Part> {
        let contents = self
            .candidates
            .iter()
            .filter_map(|one| one.content.as_ref());
        contents.flat_map(|content| &content.parts)
    }

    fn calls(&self) -> bool {
        self.parts().any(|part| part.function_call.is_some())
    }

    fn finish_reasons(&self) -> impl Iterator<Item = &str> {
        let reasons = self.candidates.iter();
        reasons
            .filter_map(|candidate| candidate.finish_reason.as_deref())
            .filter(|reason| !matches!(*reason, "" | "FINISH_REASON_UNSPECIFIED"))
    }

    /// The question itself was refused, and that is the answer.
    fn is_blocked(&self) -> bool {
        let feedback = self.prompt_feedback.as_ref();
        feedback.is_some_and(|feedback| feedback.block_reason.is_some())
    }
}

impl From<Failure> for StreamError {
    fn from(failure: Failure) -> Self {
        let word = failure.status.unwrap_or_default();
        let told = failure.code.filter(|code| (400..600).contains(code));
        Self {
            status: told.unwrap_or_else(|| status_of(&word)),
            exhausted: false,
            message: failure.message.unwrap_or_else(|| {
                if word.is_empty() {
                    "the provider told an error without a message".to_owned()
                } else {
                    word
                }
            }),
        }
    }
}

pub fn read_event(event: &Event<'_>) -> EventReading {
    let Ok(chunk) = serde_json::from_slice::<Chunk>(&event.data) else {
        return EventReading::of(EventKind::Quiet);
    };
    let calls = chunk.calls();
    let text = chunk.parts().map(Part::text).sum();
    let finished = chunk.is_blocked() || chunk.finish_reasons().next().is_some();
    let stopped = chunk.is_blocked() || chunk.finish_reasons().any(|reason| reason != "STOP");
    let usage = chunk.usage_metadata.as_ref().map(UsageUpdate::from);
    let step = if chunk.parts().any(Part::is_told) {
        EventKind::Content
    } else {
        EventKind::Lifecycle
    };
    EventReading {
        step: chunk
            .error
            .map_or(step, |error| EventKind::Error(error.into())),
        finished,
        stopped,
        calls,
        text,
        usage,
    }
}

/// A whole answer, or all chunks of a stream in one array.
#[derive(Deserialize)]
#[serde(untagged)]
enum Whole {
    Stream(Vec<Chunk>),
    One(Box<Chunk>),
}

pub fn read_answer(body: &[u8]) -> AnswerReading {
    let chunks = match serde_json::from_slice(body) {
        Ok(Whole::Stream(chunks)) => chunks,
        Ok(Whole::One(chunk)) => vec![*chunk],
        Err(_) => return AnswerReading::default(),
    };
    let calls = chunks.iter().any(Chunk::calls);
    let mut usages = chunks.iter().rev();
    let usage = usages.find_map(|chunk| chunk.usage_metadata.as_ref());
    AnswerReading {
        usage: usage.map(UsageUpdate::from),
        calls,
        error: chunks
            .into_iter()
            .find_map(|chunk| chunk.error)
            .map(StreamError::from),
    }
}

/// The words of an answer in one chunk; thoughts are none.
pub fn words(chunk: &Value) -> String {
    let parts = chunk["candidates"][0]["content"]["parts"].as_array();
    let said = parts
        .into_iter()
        .flatten()
        .filter(|part| part["thought"] != true);
    said.filter_map(|part| part["text"].as_str()).collect()
}

pub fn error_body(error: &OwnError<'_>) -> Value {
    let status = error.status.as_u16();
    json!({"error": {"code": status, "message": error.message, "status": word_of(status)}})
}

pub fn error_event(message: &str) -> Bytes {
    as_event(&json!({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}}))
}

/// An error as an event, and once more as bare JSON: Google's own client takes the event for an answer without words, but
/// stops at what is no event (`googleapis/js-genai`, `processStreamResponse`), and its command line asks again then.
pub fn as_event(error: &Value) -> Bytes {
    Bytes::from(format!("data: {error}\n\n{error}\n"))
}

/// Google's client understands no comments, but passes over blanks before an event.
pub const PING: &[u8] = b"\n";

/// Google's word for a status (google.rpc.Code).
fn word_of(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 => "FAILED_PRECONDITION",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        400..=499 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

fn status_of(word: &str) -> u16 {
    match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "RESOURCE_EXHAUSTED" => 429,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::sse;

    fn read(data: &str) -> EventReading {
        read_event(&sse::parse(format!("data: {data}\r\n\r\n").as_bytes()).unwrap())
    }

    #[test]
    fn tells_lifecycle_from_content_and_what_finishes() {
        let table = [
            (
                r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"}}]}"#,
                EventKind::Content,
                false,
                false,
            ),
            (
                r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"s"}]},"finishReason":"STOP"}]}"#,
                EventKind::Lifecycle,
                true,
                false,
            ),
            (
                r#"{"candidates":[{"finishReason":"MAX_TOKENS"}]}"#,
                EventKind::Lifecycle,
                true,
                true,
            ),
            (
                r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#,
                EventKind::Lifecycle,
                true,
                true,
            ),
            (
                r#"{"usageMetadata":{"promptTokenCount":1}}"#,
                EventKind::Lifecycle,
                false,
                false,
            ),
            ("nonsense", EventKind::Quiet, false, false),
        ];
        for (data, step, finished, stopped) in table {
            let told = read(data);
            assert_eq!(
                (told.step, told.finished, told.stopped),
                (step, finished, stopped),
                "{data}"
            );
        }
        let call = read(
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}"#,
        );
        assert_eq!(
            (call.step, call.calls, call.finished),
            (EventKind::Content, true, true)
        );
    }

    #[test]
    fn counts_input_without_cache_and_thoughts_as_output() {
        let usage = read(
            r#"{"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":60,"toolUsePromptTokenCount":5,"candidatesTokenCount":7,"thoughtsTokenCount":3,"totalTokenCount":115}}"#,
        )
        .usage
        .unwrap();
        assert_eq!(
            (usage.input, usage.output, usage.cache_read),
            (Some(45), Some(10), Some(60))
        );
    }

    #[test]
    fn an_array_is_read_as_the_stream_that_it_is() {
        let told = read_answer(
            br#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":1}},
                 {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2}}]"#,
        );
        let usage = told.usage.unwrap();
        assert_eq!(
            (usage.input, usage.output, told.error),
            (Some(4), Some(2), None)
        );
        let failed =
            read_answer(br#"[{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}]"#);
        assert_eq!(failed.error.unwrap().status, 503);
    }

    #[test]
    fn an_error_has_the_status_that_it_tells() {
        for (data, expected) in [
            (
                r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#,
                503,
            ),
            (r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#, 429),
            (r#"{"error":{}}"#, 500),
        ] {
            let EventKind::Error(error) = read(data).step else {
                panic!("{data}");
            };
            assert_eq!(error.status, expected, "{data}");
        }
    }
}
