//! Reads a request into the common form.

use std::collections::BTreeMap;

use serde_json::Value;

use super::body::{
    Body, Contents, File, Message, NamedChoice, ResponseFormat, Stop, ToolChoice, Wish,
};
use crate::gateway::wire::chat::answer::thought_in;
use crate::gateway::wire::chat::details::mark_in;
use crate::gateway::wire::ir::answer::{Call, Part, Proof, Reasoning};
use crate::gateway::wire::ir::json::Json;
use crate::gateway::wire::ir::request::{
    Choice, Content, Depth, Effort, Format, Item, Request, Source, Thinking, Tool, ToolResult,
};
use crate::gateway::wire::ir::unsaid::leave_out_rest;

/// Reads a request.
///
/// # Errors
/// If the body is not what the dialect says.
pub fn read(body: &[u8]) -> Result<Request, serde_json::Error> {
    let body: Body = serde_json::from_slice(body)?;
    let mut request = Request {
        model: body.model,
        stream: body.stream.unwrap_or_default(),
        include_usage: body
            .stream_options
            .is_some_and(|options| options.include_usage),
        max_output: body.max_completion_tokens.or(body.max_tokens),
        temperature: body.temperature,
        top_p: body.top_p,
        stop: match body.stop {
            None => Vec::new(),
            Some(Stop::One(stop)) => vec![stop],
            Some(Stop::Several(stops)) => stops,
        },
        parallel: body.parallel_tool_calls,
        thinking: (body.reasoning_effort.as_deref().and_then(thinking))
            .or_else(|| body.reasoning.and_then(Wish::thinking)),
        verbosity: body.verbosity,
        user: body.user.or(body.safety_identifier),
        cache_key: body.prompt_cache_key,
        ..Request::default()
    };
    if let Some(wanted) = body.response_format {
        read_format(wanted, &mut request);
    }
    note_rest(&body.rest, &mut request);
    for tool in body.tools.unwrap_or_default() {
        match tool.function {
            Some(function) if tool.kind == "function" => request.tools.push(Tool {
                name: function.name,
                description: function.description,
                parameters: function.parameters,
                strict: function.strict,
            }),
            // The caller's own: without it the model could not do what it is to do.
            _ if tool.kind == "custom" => request.demand("custom"),
            _ => request.leave_out(&tool.kind),
        }
    }
    for message in body.messages {
        read_message(message, &mut request);
    }
    if let Some(choice) = body.tool_choice {
        read_choice(choice, &mut request);
    }
    request.settle_choice();
    Ok(request)
}

/// Members that [`note_rest`] judges one by one.
const JUDGED: [&str; 8] = [
    "audio",
    "function_call",
    "functions",
    "logprobs",
    "modalities",
    "n",
    "top_logprobs",
    "web_search_options",
];

/// Names what the form has no place for.
fn note_rest(rest: &BTreeMap<String, Value>, request: &mut Request) {
    let is_set = |name: &str| rest.get(name).is_some_and(|value| !value.is_null());
    if rest.get("n").and_then(Value::as_u64).is_some_and(|n| n > 1) {
        request.demand("n");
    }
    let kinds = rest.get("modalities").and_then(Value::as_array);
    let mut kinds = kinds.into_iter().flatten().filter_map(Value::as_str);
    if let Some(kind) = kinds.find(|kind| *kind != "text") {
        request.demand(kind);
    } else if is_set("audio") {
        request.demand("audio");
    }
    if rest.get("logprobs").and_then(Value::as_bool) == Some(true) || is_set("top_logprobs") {
        request.demand("logprobs");
    }
    for name in ["functions", "function_call"] {
        if is_set(name) {
            request.demand(name);
        }
    }
    if is_set("web_search_options") {
        request.leave_out("web_search");
    }
    leave_out_rest(rest, &JUDGED, request);
}

fn read_format(format: ResponseFormat, request: &mut Request) {
    let schema = format.json_schema.and_then(|named| {
        let schema = named.schema.or_else(|| Json::parse("{}"))?;
        Some(Format::Schema {
            name: named.name,
            description: named.description,
            schema,
            strict: named.strict,
        })
    });
    want(&format.kind, schema, request);
}

/// What form of answer is wanted, in both of this vendor's dialects; `schema` where it tells one.
pub fn want(kind: &str, schema: Option<Format>, request: &mut Request) {
    request.format = match (kind, schema) {
        ("text", _) => None,
        ("json_object", _) => Some(Format::Json),
        ("json_schema", Some(schema)) => Some(schema),
        (kind, _) => return request.demand(kind),
    };
}

/// What a choice's word says, in both of this vendor's dialects.
pub fn choice(word: &str) -> Choice {
    match word {
        "none" => Choice::None,
        "required" | "any" => Choice::Any,
        _ => Choice::Auto,
    }
}

impl Wish {
    fn thinking(self) -> Option<Thinking> {
        let depth = match (self.enabled, self.max_tokens, self.effort.as_deref()) {
            (Some(false), ..) => Depth::Off,
            (_, Some(tokens), _) => Depth::Budget(tokens),
            (_, None, Some(word)) => return thinking(word),
            (Some(true), None, None) => Depth::Adaptive,
            (None, None, None) => return None,
        };
        Some(Thinking { depth, told: false })
    }
}

/// What an effort's word asks for, in both of this vendor's dialects.
pub fn thinking(word: &str) -> Option<Thinking> {
    let depth = if word == "none" {
        Depth::Off
    } else {
        Depth::Effort(Effort::parse(word)?)
    };
    Some(Thinking { depth, told: false })
}

fn read_message(message: Message, request: &mut Request) {
    if message.name.is_some() && message.role != "tool" {
        request.leave_out("name");
    }
    match message.role.as_str() {
        "system" | "developer" => {
            let content = read_content(message.content, request);
            let texts = request.texts_of(content);
            request.instruct(texts);
        }
        "assistant" => read_answer(message, request),
        "tool" => {
            let content = read_content(message.content, request);
            request.items.push(Item::Result(ToolResult {
                id: message.tool_call_id.unwrap_or_default(),
                content,
                is_error: false,
            }));
        }
        "function" => request.demand("functions"),
        _ => {
            let content = read_content(message.content, request);
            if !content.is_empty() {
                request.items.push(Item::User(content));
            }
        }
    }
}

fn read_answer(message: Message, request: &mut Request) {
    if message.audio.is_some_and(|audio| !audio.is_null()) {
        request.demand("audio");
    }
    if message.function_call.is_some_and(|call| !call.is_null()) {
        request.demand("functions");
    }
    let mut parts = Vec::new();
    let details = message.reasoning_details.unwrap_or_default();
    let text = thought_in(
        message.reasoning_content,
        message.reasoning.as_ref(),
        &details,
    );
    let mark = mark_in(&details);
    if text.is_some() || mark.is_some() {
        parts.push(Part::Reasoning(Reasoning {
            text: text.unwrap_or_default(),
            proof: Proof {
                data: mark,
                ..Proof::default()
            },
        }));
    }
    let content = read_content(message.content, request);
    parts.extend(request.texts_of(content).into_iter().map(Part::Text));
    parts.extend(message.refusal.map(Part::Text));
    for call in message.tool_calls.unwrap_or_default() {
        if let Some(function) = call.function {
            parts.push(Part::Call(Call {
                id: call.id,
                name: function.name,
                arguments: function.arguments.unwrap_or_default(),
            }));
        } else {
            request.demand("custom");
        }
    }
    request.say(parts);
}

fn read_content(content: Option<Contents>, request: &mut Request) -> Vec<Content> {
    let parts = match content {
        None => return Vec::new(),
        Some(Contents::Text(text)) => return vec![Content::Text(text)],
        Some(Contents::Parts(parts)) => parts,
    };
    let mut content = Vec::new();
    for part in parts {
        match (part.kind.as_str(), part.image_url, part.file) {
            ("text", ..) => content.push(Content::Text(part.text.unwrap_or_default())),
            ("refusal", ..) => content.push(Content::Text(part.refusal.unwrap_or_default())),
            ("image_url", Some(image), _) => content.push(Content::Image {
                source: source(&image.url),
                detail: image.detail,
            }),
            (
                "file",
                _,
                Some(File {
                    filename,
                    file_data: Some(data),
                }),
            ) => {
                content.push(Content::Document {
                    source: document(&data),
                    name: filename,
                });
            }
            ("file", ..) => request.demand("file_id"),
            ("input_audio", ..) => request.demand("audio"),
            (kind, ..) => request.demand(kind),
        }
    }
    content
}

/// What a URL points to, which may be the data itself (RFC 2397).
pub fn source(url: &str) -> Source {
    let inline = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(";base64,"));
    match inline {
        Some((media_type, data)) => Source::Inline {
            media_type: media_type.split(';').next().unwrap_or_default().to_owned(),
            data: data.to_owned(),
        },
        None => Source::Url(url.to_owned()),
    }
}

/// A file's data, which some callers give without saying of what kind it is.
pub fn document(data: &str) -> Source {
    match source(data) {
        Source::Url(data) if !data.starts_with("http") => Source::Inline {
            media_type: "application/pdf".to_owned(),
            data,
        },
        source => source,
    }
}

fn read_choice(wanted: ToolChoice, request: &mut Request) {
    request.choice = Some(match wanted {
        ToolChoice::Word(word) => choice(&word),
        ToolChoice::Named(NamedChoice {
            function: Some(function),
            ..
        }) => Choice::Tool(function.name),
        ToolChoice::Named(NamedChoice {
            allowed_tools: Some(allowed),
            ..
        }) => {
            let names: Vec<String> = allowed
                .tools
                .into_iter()
                .filter_map(|tool| Some(tool.function?.name))
                .collect();
            request.tools.retain(|tool| names.contains(&tool.name));
            choice(allowed.mode.as_deref().unwrap_or("auto"))
        }
        ToolChoice::Named(NamedChoice { kind, .. }) => Choice::Tool(kind),
    });
}
