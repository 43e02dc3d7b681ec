//! Requests of `OpenAI`'s Chat Completions, into the common form and out of it
//! (platform.openai.com/docs/api-reference/chat/create).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::ir::answer::{Call, Part, Proof, Reasoning};
use super::super::ir::json::{Json, Object, number};
use super::super::ir::request::{
    Choice, Content, Depth, Effort, Format, Item, Request, Source, Thinking, Tool, ToolResult,
};
use super::super::target::{Target, Unsayable};
use super::answer::{Detail, mark_in, thought_in, write_call};

/// What a result that is an error begins with.
pub const ERROR_PREFIX: &str = "Error: ";
/// A schema has a name here, which the others do not give it.
pub const SCHEMA_NAME: &str = "answer";

#[derive(Deserialize)]
struct Body {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_completion_tokens: Option<u64>,
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    stop: Option<Stop>,
    tools: Option<Vec<ToolDefinition>>,
    tool_choice: Option<ToolChoice>,
    parallel_tool_calls: Option<bool>,
    response_format: Option<ResponseFormat>,
    reasoning_effort: Option<String>,
    user: Option<String>,
    safety_identifier: Option<String>,
    prompt_cache_key: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Option<Contents>,
    refusal: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
    tool_call_id: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<Json>,
    reasoning_details: Option<Vec<Detail>>,
    audio: Option<Value>,
    function_call: Option<Value>,
}

/// A text, or parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Contents {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Default, Deserialize)]
struct ContentPart {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    refusal: Option<String>,
    image_url: Option<ImageUrl>,
    file: Option<File>,
}

#[derive(Deserialize)]
struct ImageUrl {
    url: String,
    detail: Option<String>,
}

#[derive(Deserialize)]
struct File {
    filename: Option<String>,
    file_data: Option<String>,
}

#[derive(Deserialize)]
struct ToolCall {
    #[serde(default)]
    id: String,
    function: Option<FunctionCall>,
}

#[derive(Deserialize)]
struct FunctionCall {
    name: String,
    #[serde(default)]
    arguments: String,
}

#[derive(Deserialize)]
struct ToolDefinition {
    #[serde(rename = "type")]
    kind: String,
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    description: Option<String>,
    parameters: Option<Json>,
    strict: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ToolChoice {
    Word(String),
    Named(NamedChoice),
}

#[derive(Deserialize)]
struct NamedChoice {
    #[serde(rename = "type")]
    kind: String,
    function: Option<FunctionName>,
    allowed_tools: Option<AllowedTools>,
}

#[derive(Deserialize)]
struct FunctionName {
    name: String,
}

#[derive(Deserialize)]
struct AllowedTools {
    mode: Option<String>,
    #[serde(default)]
    tools: Vec<AllowedTool>,
}

#[derive(Deserialize)]
struct AllowedTool {
    function: Option<FunctionName>,
}

#[derive(Deserialize)]
struct ResponseFormat {
    #[serde(rename = "type")]
    kind: String,
    json_schema: Option<JsonSchema>,
}

#[derive(Deserialize)]
struct JsonSchema {
    name: Option<String>,
    schema: Option<Json>,
    strict: Option<bool>,
}

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
        format: body.response_format.and_then(format),
        thinking: body.reasoning_effort.as_deref().and_then(thinking),
        user: body.user.or(body.safety_identifier),
        cache_key: body.prompt_cache_key,
        ..Request::default()
    };
    note_rest(&body.rest, &mut request);
    for tool in body.tools.unwrap_or_default() {
        match tool.function {
            Some(function) if tool.kind == "function" => request.tools.push(Tool {
                name: function.name,
                description: function.description,
                parameters: function.parameters,
                strict: function.strict,
            }),
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

/// Names what the form has no place for.
fn note_rest(rest: &BTreeMap<String, Value>, request: &mut Request) {
    let is_set = |name: &str| rest.get(name).is_some_and(|value| !value.is_null());
    if rest.get("n").and_then(Value::as_u64).is_some_and(|n| n > 1) {
        request.demand("n");
    }
    let speaks = rest
        .get("modalities")
        .and_then(Value::as_array)
        .is_some_and(|kinds| kinds.iter().any(|kind| kind == "audio"));
    if speaks || is_set("audio") {
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
    for name in [
        "seed",
        "logit_bias",
        "frequency_penalty",
        "presence_penalty",
    ] {
        let says_nothing = rest.get(name).is_none_or(|value| {
            value.as_f64() == Some(0.0) || value.as_object().is_some_and(serde_json::Map::is_empty)
        });
        if is_set(name) && !(says_nothing && name != "seed") {
            request.leave_out(name);
        }
    }
    if is_set("web_search_options") {
        request.leave_out("web_search");
    }
}

fn format(format: ResponseFormat) -> Option<Format> {
    match (format.kind.as_str(), format.json_schema) {
        ("json_object", _) => Some(Format::Json),
        ("json_schema", Some(schema)) => Some(Format::Schema {
            name: schema.name,
            schema: schema.schema.or_else(|| Json::parse("{}"))?,
            strict: schema.strict,
        }),
        _ => None,
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

/// The word for it; `None` where the vendor's own default is as good as any.
pub fn effort(thinking: Option<Thinking>) -> Option<&'static str> {
    match thinking?.depth {
        Depth::Off | Depth::Adaptive => None,
        Depth::Effort(effort) => Some(effort.as_str()),
        Depth::Budget(tokens) => Some(Effort::of_budget(tokens).as_str()),
    }
}

fn read_message(message: Message, request: &mut Request) {
    match message.role.as_str() {
        "system" | "developer" => {
            let content = read_content(message.content, request);
            let texts = content.into_iter().filter_map(|content| match content {
                Content::Text(text) => Some(text),
                Content::Image { .. } | Content::Document { .. } => None,
            });
            request.instruct(texts.collect());
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
    for content in read_content(message.content, request) {
        if let Content::Text(text) = content {
            parts.push(Part::Text(text));
        }
    }
    parts.extend(message.refusal.map(Part::Text));
    for call in message.tool_calls.unwrap_or_default() {
        if let Some(function) = call.function {
            parts.push(Part::Call(Call {
                id: call.id,
                name: function.name,
                arguments: function.arguments,
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

/// The URL of an image or a document.
pub fn url(source: &Source) -> String {
    match source {
        Source::Inline { media_type, data } => format!("data:{media_type};base64,{data}"),
        Source::Url(url) => url.clone(),
    }
}

fn read_choice(choice: ToolChoice, request: &mut Request) {
    let word = |word: &str| match word {
        "none" => Choice::None,
        "required" | "any" => Choice::Any,
        _ => Choice::Auto,
    };
    request.choice = Some(match choice {
        ToolChoice::Word(name) => word(&name),
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
            word(allowed.mode.as_deref().unwrap_or("auto"))
        }
        ToolChoice::Named(NamedChoice { kind, .. }) => Choice::Tool(kind),
    });
}

/// Writes a request.
///
/// # Errors
/// If it holds what the dialect has no words for.
pub fn write(request: &Request, target: &Target) -> Result<Object, Unsayable> {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(write_system(&request.system));
    }
    write_items(&request.items, &mut messages)?;
    let tools: Vec<Object> = request.tools.iter().map(write_tool).collect();
    let has_tools = !tools.is_empty();
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
        .with_some("tools", has_tools.then_some(tools))
        .with_some(
            "tool_choice",
            request
                .choice
                .as_ref()
                .filter(|_| has_tools)
                .map(write_choice),
        )
        .with_some(
            "parallel_tool_calls",
            request.parallel.filter(|_| has_tools),
        )
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
    for part in parts {
        match part {
            Part::Text(text) => texts.push(text.as_str()),
            Part::Reasoning(reasoning) => thoughts.push(reasoning.text.as_str()),
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
            schema,
            strict,
        } => {
            let schema = Object::new()
                .with("name", name.as_deref().unwrap_or(SCHEMA_NAME))
                .with("schema", schema)
                .with_some("strict", *strict);
            Object::new()
                .with("type", "json_schema")
                .with("json_schema", schema)
        }
    }
}
