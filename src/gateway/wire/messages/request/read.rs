//! Reads a request into the common form.

use std::collections::BTreeMap;

use serde_json::Value;

use super::body::{
    Block, Blocks, Body, Citations, Origin, OutputConfig, OutputFormat, ThinkingConfig,
    ToolDefinition, Words,
};
use crate::gateway::wire::ir::answer::{Call, Part, Proof, Reasoning};
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
        thinking: thinking(body.thinking, body.output_config.as_ref()),
        format: format(
            body.output_config.and_then(|config| config.format),
            body.output_format,
        ),
        model: body.model,
        stream: body.stream.unwrap_or_default(),
        max_output: body.max_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        stop: body.stop_sequences.unwrap_or_default(),
        user: body.metadata.and_then(|metadata| metadata.user_id),
        ..Request::default()
    };
    note_rest(&body.rest, &mut request);
    if let Some(Words(Blocks(system))) = body.system {
        request
            .system
            .extend(system.into_iter().filter_map(|block| block.text));
    }
    for tool in body.tools.unwrap_or_default() {
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

/// Members that [`note_rest`] judges one by one.
const JUDGED: [&str; 3] = ["container", "context_management", "mcp_servers"];

/// Names what the form has no place for.
fn note_rest(rest: &BTreeMap<String, Value>, request: &mut Request) {
    let is_set = |name: &str| rest.get(name).is_some_and(|value| !value.is_null());
    if is_set("container") {
        request.demand("container");
    }
    if is_set("mcp_servers") {
        request.leave_out("mcp");
    }
    // Thinking of another vendor's is taken out in any case.
    let edits = rest.get("context_management");
    let mut edits = edits
        .and_then(|managed| managed["edits"].as_array())
        .into_iter()
        .flatten()
        .filter_map(|edit| edit["type"].as_str());
    if edits.any(|kind| !kind.starts_with("clear_thinking")) {
        request.leave_out("context_management");
    }
    leave_out_rest(rest, &JUDGED, request);
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
        description: None,
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
    if tool.input_examples.is_some_and(|shown| !shown.is_empty()) {
        request.leave_out("input_examples");
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
            "search_result" => {
                note_citations(block.citations.as_ref(), request);
                let named = match block.source {
                    Some(Origin::Named(name)) => Some(name),
                    Some(Origin::Held(_)) | None => None,
                };
                content.extend(block.title.into_iter().chain(named).map(Content::Text));
                let found = block.content.map(|blocks| blocks.0).unwrap_or_default();
                content.extend(read_content(found, request));
            }
            kind => request.demand(kind),
        }
    }
    content
}

/// No other dialect's models say which words of a document or a result an answer rests on.
fn note_citations(wanted: Option<&Citations>, request: &mut Request) {
    if wanted.and_then(|citations| citations.enabled) == Some(true) {
        request.leave_out("citations");
    }
}

fn read_attachment(block: Block, content: &mut Vec<Content>, request: &mut Request) {
    let Some(Origin::Held(source)) = block.source else {
        return request.demand(block.kind);
    };
    note_citations(block.citations.as_ref(), request);
    // Text has no place for a title.
    let is_text = matches!(source.kind.as_str(), "text" | "content");
    let title = block.title.as_ref().filter(|_| is_text).cloned();
    content.extend(title.into_iter().chain(block.context).map(Content::Text));
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
