//! Reads a request into the common form.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::gateway::wire::chat::request::{choice, document, source, thinking, want};
use crate::gateway::wire::ir::answer::{Call, Part, Proof, Reasoning};
use crate::gateway::wire::ir::json::Json;
use crate::gateway::wire::ir::request::{
    Choice, Content, Format, Item, Request, Source, ToolResult,
};
use crate::gateway::wire::ir::unsaid::leave_out_rest;
use crate::gateway::wire::responses::tools::{self, ToolDefinition};

#[derive(Deserialize)]
struct Body {
    model: String,
    input: Option<Input>,
    instructions: Option<String>,
    stream: Option<bool>,
    max_output_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    tools: Option<Vec<ToolDefinition>>,
    tool_choice: Option<ToolChoice>,
    parallel_tool_calls: Option<bool>,
    text: Option<TextConfig>,
    reasoning: Option<ReasoningConfig>,
    user: Option<String>,
    safety_identifier: Option<String>,
    prompt_cache_key: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// A text, or items.
enum Input {
    Text(String),
    Items(Vec<InputItem>),
}

#[derive(Default, Deserialize)]
struct InputItem {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    role: Option<String>,
    content: Option<Contents>,
    summary: Option<Vec<TextOnly>>,
    encrypted_content: Option<String>,
    call_id: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    arguments: Option<String>,
    input: Option<String>,
    output: Option<Contents>,
    action: Option<Json>,
    tools: Option<Vec<ToolDefinition>>,
}

#[derive(Deserialize)]
struct TextOnly {
    #[serde(default)]
    text: String,
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
    #[serde(rename = "type", default)]
    kind: String,
    text: Option<String>,
    refusal: Option<String>,
    image_url: Option<String>,
    detail: Option<String>,
    filename: Option<String>,
    file_data: Option<String>,
    file_url: Option<String>,
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
    name: Option<String>,
    namespace: Option<String>,
    mode: Option<String>,
    tools: Option<Vec<NamedChoice>>,
}

#[derive(Deserialize)]
struct TextConfig {
    format: Option<TextFormat>,
    verbosity: Option<String>,
}

#[derive(Deserialize)]
struct TextFormat {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    description: Option<String>,
    schema: Option<Json>,
    strict: Option<bool>,
}

#[derive(Deserialize)]
struct ReasoningConfig {
    effort: Option<String>,
    summary: Option<String>,
}

impl<'de> Deserialize<'de> for Input {
    /// By hand, since an untagged enum would read every JSON text within through a copy of its own.
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Input;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of items")
            }

            fn visit_str<E>(self, text: &str) -> Result<Input, E> {
                Ok(Input::Text(text.to_owned()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Input, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Input::Items(items))
            }
        }
        input.deserialize_any(Visitor)
    }
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
        system: (body.instructions.into_iter())
            .filter(|text| !text.is_empty())
            .collect(),
        max_output: body.max_output_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        parallel: body.parallel_tool_calls,
        user: body.user.or(body.safety_identifier),
        cache_key: body.prompt_cache_key,
        ..Request::default()
    };
    if let Some(reasoning) = body.reasoning {
        let told = reasoning.summary.is_some();
        request.thinking = (reasoning.effort.as_deref())
            .and_then(thinking)
            .map(|thinking| crate::gateway::wire::ir::request::Thinking { told, ..thinking });
    }
    if let Some(text) = body.text {
        request.verbosity = text.verbosity;
        if let Some(wanted) = text.format {
            read_format(wanted, &mut request);
        }
    }
    note_rest(&body.rest, &mut request);
    for tool in body.tools.unwrap_or_default() {
        tools::declare(tool, None, &mut request);
    }
    match body.input {
        None => {}
        Some(Input::Text(text)) => request.items.push(Item::User(vec![Content::Text(text)])),
        Some(Input::Items(items)) => {
            for item in items {
                read_item(item, &mut request);
            }
        }
    }
    if let Some(choice) = body.tool_choice {
        read_choice(choice, &mut request);
    }
    request.settle_choice();
    Ok(request)
}

/// Members that [`note_rest`] judges one by one.
const JUDGED: [&str; 6] = [
    "background",
    "conversation",
    "previous_response_id",
    "prompt",
    "top_logprobs",
    "truncation",
];

/// Names what the form has no place for.
fn note_rest(rest: &BTreeMap<String, Value>, request: &mut Request) {
    let is_set = |name: &str| rest.get(name).is_some_and(|value| !value.is_null());
    for name in ["previous_response_id", "conversation", "prompt"] {
        if is_set(name) {
            request.demand(name);
        }
    }
    if rest.get("background").and_then(Value::as_bool) == Some(true) {
        request.demand("background");
    }
    let includes = |name: &str| {
        let names = rest.get("include").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|included| included == name))
    };
    if includes("message.output_text.logprobs")
        || rest
            .get("top_logprobs")
            .and_then(Value::as_u64)
            .is_some_and(|count| count > 0)
    {
        request.demand("logprobs");
    }
    if rest.get("truncation").is_some_and(|how| how == "auto") {
        request.leave_out("truncation");
    }
    leave_out_rest(rest, &JUDGED, request);
}

fn read_format(format: TextFormat, request: &mut Request) {
    let schema = format.schema.map(|schema| Format::Schema {
        name: format.name,
        description: format.description,
        schema,
        strict: format.strict,
    });
    want(&format.kind, schema, request);
}

fn read_item(item: InputItem, request: &mut Request) {
    let id = item.call_id.or_else(|| item.id.clone());
    let name = |request: &Request| {
        let name = item.name.as_deref().unwrap_or_default();
        tools::flat_name(item.namespace.as_deref(), name, request)
    };
    match item.kind.as_deref().unwrap_or("message") {
        "message" => read_message(
            item.role.as_deref().unwrap_or("user"),
            item.content,
            request,
        ),
        "reasoning" => {
            let summary = item.summary.unwrap_or_default();
            let texts: Vec<String> = summary.into_iter().map(|part| part.text).collect();
            request.say(vec![Part::Reasoning(Reasoning {
                text: texts.join("\n\n"),
                proof: Proof {
                    data: item.encrypted_content,
                    id: item.id,
                    redacted: false,
                },
            })]);
        }
        "function_call" => {
            let name = name(request);
            let arguments = item.arguments.unwrap_or_default();
            say_call(id, name, arguments, request);
        }
        "custom_tool_call" => {
            let name = name(request);
            let arguments = json!({tools::CUSTOM_INPUT: item.input.unwrap_or_default()});
            say_call(id, name, arguments.to_string(), request);
        }
        "local_shell_call" => {
            let arguments = tools::shell_arguments(item.action.as_ref());
            say_call(id, tools::LOCAL_SHELL.to_owned(), arguments, request);
        }
        "function_call_output" | "custom_tool_call_output" | "local_shell_call_output" => {
            let content = read_content(item.output, request);
            request.items.push(Item::Result(ToolResult {
                id: id.unwrap_or_default(),
                content,
                is_error: false,
            }));
        }
        "additional_tools" => {
            for tool in item.tools.unwrap_or_default() {
                tools::declare(tool, None, request);
            }
        }
        kind => {
            let name = kind
                .strip_suffix("_call_output")
                .or_else(|| kind.strip_suffix("_call"));
            request.demand(name.unwrap_or(kind));
        }
    }
}

fn say_call(id: Option<String>, name: String, arguments: String, request: &mut Request) {
    request.say(vec![Part::Call(Call {
        id: id.unwrap_or_default(),
        name,
        arguments,
    })]);
}

fn read_message(role: &str, content: Option<Contents>, request: &mut Request) {
    let content = read_content(content, request);
    match role {
        "system" | "developer" => {
            let texts = request.texts_of(content);
            request.instruct(texts);
        }
        "assistant" => {
            let texts = request.texts_of(content);
            request.say(texts.into_iter().map(Part::Text).collect());
        }
        _ if content.is_empty() => {}
        _ => request.items.push(Item::User(content)),
    }
}

fn read_content(content: Option<Contents>, request: &mut Request) -> Vec<Content> {
    let parts = match content {
        None => return Vec::new(),
        Some(Contents::Text(text)) => return vec![Content::Text(text)],
        Some(Contents::Parts(parts)) => parts,
    };
    let mut content = Vec::new();
    for part in parts {
        match part.kind.as_str() {
            "input_text" | "output_text" | "text" | "summary_text" => {
                content.push(Content::Text(part.text.unwrap_or_default()));
            }
            "refusal" => content.push(Content::Text(part.refusal.unwrap_or_default())),
            "input_image" => match part.image_url {
                Some(image) => content.push(Content::Image {
                    source: source(&image),
                    detail: part.detail,
                }),
                None => request.demand("file_id"),
            },
            "input_file" => match (part.file_data, part.file_url) {
                (Some(data), _) => content.push(Content::Document {
                    source: document(&data),
                    name: part.filename,
                }),
                (None, Some(url)) => content.push(Content::Document {
                    source: Source::Url(url),
                    name: part.filename,
                }),
                (None, None) => request.demand("file_id"),
            },
            "input_audio" => request.demand("audio"),
            kind => request.demand(kind),
        }
    }
    content
}

fn read_choice(wanted: ToolChoice, request: &mut Request) {
    request.choice = Some(match wanted {
        ToolChoice::Word(word) => choice(&word),
        ToolChoice::Named(wanted) if wanted.kind == "allowed_tools" => {
            let allowed = wanted.tools.unwrap_or_default();
            let names: Vec<String> = allowed.iter().map(|tool| named(tool, request)).collect();
            request.tools.retain(|tool| names.contains(&tool.name));
            choice(wanted.mode.as_deref().unwrap_or("auto"))
        }
        ToolChoice::Named(wanted) => Choice::Tool(named(&wanted, request)),
    });
}

/// The function that stands for a tool that is chosen by name, or by its type alone.
fn named(choice: &NamedChoice, request: &Request) -> String {
    match (&choice.name, choice.kind.as_str()) {
        (Some(name), "function" | "custom") => {
            tools::flat_name(choice.namespace.as_deref(), name, request)
        }
        (_, kind) => kind.to_owned(),
    }
}
