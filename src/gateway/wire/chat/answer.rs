//! Whole answers of `OpenAI`'s Chat Completions, and what providers add to them for reasoning.

use serde::Deserialize;

use super::super::ir::answer::{Answer, Call, End, Part, Proof, Reasoning, Usage};
use super::super::ir::json::{Json, Object};
use super::super::token_details::{self, InputDetails, OutputDetails};
use super::details::{Detail, Details, MARK_KIND};

#[derive(Deserialize)]
struct Completion {
    id: Option<String>,
    model: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Option<Message>,
    finish_reason: Option<String>,
}

/// A message, whole or a stream's piece of one.
#[derive(Default, Deserialize)]
pub(super) struct Message {
    pub content: Option<Json>,
    pub refusal: Option<String>,
    pub reasoning_content: Option<String>,
    pub reasoning: Option<Json>,
    pub reasoning_details: Option<Vec<Detail>>,
    pub tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
pub(super) struct ToolCall {
    pub index: Option<u32>,
    pub id: Option<String>,
    pub function: Option<Function>,
}

#[derive(Default, Deserialize)]
pub(super) struct Function {
    pub name: Option<String>,
    /// A text; an object from servers that did not read the documentation.
    pub arguments: Option<Json>,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
}

impl From<WireUsage> for Usage {
    fn from(usage: WireUsage) -> Self {
        token_details::usage(
            (usage.prompt_tokens, usage.prompt_tokens_details),
            (usage.completion_tokens, usage.completion_tokens_details),
        )
    }
}

impl Message {
    /// What was thought, however the provider spells it, and the details that came along.
    pub fn thought(&mut self) -> (Option<String>, Vec<Detail>) {
        let details = self.reasoning_details.take().unwrap_or_default();
        let text = thought_in(
            self.reasoning_content.take(),
            self.reasoning.take().as_ref(),
            &details,
        );
        (text, details)
    }

    /// What was said, and what was refused, which is said too.
    pub fn said(&mut self) -> Option<String> {
        let content = self.content.take().and_then(|content| text_of(&content));
        let text = content
            .into_iter()
            .chain(self.refusal.take())
            .collect::<String>();
        (!text.is_empty()).then_some(text)
    }
}

impl Function {
    /// The arguments' text.
    pub fn arguments(&mut self) -> String {
        let Some(arguments) = self.arguments.take() else {
            return String::new();
        };
        match arguments.text() {
            "null" => String::new(),
            text => arguments.as_string().unwrap_or_else(|| text.to_owned()),
        }
    }
}

/// A content's text; some providers give it in parts.
fn text_of(content: &Json) -> Option<String> {
    #[derive(Deserialize)]
    struct TextPart {
        text: Option<String>,
    }
    content.as_string().or_else(|| {
        let parts: Vec<TextPart> = serde_json::from_str(content.text()).ok()?;
        Some(parts.into_iter().filter_map(|part| part.text).collect())
    })
}

/// Reasoning is told under one of three names, or under several at once; it counts once.
pub fn thought_in(
    content: Option<String>,
    reasoning: Option<&Json>,
    details: &[Detail],
) -> Option<String> {
    let filled = |text: &String| !text.is_empty();
    content
        .filter(filled)
        .or_else(|| reasoning.and_then(Json::as_string).filter(filled))
        .or_else(|| {
            let texts = details
                .iter()
                .filter_map(|detail| detail.text.as_deref().or(detail.summary.as_deref()));
            Some(texts.collect::<String>()).filter(filled)
        })
}

/// Reads a whole answer.
///
/// # Errors
/// If the body is not what the dialect says.
pub fn read(body: &[u8]) -> Result<Answer, serde_json::Error> {
    let completion: Completion = serde_json::from_slice(body)?;
    let mut parts = Vec::new();
    let choice = completion.choices.into_iter().next();
    let (message, reason) = choice.map_or((None, None), |choice| {
        (choice.message, choice.finish_reason)
    });
    if let Some(mut message) = message {
        let (text, pieces) = message.thought();
        let text = text.unwrap_or_default();
        let mut details = Details::default();
        details.add(pieces);
        let data = details.proof(&text);
        if !text.is_empty() || data.is_some() {
            let proof = Proof {
                data,
                ..Proof::default()
            };
            parts.push(Part::Reasoning(Reasoning { text, proof }));
        }
        parts.extend(message.said().map(Part::Text));
        for call in message.tool_calls.unwrap_or_default() {
            let mut function = call.function.unwrap_or_default();
            parts.push(Part::Call(Call {
                id: call.id.unwrap_or_default(),
                arguments: function.arguments(),
                name: function.name.unwrap_or_default(),
            }));
        }
    }
    let calls = parts.iter().any(|part| matches!(part, Part::Call(_)));
    Ok(Answer {
        id: completion.id,
        model: completion.model,
        parts,
        end: end(reason.as_deref().unwrap_or_default(), calls),
        usage: completion.usage.map(Usage::from).unwrap_or_default(),
    })
}

pub(super) fn end(reason: &str, calls: bool) -> End {
    match reason {
        "tool_calls" | "function_call" => End::Calls,
        "length" => End::Length,
        "content_filter" => End::Refused,
        _ if calls => End::Calls,
        _ => End::Done,
    }
}

pub(super) fn finish_reason(end: &End, calls: bool) -> &'static str {
    match end {
        End::Done | End::Calls if calls => "tool_calls",
        // Whoever is told of calls waits for their results, so there must be some.
        End::Done | End::Calls | End::Stopped(_) => "stop",
        End::Length => "length",
        End::Refused => "content_filter",
    }
}

pub(super) fn write_usage(usage: &Usage) -> Object {
    let (input, output) = (usage.whole_input(), usage.output());
    Object::new()
        .with("prompt_tokens", input)
        .with("completion_tokens", output)
        .with("total_tokens", input + output)
        .with("prompt_tokens_details", token_details::write_input(usage))
        .with(
            "completion_tokens_details",
            token_details::write_output(usage),
        )
}

/// The detail that marks reasoning.
pub(super) fn mark_detail(data: &str) -> Vec<Object> {
    vec![
        Object::new()
            .with("type", MARK_KIND)
            .with("data", data)
            .with("index", 0),
    ]
}

pub(super) fn write_call(call: &Call) -> Object {
    let arguments = if call.arguments.trim().is_empty() {
        "{}"
    } else {
        &call.arguments
    };
    let function = Object::new()
        .with("name", &call.name)
        .with("arguments", arguments);
    Object::new()
        .with("id", &call.id)
        .with("type", "function")
        .with("function", function)
}

/// Writes a whole answer, `created` in seconds since 1970.
pub fn write(answer: &Answer, id: &str, created: u64) -> Object {
    let (mut text, mut thought, mut mark) = (String::new(), String::new(), None);
    let mut calls = Vec::new();
    for part in &answer.parts {
        match part {
            Part::Text(said) => text.push_str(said),
            Part::Reasoning(reasoning) => {
                if !thought.is_empty() && !reasoning.text.is_empty() {
                    thought.push_str("\n\n");
                }
                thought.push_str(&reasoning.text);
                mark = reasoning.proof.data.as_deref().or(mark);
            }
            Part::Call(call) => calls.push(write_call(call)),
        }
    }
    let reason = finish_reason(&answer.end, !calls.is_empty());
    let message = Object::new()
        .with("role", "assistant")
        .with(
            "content",
            (!text.is_empty() || calls.is_empty()).then_some(text),
        )
        .with("refusal", ())
        .with_some(
            "reasoning_content",
            (!thought.is_empty()).then_some(thought),
        )
        .with_some("reasoning_details", mark.map(mark_detail))
        .with_some("tool_calls", (!calls.is_empty()).then_some(calls));
    let choice = Object::new()
        .with("index", 0)
        .with("message", message)
        .with("logprobs", ())
        .with("finish_reason", reason);
    Object::new()
        .with("id", format!("chatcmpl-{id}"))
        .with("object", "chat.completion")
        .with("created", created)
        .with("model", &answer.model)
        .with("choices", [choice])
        .with("usage", write_usage(&answer.usage))
}
