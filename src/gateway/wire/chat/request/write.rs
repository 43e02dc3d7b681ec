//! Writes a request out of the common form.

use serde::Serialize;
use serde_json::Value;

use crate::gateway::wire::chat::answer::write_call;
use crate::gateway::wire::chat::details::of_proof;
use crate::gateway::wire::ir::answer::Part;
use crate::gateway::wire::ir::json::{Object, number};
use crate::gateway::wire::ir::request::{
    Choice, Content, Depth, Effort, Format, Item, Request, Source, Thinking, Tool, ToolResult,
};
use crate::gateway::wire::target::{Target, Unsayable};

/// A schema has a name here, which the others do not give it.
pub const SCHEMA_NAME: &str = "answer";

/// The most stop sequences that the vendor takes.
const MAX_STOPS: usize = 4;

/// What a result that is an error begins with.
pub const ERROR_PREFIX: &str = "Error: ";

/// Writes a request.
///
/// # Errors
/// If it holds what the dialect has no words for.
pub fn write(request: &Request, target: &Target) -> Result<Object, Unsayable> {
    if request.stop.len() > MAX_STOPS {
        return Err(Unsayable("stop".to_owned()));
    }
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(write_system(&request.system));
    }
    write_items(&request.items, &mut messages)?;
    let tools: Vec<Object> = request.tools.iter().map(write_tool).collect();
    let limit = target.clamp(request.max_output);
    let (old_limit, new_limit) = if target.is_local {
        (limit, None)
    } else {
        (None, limit)
    };
    let options = request
        .stream
        .then(|| Object::new().with("include_usage", true));
    Ok(Object::new()
        .with("model", target.model)
        .with("messages", messages)
        .with_some("tools", (!tools.is_empty()).then_some(tools))
        .with_some("tool_choice", request.choice_of_tools().map(write_choice))
        .with_some("parallel_tool_calls", request.parallel_calls())
        .with_some("max_tokens", old_limit)
        .with_some("max_completion_tokens", new_limit)
        .with_some("temperature", request.temperature.map(number))
        .with_some("top_p", request.top_p.map(number))
        .with_some("stop", (!request.stop.is_empty()).then_some(&request.stop))
        .with_some("response_format", request.format.as_ref().map(write_format))
        .with_some(
            "reasoning_effort",
            effort(request.thinking).filter(|_| target.takes_effort),
        )
        .with_some("verbosity", target.verbosity(request))
        .with_some("user", request.user.as_ref())
        .with_some(
            "prompt_cache_key",
            request.cache_key.as_ref().filter(|_| !target.is_local),
        )
        .with_some("stream", request.stream.then_some(true))
        .with_some("stream_options", options))
}

/// One text as it is, several as parts.
#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Text(&'a str),
    Parts(Vec<Object>),
}

impl<'a> Written<'a> {
    fn of(texts: &[&'a str]) -> Self {
        match texts {
            [] => Self::Text(""),
            [text] => Self::Text(text),
            texts => Self::Parts(texts.iter().map(|text| text_part(text)).collect()),
        }
    }
}

fn message(role: &str, content: Written<'_>) -> Object {
    Object::new().with("role", role).with("content", content)
}

fn write_system(texts: &[String]) -> Object {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    message("system", Written::of(&texts))
}

fn write_items(items: &[Item], messages: &mut Vec<Object>) -> Result<(), Unsayable> {
    // Results come right after their calls, so what has to follow them as the user's words waits.
    let mut attached = Vec::new();
    for item in items {
        if !matches!(item, Item::Result(_)) {
            flush(&mut attached, messages);
        }
        match item {
            Item::System(texts) => messages.push(write_system(texts)),
            Item::User(content) => messages.push(write_user(content)?),
            Item::Answer(parts) => messages.push(write_answer(parts)),
            Item::Result(result) => messages.push(write_result(result, &mut attached)?),
        }
    }
    flush(&mut attached, messages);
    Ok(())
}

fn flush(attached: &mut Vec<Object>, messages: &mut Vec<Object>) {
    if !attached.is_empty() {
        messages.push(message("user", Written::Parts(std::mem::take(attached))));
    }
}

fn text_part(text: &str) -> Object {
    Object::new().with("type", "text").with("text", text)
}

fn write_user(content: &[Content]) -> Result<Object, Unsayable> {
    if let [Content::Text(text)] = content {
        return Ok(message("user", Written::Text(text)));
    }
    let parts: Result<Vec<Object>, _> = content.iter().map(write_part).collect();
    Ok(message("user", Written::Parts(parts?)))
}

fn write_part(content: &Content) -> Result<Object, Unsayable> {
    Ok(match content {
        Content::Text(text) => text_part(text),
        Content::Image { source, detail } => {
            let image = Object::new()
                .with("url", url(source))
                .with_some("detail", detail.as_ref());
            Object::new()
                .with("type", "image_url")
                .with("image_url", image)
        }
        Content::Document {
            source: Source::Url(_),
            ..
        } => {
            return Err(Unsayable("document_url".to_owned()));
        }
        Content::Document { source, name } => {
            let name = name.as_deref().unwrap_or("document.pdf");
            let file = Object::new()
                .with("filename", name)
                .with("file_data", url(source));
            Object::new().with("type", "file").with("file", file)
        }
    })
}

fn write_answer(parts: &[Part]) -> Object {
    let (mut texts, mut calls, mut thoughts) = (Vec::new(), Vec::new(), Vec::new());
    let mut details = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => texts.push(text.as_str()),
            Part::Reasoning(reasoning) => {
                let text = reasoning.text.as_str();
                let proof = reasoning.proof.data.as_deref();
                details.extend(
                    proof
                        .and_then(|proof| of_proof(proof, text))
                        .into_iter()
                        .flatten(),
                );
                thoughts.push(text);
            }
            Part::Call(call) => calls.push(write_call(call)),
        }
    }
    let content = (!texts.is_empty() || calls.is_empty()).then(|| Written::of(&texts));
    thoughts.retain(|text| !text.is_empty());
    Object::new()
        .with("role", "assistant")
        .with("content", content)
        .with_some(
            "reasoning_content",
            (!thoughts.is_empty()).then(|| thoughts.join("\n\n")),
        )
        .with_some(
            "reasoning_details",
            (!details.is_empty()).then_some(details),
        )
        .with_some("tool_calls", (!calls.is_empty()).then_some(calls))
}

fn write_result(result: &ToolResult, attached: &mut Vec<Object>) -> Result<Object, Unsayable> {
    let mut texts = Vec::new();
    for content in &result.content {
        match content {
            Content::Text(text) => texts.push(text.as_str()),
            Content::Image { .. } | Content::Document { .. } => attached.push(write_part(content)?),
        }
    }
    let failed;
    if let Some(text) = error_text(result, &texts) {
        failed = text;
        if texts.is_empty() {
            texts.push(&failed);
        } else {
            texts[0] = &failed;
        }
    }
    let written = message("tool", Written::of(&texts));
    Ok(written.with("tool_call_id", &result.id))
}

/// The first text of a result that is an error, which says so.
pub fn error_text(result: &ToolResult, texts: &[&str]) -> Option<String> {
    let first = texts.first().copied().unwrap_or_default();
    (result.is_error && !first.starts_with(ERROR_PREFIX)).then(|| format!("{ERROR_PREFIX}{first}"))
}

fn write_tool(tool: &Tool) -> Object {
    let function = Object::new()
        .with("name", &tool.name)
        .with_some("description", tool.description.as_ref())
        .with_some("parameters", tool.parameters.as_ref())
        .with_some("strict", tool.strict);
    Object::new()
        .with("type", "function")
        .with("function", function)
}

fn write_choice(choice: &Choice) -> Value {
    match choice {
        Choice::Auto => "auto".into(),
        Choice::Any => "required".into(),
        Choice::None => "none".into(),
        Choice::Tool(name) => serde_json::json!({"type": "function", "function": {"name": name}}),
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
        } => {
            let schema = Object::new()
                .with("name", name.as_deref().unwrap_or(SCHEMA_NAME))
                .with_some("description", description.as_ref())
                .with("schema", schema)
                .with_some("strict", *strict);
            Object::new()
                .with("type", "json_schema")
                .with("json_schema", schema)
        }
    }
}

/// The word for it; `None` where the vendor's own default is as good as any.
pub fn effort(thinking: Option<Thinking>) -> Option<&'static str> {
    match thinking?.depth {
        Depth::Off | Depth::Adaptive => None,
        Depth::Effort(effort) => Some(effort.as_str()),
        Depth::Budget(tokens) => Some(Effort::of_budget(tokens).as_str()),
    }
}

/// The URL of an image or a document.
pub fn url(source: &Source) -> String {
    match source {
        Source::Inline { media_type, data } => format!("data:{media_type};base64,{data}"),
        Source::Url(url) => url.clone(),
    }
}
