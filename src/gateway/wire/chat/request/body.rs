//! A request as it is on the wire.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::gateway::wire::chat::details::Detail;
use crate::gateway::wire::ir::json::Json;

#[derive(Deserialize)]
pub(super) struct Body {
    pub model: String,
    pub messages: Vec<Message>,
    #[serde(default)]
    pub stream: Option<bool>,
    pub stream_options: Option<StreamOptions>,
    pub max_completion_tokens: Option<u64>,
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub stop: Option<Stop>,
    pub tools: Option<Vec<ToolDefinition>>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
    pub response_format: Option<ResponseFormat>,
    pub reasoning_effort: Option<String>,
    pub reasoning: Option<Wish>,
    pub verbosity: Option<String>,
    pub user: Option<String>,
    pub safety_identifier: Option<String>,
    pub prompt_cache_key: Option<String>,
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// How `OpenRouter` is told how long to think.
#[derive(Deserialize)]
pub(super) struct Wish {
    pub effort: Option<String>,
    pub max_tokens: Option<u64>,
    pub enabled: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Stop {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub role: String,
    /// Tells apart who speaks in the same role.
    pub name: Option<String>,
    pub content: Option<Contents>,
    pub refusal: Option<String>,
    pub tool_calls: Option<Vec<ToolCall>>,
    pub tool_call_id: Option<String>,
    pub reasoning_content: Option<String>,
    pub reasoning: Option<Json>,
    pub reasoning_details: Option<Vec<Detail>>,
    pub audio: Option<Value>,
    pub function_call: Option<Value>,
}

/// A text, or parts.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Contents {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Default, Deserialize)]
pub(super) struct ContentPart {
    #[serde(rename = "type")]
    pub kind: String,
    pub text: Option<String>,
    pub refusal: Option<String>,
    pub image_url: Option<ImageUrl>,
    pub file: Option<File>,
}

#[derive(Deserialize)]
pub(super) struct ImageUrl {
    pub url: String,
    pub detail: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct File {
    pub filename: Option<String>,
    pub file_data: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ToolCall {
    #[serde(default)]
    pub id: String,
    pub function: Option<FunctionCall>,
}

#[derive(Deserialize)]
pub(super) struct FunctionCall {
    pub name: String,
    pub arguments: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ToolDefinition {
    #[serde(rename = "type")]
    pub kind: String,
    pub function: Option<Function>,
}

#[derive(Deserialize)]
pub(super) struct Function {
    pub name: String,
    pub description: Option<String>,
    pub parameters: Option<Json>,
    pub strict: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ToolChoice {
    Word(String),
    Named(NamedChoice),
}

#[derive(Deserialize)]
pub(super) struct NamedChoice {
    #[serde(rename = "type")]
    pub kind: String,
    pub function: Option<FunctionName>,
    pub allowed_tools: Option<AllowedTools>,
}

#[derive(Deserialize)]
pub(super) struct FunctionName {
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct AllowedTools {
    pub mode: Option<String>,
    #[serde(default)]
    pub tools: Vec<AllowedTool>,
}

#[derive(Deserialize)]
pub(super) struct AllowedTool {
    pub function: Option<FunctionName>,
}

#[derive(Deserialize)]
pub(super) struct ResponseFormat {
    #[serde(rename = "type")]
    pub kind: String,
    pub json_schema: Option<JsonSchema>,
}

#[derive(Deserialize)]
pub(super) struct JsonSchema {
    pub name: Option<String>,
    pub description: Option<String>,
    pub schema: Option<Json>,
    pub strict: Option<bool>,
}
