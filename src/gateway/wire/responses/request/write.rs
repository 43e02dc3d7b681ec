//! Writes a request out of the common form.

use serde::Serialize;
use serde_json::{Value, json};

use crate::gateway::wire::chat::request::{SCHEMA_NAME, effort, error_text, url};
use crate::gateway::wire::ir::answer::{Part, Reasoning};
use crate::gateway::wire::ir::json::{Object, number};
use crate::gateway::wire::ir::request::{
    Choice, Content, Depth, Format, Item, Request, Source, ToolResult,
};
use crate::gateway::wire::responses::tools::{self};
use crate::gateway::wire::target::{Target, Unsayable};

/// The least output that the vendor takes a limit for.
const MIN_OUTPUT: u64 = 16;

/// Writes a request.
///
/// # Errors
/// If it holds what the dialect has no words for.
pub fn write(request: &Request, target: &Target) -> Result<Object, Unsayable> {
    if !request.stop.is_empty() {
        return Err(Unsayable("stop".to_owned()));
    }
    let mut input = Vec::new();
    for item in &request.items {
        write_item(item, &mut input);
    }
    let tools: Vec<Object> = request.tools.iter().map(tools::write).collect();
    let limit = target
        .clamp(request.max_output)
        .map(|limit| limit.max(MIN_OUTPUT));
    let effort = effort(request.thinking).filter(|_| target.takes_effort);
    let told = request
        .thinking
        .is_some_and(|thinking| thinking.told && thinking.depth != Depth::Off);
    let told = told && target.takes_effort;
    let reasoning = (effort.is_some() || told).then(|| {
        Object::new()
            .with_some("effort", effort)
            .with_some("summary", told.then_some("auto"))
    });
    // Reasoning that is not kept at the vendor's comes back only if it is asked for.
    let include = reasoning
        .is_some()
        .then_some(["reasoning.encrypted_content"]);
    let system = (!request.system.is_empty()).then(|| request.system.join("\n\n"));
    let format = request.format.as_ref().map(write_format);
    let verbosity = target.verbosity(request);
    let text = (format.is_some() || verbosity.is_some()).then(|| {
        Object::new()
            .with_some("format", format)
            .with_some("verbosity", verbosity)
    });
    Ok(Object::new()
        .with("model", target.model)
        .with_some("instructions", system)
        .with("input", input)
        .with_some("tools", (!tools.is_empty()).then_some(tools))
        .with_some("tool_choice", request.choice_of_tools().map(write_choice))
        .with_some("parallel_tool_calls", request.parallel_calls())
        .with_some("max_output_tokens", limit)
        .with_some("temperature", request.temperature.map(number))
        .with_some("top_p", request.top_p.map(number))
        .with_some("text", text)
        .with_some("reasoning", reasoning)
        .with_some("include", include)
        .with_some("user", request.user.as_ref())
        .with_some("prompt_cache_key", request.cache_key.as_ref())
        .with("store", false)
        .with_some("stream", request.stream.then_some(true)))
}

fn write_item(item: &Item, input: &mut Vec<Object>) {
    match item {
        Item::System(texts) => {
            let content = texts.iter().map(|text| text_part("input_text", text));
            input.push(message("developer", content.collect()));
        }
        Item::User(content) => {
            input.push(message("user", content.iter().map(write_content).collect()));
        }
        Item::Answer(parts) => {
            for part in parts {
                write_part(part, input);
            }
        }
        Item::Result(result) => input.push(write_result(result)),
    }
}

fn message(role: &str, content: Vec<Object>) -> Object {
    Object::new()
        .with("type", "message")
        .with("role", role)
        .with("content", content)
}

fn text_part(kind: &str, text: &str) -> Object {
    Object::new().with("type", kind).with("text", text)
}

fn write_content(content: &Content) -> Object {
    match content {
        Content::Text(text) => text_part("input_text", text),
        Content::Image { source, detail } => Object::new()
            .with("type", "input_image")
            .with("image_url", url(source))
            .with("detail", detail.as_deref().unwrap_or("auto")),
        Content::Document {
            source: Source::Url(url),
            ..
        } => Object::new()
            .with("type", "input_file")
            .with("file_url", url),
        Content::Document { source, name } => Object::new()
            .with("type", "input_file")
            .with("filename", name.as_deref().unwrap_or("document.pdf"))
            .with("file_data", url(source)),
    }
}

fn write_part(part: &Part, input: &mut Vec<Object>) {
    match part {
        Part::Text(text) => input.push(message("assistant", vec![text_part("output_text", text)])),
        Part::Reasoning(Reasoning { text, proof }) => {
            let summary = (!text.is_empty()).then(|| text_part("summary_text", text));
            input.push(
                Object::new()
                    .with("type", "reasoning")
                    .with_some("id", proof.id.as_ref())
                    .with("summary", summary.into_iter().collect::<Vec<_>>())
                    .with_some("encrypted_content", proof.data.as_ref()),
            );
        }
        Part::Call(call) => {
            let arguments = if call.arguments.trim().is_empty() {
                "{}"
            } else {
                &call.arguments
            };
            input.push(
                Object::new()
                    .with("type", "function_call")
                    .with("call_id", &call.id)
                    .with("name", &call.name)
                    .with("arguments", arguments),
            );
        }
    }
}

/// A text as it is, anything else as parts.
#[derive(Serialize)]
#[serde(untagged)]
enum Output<'a> {
    Text(&'a str),
    Parts(Vec<Object>),
}

fn write_result(result: &ToolResult) -> Object {
    let texts: Vec<&str> = result
        .content
        .iter()
        .filter_map(|content| match content {
            Content::Text(text) => Some(text.as_str()),
            Content::Image { .. } | Content::Document { .. } => None,
        })
        .collect();
    let failed = error_text(result, &texts);
    let output = match (texts.as_slice(), result.content.len()) {
        ([], 0) => Output::Text(failed.as_deref().unwrap_or_default()),
        ([text], 1) => Output::Text(failed.as_deref().unwrap_or(text)),
        _ => {
            let mut failed = failed.as_deref();
            let mut parts = Vec::with_capacity(result.content.len() + 1);
            for content in &result.content {
                parts.push(match (content, failed) {
                    (Content::Text(_), Some(text)) => {
                        failed = None;
                        text_part("input_text", text)
                    }
                    _ => write_content(content),
                });
            }
            if let Some(text) = failed {
                parts.insert(0, text_part("input_text", text));
            }
            Output::Parts(parts)
        }
    };
    Object::new()
        .with("type", "function_call_output")
        .with("call_id", &result.id)
        .with("output", output)
}

fn write_choice(choice: &Choice) -> Value {
    match choice {
        Choice::Auto => "auto".into(),
        Choice::Any => "required".into(),
        Choice::None => "none".into(),
        Choice::Tool(name) => json!({"type": "function", "name": name}),
    }
}

fn write_format(format: &Format) -> Object {
    match format {
        Format::Json => Object::new().with("type", "json_object"),
        Format::Schema {
            name,
            description,
            schema,
            strict,
        } => Object::new()
            .with("type", "json_schema")
            .with("name", name.as_deref().unwrap_or(SCHEMA_NAME))
            .with_some("description", description.as_ref())
            .with("schema", schema)
            .with_some("strict", *strict),
    }
}
