//! Whole answers of `OpenAI`'s Responses.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::ir::answer::{Answer, Call, End, Part, Proof, Reasoning, Usage};
use super::super::ir::json::Object;
use super::super::ir::request::Form;
use super::super::token_details::{self, InputDetails, OutputDetails};
use super::tools;

#[derive(Default, Deserialize)]
pub(super) struct Response {
    pub id: Option<String>,
    pub model: Option<String>,
    #[serde(default)]
    pub output: Vec<OutputItem>,
    status: Option<String>,
    incomplete_details: Option<IncompleteDetails>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct IncompleteDetails {
    reason: Option<String>,
}

/// An item, whole or as it opens in a stream.
#[derive(Default, Deserialize)]
pub(super) struct OutputItem {
    #[serde(rename = "type", default)]
    pub kind: String,
    id: Option<String>,
    pub call_id: Option<String>,
    pub name: Option<String>,
    pub arguments: Option<String>,
    content: Option<Vec<OutputContent>>,
    summary: Option<Vec<OutputContent>>,
    encrypted_content: Option<String>,
}

#[derive(Deserialize)]
struct OutputContent {
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct WireUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

impl From<WireUsage> for Usage {
    fn from(usage: WireUsage) -> Self {
        token_details::usage(
            (usage.input_tokens, usage.input_tokens_details),
            (usage.output_tokens, usage.output_tokens_details),
        )
    }
}

impl Response {
    pub fn usage(&self) -> Usage {
        self.usage.map(Usage::from).unwrap_or_default()
    }

    pub fn end(&self, calls: bool) -> End {
        let reason = self
            .incomplete_details
            .as_ref()
            .and_then(|details| details.reason.as_deref());
        match (self.status.as_deref(), reason) {
            (_, Some("content_filter")) => End::Refused,
            (_, Some(_)) | (Some("incomplete"), None) => End::Length,
            _ if calls => End::Calls,
            _ => End::Done,
        }
    }
}

impl OutputItem {
    /// The item's parts; none of what ran at the vendor's and of what is unheard of.
    pub fn into_parts(self) -> Vec<Part> {
        match self.kind.as_str() {
            "message" => {
                let texts = self.content.unwrap_or_default().into_iter();
                let texts = texts.filter_map(|part| part.text.or(part.refusal));
                texts
                    .filter(|text| !text.is_empty())
                    .map(Part::Text)
                    .collect()
            }
            "reasoning" => {
                let proof = self.proof();
                vec![Part::Reasoning(Reasoning {
                    text: self.thought(),
                    proof,
                })]
            }
            "function_call" => vec![Part::Call(Call {
                id: self.call_id.unwrap_or_default(),
                name: self.name.unwrap_or_default(),
                arguments: self.arguments.unwrap_or_default(),
            })],
            _ => Vec::new(),
        }
    }

    pub fn proof(&self) -> Proof {
        Proof {
            data: self.encrypted_content.clone(),
            id: self.id.clone(),
            redacted: false,
        }
    }

    /// The summary, or the reasoning itself where a provider tells that.
    fn thought(self) -> String {
        let text = |parts: Option<Vec<OutputContent>>| {
            let texts: Vec<String> = parts
                .unwrap_or_default()
                .into_iter()
                .filter_map(|part| part.text)
                .collect();
            texts.join("\n\n")
        };
        let summary = text(self.summary);
        if summary.is_empty() {
            text(self.content)
        } else {
            summary
        }
    }
}

/// Reads a whole answer.
///
/// # Errors
/// If the body is not what the dialect says.
pub fn read(body: &[u8]) -> Result<Answer, serde_json::Error> {
    serde_json::from_slice::<Response>(body).map(Answer::from)
}

impl From<Response> for Answer {
    fn from(mut response: Response) -> Self {
        let output = std::mem::take(&mut response.output);
        let parts: Vec<Part> = output
            .into_iter()
            .flat_map(OutputItem::into_parts)
            .collect();
        let calls = parts.iter().any(|part| matches!(part, Part::Call(_)));
        Self {
            end: response.end(calls),
            usage: response.usage(),
            id: response.id,
            model: response.model,
            parts,
        }
    }
}

/// What identifies an answer of tundra's own making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The middle part of every id.
    pub id: String,
    pub model: String,
    /// In seconds since 1970.
    pub created: u64,
}

impl Heading {
    /// The id of the item with that number, without its type.
    pub fn item(&self, number: u32) -> String {
        format!("tundra_{}_{number}", self.id)
    }
}

/// An answer's object; `end` is `None` while it goes on.
pub(super) fn object(
    heading: &Heading,
    output: Vec<&Object>,
    end: Option<&End>,
    usage: Option<&Usage>,
) -> Object {
    let (status, reason) = match end {
        None => ("in_progress", None),
        Some(End::Length) => ("incomplete", Some("max_output_tokens")),
        Some(End::Refused) => ("incomplete", Some("content_filter")),
        Some(End::Done | End::Calls | End::Stopped(_)) => ("completed", None),
    };
    let none: [(); 0] = [];
    Object::new()
        .with("id", format!("resp_tundra_{}", heading.id))
        .with("object", "response")
        .with("created_at", heading.created)
        .with("status", status)
        .with("background", false)
        .with("error", ())
        .with(
            "incomplete_details",
            reason.map(|reason| Object::new().with("reason", reason)),
        )
        .with("instructions", ())
        .with("max_output_tokens", ())
        .with("metadata", Object::new())
        .with("model", &heading.model)
        .with("output", output)
        .with("parallel_tool_calls", true)
        .with("previous_response_id", ())
        .with("store", false)
        .with("temperature", ())
        .with("tool_choice", "auto")
        .with("tools", none)
        .with("top_p", ())
        .with("truncation", "disabled")
        .with("usage", usage.map(write_usage))
}

fn write_usage(usage: &Usage) -> Object {
    let (input, output) = (usage.whole_input(), usage.output());
    Object::new()
        .with("input_tokens", input)
        .with("input_tokens_details", token_details::write_input(usage))
        .with("output_tokens", output)
        .with("output_tokens_details", token_details::write_output(usage))
        .with("total_tokens", input + output)
}

pub(super) fn text_part(text: &str) -> Object {
    let none: [(); 0] = [];
    Object::new()
        .with("type", "output_text")
        .with("text", text)
        .with("annotations", none)
        .with("logprobs", none)
}

pub(super) fn message_item(item_id: &str, text: Option<&str>, status: &str) -> Object {
    let content: Vec<Object> = text.map(text_part).into_iter().collect();
    Object::new()
        .with("id", format!("msg_{item_id}"))
        .with("type", "message")
        .with("status", status)
        .with("role", "assistant")
        .with("content", content)
}

pub(super) fn reasoning_item(
    item_id: &str,
    text: &str,
    data: Option<&str>,
    status: &str,
) -> Object {
    let summary = (!text.is_empty()).then(|| summary_part(text));
    Object::new()
        .with("id", format!("rs_{item_id}"))
        .with("type", "reasoning")
        .with("status", status)
        .with("summary", summary.into_iter().collect::<Vec<_>>())
        .with_some("encrypted_content", data)
}

pub(super) fn summary_part(text: &str) -> Object {
    Object::new()
        .with("type", "summary_text")
        .with("text", text)
}

/// Writes a whole answer; `forms` tell how the tools that it calls were declared.
pub fn write(answer: &Answer, heading: &Heading, forms: &BTreeMap<String, Form>) -> Object {
    let mut output = Vec::with_capacity(answer.parts.len());
    for (number, part) in (0..).zip(&answer.parts) {
        let item_id = heading.item(number);
        match part {
            Part::Text(text) if text.is_empty() => {}
            Part::Text(text) => output.push(message_item(&item_id, Some(text), "completed")),
            Part::Reasoning(Reasoning { text, proof }) => {
                if !text.is_empty() || proof.data.is_some() {
                    let data = proof.data.as_deref();
                    output.push(reasoning_item(&item_id, text, data, "completed"));
                }
            }
            Part::Call(call) => {
                let mut call = call.clone();
                if call.arguments.trim().is_empty() {
                    "{}".clone_into(&mut call.arguments);
                }
                output.push(tools::write_call(
                    &call,
                    forms.get(&call.name),
                    &item_id,
                    "completed",
                ));
            }
        }
    }
    object(
        heading,
        output.iter().collect(),
        Some(&answer.end),
        Some(&answer.usage),
    )
}
