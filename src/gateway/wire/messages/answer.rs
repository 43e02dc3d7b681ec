//! Whole answers of Anthropic's Messages.

use serde::Deserialize;

use super::super::ir::answer::{Answer, Call, End, Part, Proof, Reasoning, Usage};
use super::super::ir::json::{Json, Object};
use super::request::arguments;

#[derive(Deserialize)]
pub(super) struct Message {
    id: Option<String>,
    model: Option<String>,
    #[serde(default)]
    content: Vec<Block>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    usage: Option<WireUsage>,
}

/// A content block, whole or as it opens in a stream.
#[derive(Default, Deserialize)]
pub(super) struct Block {
    #[serde(rename = "type", default)]
    pub kind: String,
    pub text: Option<String>,
    pub thinking: Option<String>,
    pub signature: Option<String>,
    pub data: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub input: Option<Json>,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct WireUsage {
    #[serde(rename = "input_tokens")]
    input: Option<u64>,
    #[serde(rename = "output_tokens")]
    output: Option<u64>,
    #[serde(rename = "cache_read_input_tokens")]
    cache_read: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens")]
    cache_write: Option<u64>,
}

impl From<WireUsage> for Usage {
    fn from(usage: WireUsage) -> Self {
        Self {
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
            reasoning: None,
        }
    }
}

impl From<Message> for Answer {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            model: message.model,
            parts: message
                .content
                .into_iter()
                .filter_map(Block::into_part)
                .collect(),
            end: message
                .stop_reason
                .map_or(End::Done, |reason| end(&reason, message.stop_sequence)),
            usage: message.usage.map(Usage::from).unwrap_or_default(),
        }
    }
}

impl Block {
    /// `None` for what has no place in the form: tools that ran at the vendor's, and what is unheard of.
    pub fn into_part(self) -> Option<Part> {
        match self.kind.as_str() {
            "text" => Some(Part::Text(self.text.unwrap_or_default())),
            "thinking" => Some(Part::Reasoning(Reasoning {
                text: self.thinking.unwrap_or_default(),
                proof: Proof {
                    data: self.signature.filter(|signature| !signature.is_empty()),
                    ..Proof::default()
                },
            })),
            "redacted_thinking" => Some(Part::Reasoning(Reasoning {
                text: String::new(),
                proof: Proof {
                    data: self.data,
                    redacted: true,
                    ..Proof::default()
                },
            })),
            "tool_use" => Some(Part::Call(Call {
                id: self.id.unwrap_or_default(),
                name: self.name.unwrap_or_default(),
                arguments: self
                    .input
                    .map_or_else(|| "{}".to_owned(), |input| input.text().to_owned()),
            })),
            _ => None,
        }
    }
}

/// Reads a whole answer.
///
/// # Errors
/// If the body is not what the dialect says.
pub fn read(body: &[u8]) -> Result<Answer, serde_json::Error> {
    serde_json::from_slice::<Message>(body).map(Answer::from)
}

pub(super) fn end(reason: &str, sequence: Option<String>) -> End {
    match reason {
        "tool_use" => End::Calls,
        "max_tokens" | "model_context_window_exceeded" => End::Length,
        "refusal" => End::Refused,
        "stop_sequence" => End::Stopped(sequence),
        _ => End::Done,
    }
}

/// The stop reason and the sequence beside it; `calls` tells whether tools were called.
pub(super) fn stop(end: &End, calls: bool) -> (&'static str, Option<&str>) {
    match end {
        End::Done | End::Calls if calls => ("tool_use", None),
        End::Stopped(Some(sequence)) => ("stop_sequence", Some(sequence)),
        // Whoever is told of calls waits for their results, so there must be some.
        End::Done | End::Calls | End::Stopped(None) => ("end_turn", None),
        End::Length => ("max_tokens", None),
        End::Refused => ("refusal", None),
    }
}

pub(super) fn write_usage(usage: &Usage) -> Object {
    Object::new()
        .with("input_tokens", usage.input.unwrap_or_default())
        .with(
            "cache_creation_input_tokens",
            usage.cache_write.unwrap_or_default(),
        )
        .with(
            "cache_read_input_tokens",
            usage.cache_read.unwrap_or_default(),
        )
        .with("output_tokens", usage.output())
}

/// Writes a whole answer.
///
/// # Errors
/// If a call's arguments are no JSON object, which this dialect has no way to pass on.
pub fn write(answer: &Answer, id: &str) -> Result<Object, BadArguments> {
    let mut content = Vec::with_capacity(answer.parts.len());
    for part in &answer.parts {
        content.extend(write_part(part)?);
    }
    let calls = answer
        .parts
        .iter()
        .any(|part| matches!(part, Part::Call(_)));
    let (reason, sequence) = stop(&answer.end, calls);
    Ok(Object::new()
        .with("id", format!("msg_{id}"))
        .with("type", "message")
        .with("role", "assistant")
        .with("model", &answer.model)
        .with("content", content)
        .with("stop_reason", reason)
        .with("stop_sequence", sequence)
        .with("usage", write_usage(&answer.usage)))
}

fn write_part(part: &Part) -> Result<Option<Object>, BadArguments> {
    Ok(match part {
        Part::Text(text) if text.is_empty() => None,
        Part::Text(text) => Some(Object::new().with("type", "text").with("text", text)),
        Part::Reasoning(Reasoning { text, proof }) => match &proof.data {
            None if text.is_empty() => None,
            Some(data) if text.is_empty() => Some(
                Object::new()
                    .with("type", "redacted_thinking")
                    .with("data", data),
            ),
            signature => {
                let block = Object::new()
                    .with("type", "thinking")
                    .with("thinking", text);
                Some(block.with("signature", signature.as_deref().unwrap_or_default()))
            }
        },
        Part::Call(call) => {
            let input = arguments(&call.arguments).ok_or(BadArguments)?;
            Some(
                Object::new()
                    .with("type", "tool_use")
                    .with("id", &call.id)
                    .with("name", &call.name)
                    .with("input", input),
            )
        }
    })
}

/// A model wrote a tool's arguments that are no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the arguments of a tool's call are no JSON object")]
pub struct BadArguments;
