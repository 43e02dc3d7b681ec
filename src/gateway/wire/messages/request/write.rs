//! Writes a request out of the common form.

use crate::gateway::wire::ir::answer::{Part, Reasoning};
use crate::gateway::wire::ir::json::{Json, Object, number};
use crate::gateway::wire::ir::request::{
    Choice, Content, Depth, Effort, Format, Item, Request, Source, Tool, ToolResult,
};
use crate::gateway::wire::target::{Target, Unsayable};

const JSON_MODE: &str = "Answer with one JSON object and nothing else.";

const PDF: &str = "application/pdf";

/// Below this, nothing is sampled beside thinking.
const MIN_TOP_P_WITH_THINKING: f64 = 0.95;

/// The least that may be thought, and the least that is left for the answer.
const MIN_BUDGET: u64 = 1_024;

/// What is asked for where neither the caller nor the profile says how much.
const DEFAULT_MAX_TOKENS: u64 = 8_192;

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
                    writer.others.extend(write_contents(content)?);
                }
                Item::Result(result) => {
                    writer.turn("user");
                    writer.results.push(write_result(result)?);
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
fn write_contents(contents: &[Content]) -> Result<Vec<Object>, Unsayable> {
    let filled = |content: &&Content| !matches!(content, Content::Text(text) if text.is_empty());
    contents.iter().filter(filled).map(write_content).collect()
}

fn write_content(content: &Content) -> Result<Object, Unsayable> {
    Ok(match content {
        Content::Text(text) => text_block(text),
        Content::Image { source, .. } => Object::new()
            .with("type", "image")
            .with("source", write_source(source)),
        // The vendor takes no other kind as it is.
        Content::Document {
            source: Source::Inline { media_type, .. },
            ..
        } if media_type != PDF => return Err(Unsayable("document_type".to_owned())),
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

fn write_result(result: &ToolResult) -> Result<Object, Unsayable> {
    let content = write_contents(&result.content)?;
    Ok(Object::new()
        .with("type", "tool_result")
        .with("tool_use_id", &result.id)
        .with_some("content", (!content.is_empty()).then_some(content))
        .with_some("is_error", result.is_error.then_some(true)))
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
