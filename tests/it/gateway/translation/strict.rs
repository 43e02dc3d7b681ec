//! Readers of the three dialects' streams that take nothing but what the vendors document.

#![allow(clippy::too_many_lines, reason = "what a dialect allows is one list")]

use serde_json::Value;
use tundra::domain::profile::TranslatedDialect;

/// What a stream said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    pub text: String,
    pub reasoning: String,
    /// Id, name and arguments of each call, in their order.
    pub calls: Vec<(String, String, String)>,
    /// Why it ended, in the dialect's own word; empty after an error.
    pub end: String,
    pub model: String,
    pub usage: Value,
    pub error: Option<Value>,
}

type Fault = String;

pub fn read(dialect: TranslatedDialect, stream: &[u8]) -> Result<Said, Fault> {
    let events = events(stream)?;
    match dialect {
        TranslatedDialect::Messages => messages(&events),
        TranslatedDialect::Chat => chat(&events),
        TranslatedDialect::Responses => responses(&events),
    }
}

/// Name and data of every event.
fn events(stream: &[u8]) -> Result<Vec<(String, String)>, Fault> {
    let text = std::str::from_utf8(stream).map_err(|error| error.to_string())?;
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err(format!("an event is cut: {text:?}"));
    }
    let mut events = Vec::new();
    for frame in text.split("\n\n").filter(|frame| !frame.is_empty()) {
        let (mut name, mut data) = (String::new(), None);
        for line in frame.lines() {
            match line.split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut name),
                Some(("data", value)) if data.is_none() => data = Some(value.to_owned()),
                Some(("", _)) => {}
                _ => return Err(format!("a line of no meaning: {line:?}")),
            }
        }
        if let Some(data) = data {
            events.push((name, data));
        }
    }
    Ok(events)
}

fn json(data: &str) -> Result<Value, Fault> {
    serde_json::from_str(data).map_err(|error| format!("{error}: {data}"))
}

fn must(holds: bool, what: &str, event: &Value) -> Result<(), Fault> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what}: {event}"))
    }
}

fn text(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or_else(|| format!("no text: {value}"))
}

fn is_object(arguments: &str) -> bool {
    serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object())
}

/// platform.claude.com/docs/en/build-with-claude/streaming
fn messages(events: &[(String, String)]) -> Result<Said, Fault> {
    let mut said = Said::default();
    let (mut started, mut stopped, mut ended) = (false, false, false);
    let mut open: Option<(Value, String)> = None;
    let mut next = 0;
    for (name, data) in events {
        let event = json(data)?;
        must(
            event["type"] == name.as_str(),
            "the name is not the type",
            &event,
        )?;
        if name == "ping" {
            continue;
        }
        must(
            !ended && said.error.is_none(),
            "something after the end",
            &event,
        )?;
        if name == "error" {
            must(
                event["error"]["type"].is_string() && event["error"]["message"].is_string(),
                "no error",
                &event,
            )?;
            said.error = Some(event["error"].clone());
            continue;
        }
        must(
            started == (name != "message_start"),
            "message_start is first and once",
            &event,
        )?;
        match name.as_str() {
            "message_start" => {
                let message = &event["message"];
                must(
                    message["role"] == "assistant" && message["type"] == "message",
                    "no message",
                    &event,
                )?;
                must(
                    message["content"] == serde_json::json!([]) && message["stop_reason"].is_null(),
                    "not empty",
                    &event,
                )?;
                must(text(&message["id"])?.starts_with("msg_"), "no id", &event)?;
                must(
                    message["usage"]["input_tokens"].is_u64()
                        && message["usage"]["output_tokens"].is_u64(),
                    "no usage",
                    &event,
                )?;
                text(&message["model"])?.clone_into(&mut said.model);
                started = true;
            }
            "content_block_start" => {
                must(open.is_none() && !stopped, "one block at a time", &event)?;
                must(event["index"] == next, "indices follow one another", &event)?;
                let block = event["content_block"].clone();
                match block["type"].as_str() {
                    Some("text") => must(block["text"] == "", "text before its delta", &event)?,
                    Some("thinking") => {
                        must(block["thinking"] == "", "thinking before its delta", &event)?;
                    }
                    Some("redacted_thinking") => {
                        text(&block["data"])?;
                    }
                    Some("tool_use") => {
                        let id = text(&block["id"])?;
                        let plain =
                            |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
                        must(
                            !id.is_empty() && id.bytes().all(plain),
                            "an id of other letters",
                            &event,
                        )?;
                        must(
                            block["input"] == serde_json::json!({}),
                            "input before its delta",
                            &event,
                        )?;
                        text(&block["name"])?;
                    }
                    _ => return Err(format!("an unheard-of block: {event}")),
                }
                open = Some((block, String::new()));
            }
            "content_block_delta" => {
                let (block, grown) = open
                    .as_mut()
                    .ok_or_else(|| format!("no block is open: {event}"))?;
                must(event["index"] == next, "of another block", &event)?;
                let delta = &event["delta"];
                let kind = text(&block["type"])?.to_owned();
                match (kind.as_str(), text(&delta["type"])?) {
                    ("text", "text_delta") => said.text.push_str(text(&delta["text"])?),
                    ("thinking", "thinking_delta") => {
                        said.reasoning.push_str(text(&delta["thinking"])?);
                    }
                    ("thinking", "signature_delta") => grown.push_str(text(&delta["signature"])?),
                    ("tool_use", "input_json_delta") => {
                        grown.push_str(text(&delta["partial_json"])?);
                    }
                    _ => return Err(format!("a delta of another kind: {event}")),
                }
            }
            "content_block_stop" => {
                let (block, grown) = open
                    .take()
                    .ok_or_else(|| format!("no block is open: {event}"))?;
                must(event["index"] == next, "of another block", &event)?;
                next += 1;
                match block["type"].as_str() {
                    Some("thinking") => {
                        must(!grown.is_empty(), "thinking without a signature", &event)?;
                    }
                    Some("tool_use") => {
                        // A tool without arguments may tell none.
                        let grown = if grown.is_empty() {
                            "{}".to_owned()
                        } else {
                            grown
                        };
                        must(
                            is_object(&grown),
                            "input that is no object",
                            &Value::String(grown.clone()),
                        )?;
                        said.calls.push((
                            text(&block["id"])?.to_owned(),
                            text(&block["name"])?.to_owned(),
                            grown,
                        ));
                    }
                    _ => {}
                }
            }
            "message_delta" => {
                must(open.is_none() && !stopped, "a block is open", &event)?;
                text(&event["delta"]["stop_reason"])?.clone_into(&mut said.end);
                must(
                    event["delta"].get("stop_sequence").is_some(),
                    "no stop_sequence",
                    &event,
                )?;
                must(event["usage"]["output_tokens"].is_u64(), "no usage", &event)?;
                said.usage = event["usage"].clone();
                stopped = true;
            }
            "message_stop" => {
                must(stopped, "message_delta comes before", &event)?;
                ended = true;
            }
            _ => return Err(format!("an unheard-of event: {event}")),
        }
    }
    if said.error.is_none() && !ended {
        return Err("no message_stop".to_owned());
    }
    if said.error.is_some() {
        said.end.clear();
    }
    Ok(said)
}

/// platform.openai.com/docs/api-reference/chat-streaming
fn chat(events: &[(String, String)]) -> Result<Said, Fault> {
    let mut said = Said::default();
    let (mut first, mut done) = (true, false);
    for (name, data) in events {
        if !name.is_empty() || done || said.error.is_some() {
            return Err(format!(
                "something after the end, or with a name: {name} {data}"
            ));
        }
        if data == "[DONE]" {
            done = true;
            continue;
        }
        let event = json(data)?;
        if !event["error"].is_null() {
            text(&event["error"]["message"])?;
            said.error = Some(event["error"].clone());
            continue;
        }
        must(
            event["object"] == "chat.completion.chunk",
            "no chunk",
            &event,
        )?;
        must(
            text(&event["id"])?.starts_with("chatcmpl-"),
            "no id",
            &event,
        )?;
        must(event["created"].is_u64(), "no time", &event)?;
        text(&event["model"])?.clone_into(&mut said.model);
        let choices = event["choices"].as_array().ok_or("no choices")?;
        if choices.is_empty() {
            must(
                !said.end.is_empty() && event["usage"]["prompt_tokens"].is_u64(),
                "usage comes last",
                &event,
            )?;
            said.usage = event["usage"].clone();
            continue;
        }
        let choice = &choices[0];
        must(
            choices.len() == 1 && choice["index"] == 0,
            "one choice",
            &event,
        )?;
        must(said.end.is_empty(), "a delta after finish_reason", &event)?;
        let delta = &choice["delta"];
        must(
            delta["role"].is_null() != first,
            "one role, and first",
            &event,
        )?;
        first = false;
        said.text
            .push_str(delta["content"].as_str().unwrap_or_default());
        said.reasoning
            .push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().ok_or("no index")?).unwrap();
            let arguments = text(&call["function"]["arguments"])?;
            if index == said.calls.len() {
                must(
                    call["type"] == "function" && text(&call["id"])?.len() <= 40,
                    "no call",
                    &event,
                )?;
                must(!text(&call["id"])?.is_empty(), "no id", &event)?;
                said.calls.push((
                    text(&call["id"])?.to_owned(),
                    text(&call["function"]["name"])?.to_owned(),
                    String::new(),
                ));
            } else {
                must(
                    index < said.calls.len() && call["id"].is_null(),
                    "calls follow one another",
                    &event,
                )?;
            }
            said.calls[index].2.push_str(arguments);
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            reason.clone_into(&mut said.end);
        }
    }
    let is_whole = done && !said.end.is_empty();
    if said.error.is_none() && !is_whole {
        return Err("no finish_reason or no [DONE]".to_owned());
    }
    if said.error.is_some() {
        said.end.clear();
    }
    Ok(said)
}

/// platform.openai.com/docs/api-reference/responses-streaming
fn responses(events: &[(String, String)]) -> Result<Said, Fault> {
    let mut said = Said::default();
    let mut items: Vec<(Value, String, bool)> = Vec::new();
    let mut state = "";
    for (number, (name, data)) in events.iter().enumerate() {
        let event = json(data)?;
        must(
            event["type"] == name.as_str(),
            "the name is not the type",
            &event,
        )?;
        must(
            event["sequence_number"] == number,
            "a gap in the numbers",
            &event,
        )?;
        must(state != "ended", "something after the end", &event)?;
        let at = event["output_index"]
            .as_u64()
            .and_then(|at| usize::try_from(at).ok());
        match name.as_str() {
            "error" => {
                text(&event["message"])?;
                said.error = Some(event.clone());
            }
            "response.failed" => {
                must(
                    said.error.is_some() && event["response"]["status"] == "failed",
                    "no error before",
                    &event,
                )?;
                text(&event["response"]["error"]["code"])?;
                state = "ended";
            }
            "response.created" => {
                must(
                    state.is_empty() && event["response"]["status"] == "in_progress",
                    "first and once",
                    &event,
                )?;
                state = "created";
            }
            "response.in_progress" => {
                must(state == "created", "after response.created", &event)?;
                state = "running";
            }
            "response.output_item.added" => {
                must(
                    state == "running" && at == Some(items.len()),
                    "items follow one another",
                    &event,
                )?;
                must(
                    event["item"]["status"] == "in_progress",
                    "in progress",
                    &event,
                )?;
                items.push((event["item"].clone(), String::new(), false));
            }
            "response.completed" | "response.incomplete" => {
                must(
                    state == "running" && said.error.is_none(),
                    "after all else",
                    &event,
                )?;
                let response = &event["response"];
                must(
                    response["status"] == name.trim_start_matches("response."),
                    "its status",
                    &event,
                )?;
                must(
                    response["usage"]["total_tokens"].is_u64(),
                    "no usage",
                    &event,
                )?;
                let output = response["output"].as_array().ok_or("no output")?;
                must(
                    items.iter().all(|(_, _, done)| *done),
                    "an item is open",
                    &event,
                )?;
                let told: Vec<&Value> = items.iter().map(|(item, _, _)| item).collect();
                must(
                    output.iter().collect::<Vec<_>>() == told,
                    "the whole answer is another one",
                    &event,
                )?;
                said.usage = response["usage"].clone();
                text(&response["model"])?.clone_into(&mut said.model);
                let reason = response["incomplete_details"]["reason"].as_str();
                reason.unwrap_or("completed").clone_into(&mut said.end);
                state = "ended";
            }
            _ => {
                let (item, grown, done) = at
                    .and_then(|at| items.get_mut(at))
                    .ok_or_else(|| format!("no such item: {event}"))?;
                must(!*done, "the item is done", &event)?;
                if name == "response.output_item.done" {
                    let whole = event["item"].clone();
                    must(
                        whole["id"] == item["id"] && whole["type"] == item["type"],
                        "another item",
                        &event,
                    )?;
                    let content = match whole["type"].as_str() {
                        Some("message") => text(&whole["content"][0]["text"])?.to_owned(),
                        Some("reasoning") => whole["summary"][0]["text"]
                            .as_str()
                            .unwrap_or_default()
                            .to_owned(),
                        Some("function_call") => text(&whole["arguments"])?.to_owned(),
                        Some("custom_tool_call") => text(&whole["input"])?.to_owned(),
                        Some("local_shell_call") => whole["action"].to_string(),
                        _ => return Err(format!("an unheard-of item: {event}")),
                    };
                    let has_pieces = whole["type"] != "local_shell_call";
                    must(
                        !has_pieces || content == *grown,
                        "the item is not its pieces",
                        &event,
                    )?;
                    match whole["type"].as_str() {
                        Some("message") => said.text.push_str(&content),
                        Some("reasoning") => said.reasoning.push_str(&content),
                        _ => {
                            let id = text(&whole["call_id"])?;
                            must(!id.is_empty() && id.len() <= 64, "no call_id", &event)?;
                            let name = whole["name"].as_str().unwrap_or("local_shell");
                            said.calls.push((id.to_owned(), name.to_owned(), content));
                        }
                    }
                    *item = whole;
                    *done = true;
                    continue;
                }
                must(event["item_id"] == item["id"], "of another item", &event)?;
                match (name.as_str(), item["type"].as_str().unwrap_or_default()) {
                    ("response.content_part.added", "message")
                    | ("response.reasoning_summary_part.added", "reasoning") => {
                        must(
                            grown.is_empty() && event["part"]["text"] == "",
                            "a part begins empty",
                            &event,
                        )?;
                    }
                    ("response.output_text.delta", "message")
                    | ("response.reasoning_summary_text.delta", "reasoning")
                    | ("response.function_call_arguments.delta", "function_call")
                    | ("response.custom_tool_call_input.delta", "custom_tool_call") => {
                        grown.push_str(text(&event["delta"])?);
                    }
                    ("response.output_text.done", "message")
                    | ("response.reasoning_summary_text.done", "reasoning") => {
                        must(
                            event["text"] == grown.as_str(),
                            "the text is not its pieces",
                            &event,
                        )?;
                    }
                    ("response.content_part.done", "message")
                    | ("response.reasoning_summary_part.done", "reasoning") => {
                        must(
                            event["part"]["text"] == grown.as_str(),
                            "the part is not its pieces",
                            &event,
                        )?;
                    }
                    ("response.function_call_arguments.done", "function_call") => {
                        must(
                            event["arguments"] == grown.as_str(),
                            "the arguments are not their pieces",
                            &event,
                        )?;
                    }
                    ("response.custom_tool_call_input.done", "custom_tool_call") => {
                        must(
                            event["input"] == grown.as_str(),
                            "the input is not its pieces",
                            &event,
                        )?;
                    }
                    _ => return Err(format!("an event of no meaning here: {event}")),
                }
            }
        }
    }
    if state != "ended" {
        return Err("no response.completed".to_owned());
    }
    Ok(said)
}
