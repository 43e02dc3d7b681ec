//! Tools that Responses alone knows, and the functions that stand for them elsewhere: free text (`custom`), the argument
//! list of `local_shell`, and tools that lie in a `namespace`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::ir::answer::Call;
use super::super::ir::json::{Json, Object};
use super::super::ir::request::{Form, FormKind, Request, Tool};

/// The one argument of a function that stands for a tool of free text.
pub const CUSTOM_INPUT: &str = "input";
pub const LOCAL_SHELL: &str = "local_shell";

#[derive(Deserialize)]
pub struct ToolDefinition {
    #[serde(rename = "type", default)]
    kind: String,
    name: Option<String>,
    description: Option<String>,
    parameters: Option<Json>,
    strict: Option<bool>,
    format: Option<CustomFormat>,
    /// Of a namespace.
    tools: Option<Vec<ToolDefinition>>,
}

#[derive(Deserialize)]
struct CustomFormat {
    #[serde(rename = "type")]
    kind: String,
    syntax: Option<String>,
    definition: Option<String>,
}

/// Adds a tool to the request as the function that stands for it; one that runs at the vendor's is left out.
pub fn declare(tool: ToolDefinition, namespace: Option<&str>, request: &mut Request) {
    let name = tool.name.unwrap_or_default();
    let (kind, declared) = match tool.kind.as_str() {
        "namespace" => {
            let path = namespace.map_or_else(|| name.clone(), |outer| join(outer, &name));
            for inner in tool.tools.unwrap_or_default() {
                declare(inner, Some(&path), request);
            }
            return;
        }
        "function" => (
            FormKind::Function,
            Tool {
                name: flat(namespace, &name),
                description: tool.description,
                parameters: tool.parameters,
                strict: tool.strict,
            },
        ),
        "custom" => (
            FormKind::Custom,
            Tool {
                name: flat(namespace, &name),
                description: Some(describe(tool.description, tool.format)),
                parameters: Json::of(&json!({
                    "type": "object",
                    "properties": {CUSTOM_INPUT: {"type": "string", "description": "The tool's whole input, as it is."}},
                    "required": [CUSTOM_INPUT], "additionalProperties": false,
                })),
                strict: None,
            },
        ),
        "local_shell" => (
            FormKind::LocalShell,
            Tool {
                name: LOCAL_SHELL.to_owned(),
                description: Some("Runs a command on the user's machine.".to_owned()),
                parameters: Json::of(&json!({
                    "type": "object",
                    "properties": {
                        "command": {
                            "type": "array", "items": {"type": "string"},
                            "description": "The program and its arguments.",
                        },
                        "working_directory": {"type": "string"},
                        "timeout_ms": {"type": "integer"},
                    },
                    "required": ["command"],
                })),
                strict: None,
            },
        ),
        hosted => return request.leave_out(hosted),
    };
    if kind != FormKind::Function || namespace.is_some() {
        let form = Form {
            name: if kind == FormKind::LocalShell {
                LOCAL_SHELL.to_owned()
            } else {
                name
            },
            namespace: namespace.map(str::to_owned),
            kind,
        };
        request.forms.insert(declared.name.clone(), form);
    }
    // A tool that is declared again is the same tool.
    request.tools.retain(|known| known.name != declared.name);
    request.tools.push(declared);
}

fn describe(description: Option<String>, format: Option<CustomFormat>) -> String {
    let mut text = description.unwrap_or_default();
    if let Some(format) = format
        && format.kind == "grammar"
        && let Some(definition) = format.definition
    {
        let syntax = format.syntax.unwrap_or_default();
        text.push_str("\n\nThe input follows this ");
        text.push_str(&syntax);
        text.push_str(" grammar:\n");
        text.push_str(&definition);
    }
    text
}

/// The name of the function that stands for a tool; one that was called and is declared no more is named all the same.
pub fn flat_name(namespace: Option<&str>, name: &str, request: &Request) -> String {
    let is_known = |flat: &str| {
        request.forms.contains_key(flat) || request.tools.iter().any(|tool| tool.name == flat)
    };
    let whole = flat(namespace, name);
    if namespace.is_some() || is_known(&whole) {
        return whole;
    }
    // Clients leave the namespace away where the name alone says enough.
    let mut forms = request.forms.iter().filter(|(_, form)| form.name == name);
    match (forms.next(), forms.next()) {
        (Some((flat, _)), None) => flat.clone(),
        _ => whole,
    }
}

fn flat(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| join(namespace, name))
}

fn join(namespace: &str, name: &str) -> String {
    let between = if namespace.ends_with('_') { "" } else { "__" };
    format!("{namespace}{between}{name}")
}

/// The arguments of the function that stands for a shell call.
pub fn shell_arguments(action: Option<&Json>) -> String {
    let action: Value = action
        .and_then(|action| serde_json::from_str(action.text()).ok())
        .unwrap_or_default();
    let mut arguments = json!({"command": action["command"]});
    for name in ["working_directory", "timeout_ms"] {
        if !action[name].is_null() {
            arguments[name] = action[name].clone();
        }
    }
    arguments.to_string()
}

/// A function as it is declared here. What is strict unless it says otherwise says so.
pub fn write(tool: &Tool) -> Object {
    let parameters = tool
        .parameters
        .clone()
        .or_else(|| Json::parse(r#"{"type":"object","properties":{}}"#));
    Object::new()
        .with("type", "function")
        .with("name", &tool.name)
        .with_some("description", tool.description.as_ref())
        .with_some("parameters", parameters)
        .with("strict", tool.strict.unwrap_or_default())
}

/// A call's item as it was declared; `arguments` are all of them, or none where they are still to come.
pub fn write_call(call: &Call, form: Option<&Form>, item_id: &str, status: &str) -> Object {
    let (name, namespace) = form.map_or((call.name.as_str(), None), |form| {
        (form.name.as_str(), form.namespace.as_deref())
    });
    let item = |kind: &str, prefix: &str| {
        Object::new()
            .with("id", format!("{prefix}_{item_id}"))
            .with("type", kind)
            .with("status", status)
            .with("call_id", &call.id)
    };
    let named = |item: Object| item.with("name", name).with_some("namespace", namespace);
    match form.map_or(FormKind::Function, |form| form.kind) {
        FormKind::Function => named(item("function_call", "fc")).with("arguments", &call.arguments),
        FormKind::Custom => {
            named(item("custom_tool_call", "ctc")).with("input", custom_input(&call.arguments))
        }
        FormKind::LocalShell => {
            item("local_shell_call", "lsh").with("action", shell_action(&call.arguments))
        }
    }
}

/// The free text in a function's arguments; where a model ignored the schema, what it wrote instead.
pub fn custom_input(arguments: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(arguments).ok();
    match parsed {
        Some(Value::Object(members)) => {
            let only = || members.values().next().filter(|_| members.len() == 1);
            let text = members
                .get(CUSTOM_INPUT)
                .or_else(only)
                .and_then(Value::as_str);
            text.map_or_else(|| arguments.to_owned(), str::to_owned)
        }
        Some(Value::String(text)) => text,
        _ => arguments.to_owned(),
    }
}

fn shell_action(arguments: &str) -> Value {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    let command = match &arguments["command"] {
        Value::String(line) => json!(["bash", "-lc", line]),
        Value::Array(list) => json!(list),
        _ => json!([]),
    };
    json!({
        "type": "exec", "command": command, "env": {},
        "working_directory": arguments["working_directory"], "timeout_ms": arguments["timeout_ms"],
    })
}
