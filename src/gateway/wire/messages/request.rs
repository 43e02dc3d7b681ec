//! Requests of Anthropic's Messages, into the common form and out of it
//! (platform.claude.com/docs/en/api/messages, …/tool-use, …/extended-thinking).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::ir::answer::{Call, Part, Proof, Reasoning};
use super::super::ir::json::{Json, Object, number};
use super::super::ir::request::{
    Choice, Content, Depth, Effort, Format, Item, Request, Source, Thinking, Tool, ToolResult,
};
use super::super::target::{Target, Unsayable};

/// What is asked for where neither the caller nor the profile says how much.
const DEFAULT_MAX_TOKENS: u64 = 8_192;
/// The least that may be thought, and the least that is left for the answer.
const MIN_BUDGET: u64 = 1_024;
/// Below this, nothing is sampled beside thinking.
const MIN_TOP_P_WITH_THINKING: f64 = 0.95;
const JSON_MODE: &str = "Answer with one JSON object and nothing else.";

#[derive(Deserialize)]
struct Body {
    model: String,
    messages: Vec<Message>,
    system: Option<Words>,
    #[serde(default)]
    stream: bool,
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    stop_sequences: Option<Vec<String>>,
    #[serde(default)]
    tools: Vec<ToolDefinition>,
    tool_choice: Option<ToolChoice>,
    thinking: Option<ThinkingConfig>,
    output_config: Option<OutputConfig>,
    output_format: Option<OutputFormat>,
    metadata: Option<Metadata>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Blocks,
}

/// A text, or blocks.
#[derive(Deserialize)]
#[serde(transparent)]
struct Blocks(#[serde(deserialize_with = "blocks")] Vec<Block>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Words(Blocks);

#[derive(Default, Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    data: Option<String>,
    id: Option<String>,
    name: Option<String>,
    input: Option<Json>,
    tool_use_id: Option<String>,
    content: Option<Blocks>,
    is_error: Option<bool>,
    source: Option<BlockSource>,
    title: Option<String>,
    tool_name: Option<String>,
}

#[derive(Deserialize)]
struct BlockSource {
    #[serde(rename = "type")]
    kind: String,
    media_type: Option<String>,
    data: Option<String>,
    url: Option<String>,
    content: Option<Blocks>,
}

#[derive(Deserialize)]
struct ToolDefinition {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    description: Option<String>,
    input_schema: Option<Json>,
    strict: Option<bool>,
}

#[derive(Deserialize)]
struct ToolChoice {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    disable_parallel_tool_use: Option<bool>,
}

#[derive(Deserialize)]
struct ThinkingConfig {
    #[serde(rename = "type")]
    kind: String,
    budget_tokens: Option<u64>,
    display: Option<String>,
}

#[derive(Deserialize)]
struct OutputConfig {
    format: Option<OutputFormat>,
    effort: Option<String>,
}

#[derive(Deserialize)]
struct OutputFormat {
    #[serde(rename = "type")]
    kind: String,
    schema: Option<Json>,
}

#[derive(Deserialize)]
struct Metadata {
    user_id: Option<String>,
}

/// Reads a text as one block, so that every content is blocks.
fn blocks<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Vec<Block>, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<Block>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a list of content blocks")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![Block {
                kind: "text".to_owned(),
                text: Some(text.to_owned()),
                ..Block::default()
            }])
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Self::Value, A::Error> {
            let mut blocks = Vec::new();
            while let Some(block) = seq.next_element()? {
                blocks.push(block);
            }
            Ok(blocks)
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let block = Block::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
            Ok(vec![block])
        }
    }
    input.deserialize_any(Visitor)
}

/// Reads a request.
///
/// # Errors
/// If the body is not what the dialect says.
pub fn read(body: &[u8]) -> Result<Request, serde_json::Error> {
    let body: Body = serde_json::from_slice(body)?;
    let mut request = Request {
        thinking: thinking(body.thinking, body.output_config.as_ref()),
        format: format(
            body.output_config.and_then(|config| config.format),
            body.output_format,
        ),
        model: body.model,
        stream: body.stream,
        max_output: body.max_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        stop: body.stop_sequences.unwrap_or_default(),
        user: body.metadata.and_then(|metadata| metadata.user_id),
        ..Request::default()
    };
    for name in ["top_k", "mcp_servers"] {
        if body.rest.contains_key(name) {
            request.leave_out(if name == "top_k" { name } else { "mcp" });
        }
    }
    if body.rest.contains_key("container") {
        request.demand("container");
    }
    if let Some(Words(Blocks(system))) = body.system {
        request
            .system
            .extend(system.into_iter().filter_map(|block| block.text));
    }
    for tool in body.tools {
        read_tool(tool, &mut request);
    }
    for message in body.messages {
        match message.role.as_str() {
            "assistant" => read_answer(message.content.0, &mut request),
            "system" | "developer" => {
                let texts = message.content.0.into_iter().filter_map(|block| block.text);
                request.instruct(texts.collect());
            }
            _ => read_user(message.content.0, &mut request),
        }
    }
    if let Some(choice) = body.tool_choice {
        request.parallel = choice.disable_parallel_tool_use.map(|disabled| !disabled);
        request.choice = match choice.kind.as_str() {
            "any" => Some(Choice::Any),
            "none" => Some(Choice::None),
            "tool" => choice.name.map(Choice::Tool),
            _ => Some(Choice::Auto),
        };
    }
    request.settle_choice();
    Ok(request)
}

fn thinking(config: Option<ThinkingConfig>, output: Option<&OutputConfig>) -> Option<Thinking> {
    let effort = output
        .and_then(|output| output.effort.as_deref())
        .and_then(Effort::parse)
        .map(Depth::Effort);
    let told = config
        .as_ref()
        .and_then(|config| config.display.as_deref())
        .is_some_and(|display| display == "summarized");
    let depth = match config {
        None => effort?,
        Some(config) => match config.kind.as_str() {
            "enabled" => {
                effort.unwrap_or(config.budget_tokens.map_or(Depth::Adaptive, Depth::Budget))
            }
            "adaptive" => effort.unwrap_or(Depth::Adaptive),
            _ => Depth::Off,
        },
    };
    Some(Thinking { depth, told })
}

fn format(new: Option<OutputFormat>, old: Option<OutputFormat>) -> Option<Format> {
    let format = new.or(old)?;
    if format.kind != "json_schema" {
        return None;
    }
    Some(Format::Schema {
        name: None,
        schema: format.schema?,
        strict: None,
    })
}

fn read_tool(tool: ToolDefinition, request: &mut Request) {
    let kind = tool.kind.as_deref().unwrap_or("custom");
    if kind != "custom" {
        request.leave_out(hosted_name(kind));
        return;
    }
    request.tools.push(Tool {
        name: tool.name.unwrap_or_default(),
        description: tool.description,
        parameters: tool.input_schema,
        strict: tool.strict,
    });
}

/// What a tool of Anthropic's own is called: those that run at Anthropic's without the date of their version.
fn hosted_name(kind: &str) -> &str {
    const AT_ANTHROPIC: [&str; 4] = [
        "web_search",
        "web_fetch",
        "code_execution",
        "tool_search_tool",
    ];
    AT_ANTHROPIC
        .into_iter()
        .find(|name| kind.starts_with(name))
        .unwrap_or(kind)
}

fn read_answer(blocks: Vec<Block>, request: &mut Request) {
    let mut parts = Vec::new();
    for block in blocks {
        match block.kind.as_str() {
            "text" => parts.push(Part::Text(block.text.unwrap_or_default())),
            "thinking" => parts.push(Part::Reasoning(Reasoning {
                text: block.thinking.unwrap_or_default(),
                proof: Proof {
                    data: block.signature,
                    ..Proof::default()
                },
            })),
            "redacted_thinking" => parts.push(Part::Reasoning(Reasoning {
                text: String::new(),
                proof: Proof {
                    data: block.data,
                    redacted: true,
                    ..Proof::default()
                },
            })),
            "tool_use" => parts.push(Part::Call(Call {
                id: block.id.unwrap_or_default(),
                name: block.name.unwrap_or_default(),
                arguments: block
                    .input
                    .map_or_else(|| "{}".to_owned(), |input| input.text().to_owned()),
            })),
            kind => {
                let name = block.name.as_deref().unwrap_or(kind);
                request.demand(name.trim_end_matches("_tool_result"));
            }
        }
    }
    request.say(parts);
}

fn read_user(blocks: Vec<Block>, request: &mut Request) {
    let (mut results, mut said) = (Vec::new(), Vec::new());
    for block in blocks {
        if block.kind == "tool_result" {
            results.push(ToolResult {
                id: block.tool_use_id.unwrap_or_default(),
                content: read_content(
                    block.content.map(|blocks| blocks.0).unwrap_or_default(),
                    request,
                ),
                is_error: block.is_error.unwrap_or_default(),
            });
        } else {
            said.extend(read_content(vec![block], request));
        }
    }
    request.items.extend(results.into_iter().map(Item::Result));
    if !said.is_empty() {
        request.items.push(Item::User(said));
    }
}

fn read_content(blocks: Vec<Block>, request: &mut Request) -> Vec<Content> {
    let mut content = Vec::new();
    for block in blocks {
        match block.kind.as_str() {
            "text" => content.push(Content::Text(block.text.unwrap_or_default())),
            // A search for tools found one; it is among the tools already.
            "tool_reference" => content.push(Content::Text(block.tool_name.unwrap_or_default())),
            "image" | "document" => read_attachment(block, &mut content, request),
            kind => request.demand(kind),
        }
    }
    content
}

fn read_attachment(block: Block, content: &mut Vec<Content>, request: &mut Request) {
    let Some(source) = block.source else {
        return request.demand(block.kind);
    };
    let source = match source.kind.as_str() {
        "base64" => Source::Inline {
            media_type: source.media_type.unwrap_or_default(),
            data: source.data.unwrap_or_default(),
        },
        "url" => Source::Url(source.url.unwrap_or_default()),
        "text" => {
            content.push(Content::Text(source.data.unwrap_or_default()));
            return;
        }
        "content" => {
            let inner = source.content.map(|blocks| blocks.0).unwrap_or_default();
            content.extend(read_content(inner, request));
            return;
        }
        kind => return request.demand(format!("{kind}_source")),
    };
    content.push(if block.kind == "image" {
        Content::Image {
            source,
            detail: None,
        }
    } else {
        Content::Document {
            source,
            name: block.title,
        }
    });
}

/// Writes a request.
///
/// # Errors
/// If it holds what the dialect has no words for.
pub fn write(request: &Request, target: &Target) -> Result<Object, Unsayable> {
    let max_tokens = target
        .clamp(request.max_output)
        .unwrap_or(DEFAULT_MAX_TOKENS)
        .max(1);
    let budget = thinking_budget(request, max_tokens);
    let is_json = request.format == Some(Format::Json);
    let system: Vec<Object> = (request.system.iter().map(String::as_str))
        .chain(is_json.then_some(JSON_MODE))
        .filter(|text| !text.is_empty())
        .map(text_block)
        .collect();
    let tools: Vec<Object> = request.tools.iter().map(write_tool).collect();
    let temperature = request.temperature.filter(|_| budget.is_none());
    let top_p =
        (request.top_p).filter(|top_p| budget.is_none() || *top_p >= MIN_TOP_P_WITH_THINKING);
    let thinking = budget.map(|budget| {
        Object::new()
            .with("type", "enabled")
            .with("budget_tokens", budget)
    });
    let format = match &request.format {
        Some(Format::Schema { schema, .. }) => {
            let format = Object::new()
                .with("type", "json_schema")
                .with("schema", schema);
            Some(Object::new().with("format", format))
        }
        Some(Format::Json) | None => None,
    };
    let metadata = request
        .user
        .as_ref()
        .map(|user| Object::new().with("user_id", user));
    Ok(Object::new()
        .with("model", target.model)
        .with("max_tokens", max_tokens)
        .with_some("system", (!system.is_empty()).then_some(system))
        .with("messages", Writer::messages(&request.items)?)
        .with_some("tools", (!tools.is_empty()).then_some(tools))
        .with_some("tool_choice", write_choice(request, budget.is_some()))
        .with_some("thinking", thinking)
        .with_some(
            "temperature",
            temperature.map(|value| number(value.clamp(0.0, 1.0))),
        )
        .with_some("top_p", top_p.map(number))
        .with_some(
            "stop_sequences",
            (!request.stop.is_empty()).then_some(&request.stop),
        )
        .with_some("output_config", format)
        .with_some("metadata", metadata)
        .with_some("stream", request.stream.then_some(true)))
}

/// The tokens to think with; `None` where thinking is not asked for or cannot be had.
fn thinking_budget(request: &Request, max_tokens: u64) -> Option<u64> {
    if max_tokens <= MIN_BUDGET || in_loop_without_thinking(&request.items) {
        return None;
    }
    // A forced tool excludes thinking; what the caller demands goes before what it wishes.
    if matches!(request.choice, Some(Choice::Any | Choice::Tool(_))) && !request.tools.is_empty() {
        return None;
    }
    let budget = match request.thinking?.depth {
        Depth::Off => return None,
        // An effort is a wish: something is left for the answer.
        Depth::Adaptive => Effort::Medium.budget().min(max_tokens / 2),
        Depth::Effort(effort) => effort.budget().min(max_tokens / 5 * 4),
        Depth::Budget(tokens) => tokens,
    };
    Some(budget.max(MIN_BUDGET).min(max_tokens - 1))
}

/// Whether the conversation is in the middle of a tool loop that holds no thinking.
pub fn in_loop_without_thinking(items: &[Item]) -> bool {
    let Some(last) = items
        .iter()
        .rposition(|item| matches!(item, Item::Answer(_)))
    else {
        return false;
    };
    let (before, after) = items.split_at(last + 1);
    if !after.iter().any(|item| matches!(item, Item::Result(_))) {
        return false;
    }
    // The loop began at the last words of the user's that do not stand beside results.
    let mut in_words = false;
    for item in before.iter().rev() {
        match item {
            Item::Answer(_) if in_words => break,
            Item::Answer(parts) => {
                if parts.iter().any(|part| matches!(part, Part::Reasoning(_))) {
                    return false;
                }
            }
            Item::User(_) => in_words = true,
            Item::Result(_) => in_words = false,
            Item::System(_) => {}
        }
    }
    true
}

fn write_tool(tool: &Tool) -> Object {
    let mut written = Object::new()
        .with("name", &tool.name)
        .with_some("description", tool.description.as_ref());
    if let Some(schema) = &tool.parameters {
        written.set("input_schema", schema);
    } else {
        let none = Object::new();
        let schema = Object::new()
            .with("type", "object")
            .with("properties", none);
        written.set("input_schema", schema);
    }
    written.with_some("strict", tool.strict.filter(|strict| *strict))
}

fn write_choice(request: &Request, thinks: bool) -> Option<Object> {
    if request.tools.is_empty() {
        return None;
    }
    let kind = |kind: &str| Object::new().with("type", kind);
    let choice = match &request.choice {
        None if request.parallel == Some(false) => kind("auto"),
        None => return None,
        Some(Choice::None) => return Some(kind("none")),
        Some(Choice::Any) if !thinks => kind("any"),
        Some(Choice::Tool(name)) if !thinks => kind("tool").with("name", name),
        Some(Choice::Auto | Choice::Any | Choice::Tool(_)) => kind("auto"),
    };
    Some(choice.with_some(
        "disable_parallel_tool_use",
        request.parallel.map(|parallel| !parallel),
    ))
}

/// Puts what follows one another from the same side into one message.
#[derive(Default)]
struct Writer {
    messages: Vec<Object>,
    role: &'static str,
    results: Vec<Object>,
    others: Vec<Object>,
}

impl Writer {
    fn messages(items: &[Item]) -> Result<Vec<Object>, Unsayable> {
        let mut writer = Self::default();
        for item in items {
            match item {
                Item::System(texts) => {
                    writer.turn("user");
                    writer.others.extend(texts.iter().map(|text| {
                        text_block(&format!("<system-reminder>\n{text}\n</system-reminder>"))
                    }));
                }
                Item::User(content) => {
                    writer.turn("user");
                    writer
                        .others
                        .extend(content.iter().filter_map(write_content));
                }
                Item::Result(result) => {
                    writer.turn("user");
                    writer.results.push(write_result(result));
                }
                Item::Answer(parts) => {
                    writer.turn("assistant");
                    for part in parts {
                        writer.others.extend(write_part(part)?);
                    }
                }
            }
        }
        writer.turn("");
        Ok(writer.messages)
    }

    /// Ends the message of the other side; the results of a step come before anything else in it.
    fn turn(&mut self, role: &'static str) {
        if role == self.role {
            return;
        }
        let mut content = std::mem::take(&mut self.results);
        content.append(&mut self.others);
        if !content.is_empty() {
            let message = Object::new()
                .with("role", self.role)
                .with("content", content);
            self.messages.push(message);
        }
        self.role = role;
    }
}

fn text_block(text: &str) -> Object {
    Object::new().with("type", "text").with("text", text)
}

/// Blocks without text are refused by the vendor, so none is written.
fn write_content(content: &Content) -> Option<Object> {
    Some(match content {
        Content::Text(text) if text.is_empty() => return None,
        Content::Text(text) => text_block(text),
        Content::Image { source, .. } => Object::new()
            .with("type", "image")
            .with("source", write_source(source)),
        Content::Document { source, name } => Object::new()
            .with("type", "document")
            .with("source", write_source(source))
            .with_some("title", name.as_ref()),
    })
}

fn write_source(source: &Source) -> Object {
    match source {
        Source::Inline { media_type, data } => Object::new()
            .with("type", "base64")
            .with("media_type", media_type)
            .with("data", data),
        Source::Url(url) => Object::new().with("type", "url").with("url", url),
    }
}

fn write_result(result: &ToolResult) -> Object {
    let content: Vec<Object> = result.content.iter().filter_map(write_content).collect();
    Object::new()
        .with("type", "tool_result")
        .with("tool_use_id", &result.id)
        .with_some("content", (!content.is_empty()).then_some(content))
        .with_some("is_error", result.is_error.then_some(true))
}

fn write_part(part: &Part) -> Result<Option<Object>, Unsayable> {
    Ok(match part {
        Part::Text(text) if text.is_empty() => None,
        Part::Text(text) => Some(text_block(text)),
        Part::Reasoning(Reasoning { text, proof }) => proof.data.as_ref().map(|data| {
            if proof.redacted {
                Object::new()
                    .with("type", "redacted_thinking")
                    .with("data", data)
            } else {
                let block = Object::new()
                    .with("type", "thinking")
                    .with("thinking", text);
                block.with("signature", data)
            }
        }),
        Part::Call(call) => {
            let arguments =
                arguments(&call.arguments).ok_or_else(|| Unsayable("arguments".to_owned()))?;
            Some(
                Object::new()
                    .with("type", "tool_use")
                    .with("id", &call.id)
                    .with("name", &call.name)
                    .with("input", arguments),
            )
        }
    })
}

/// A call's arguments as the object that they must be here; a call without any has an empty one.
pub fn arguments(text: &str) -> Option<Json> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    Json::parse(text).filter(Json::is_object)
}
