//! What was gathered, written as this configuration says it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::sources::{Sources, text};
use crate::domain::profile::ProviderKind;

/// Parts of a name that make a header or a member a secret.
const SECRET_NAMES: [&str; 6] = ["auth", "key", "token", "secret", "cookie", "password"];

/// What can be appended to a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// TOML that stands on its own; empty where there was nothing.
    pub text: String,
    /// The profiles in it.
    pub profiles: Vec<String>,
    /// What was left out or changed, for people.
    pub remarks: Vec<String>,
    /// What the user has to say yes to first.
    pub doubts: Vec<String>,
}

/// Writes what is to be appended to the configuration `present`.
pub(super) fn write(sources: Sources, present: &str) -> Import {
    let mut import = Import::default();
    let mut writer = Writer {
        usage: sources.usage,
        remarks: sources.remarks,
    };
    let breaker = writer.breaker_text(&sources.breaker, present);
    let mut text = String::new();
    for (name, members) in &sources.profiles {
        if let Some(table) = writer.profile_text(name, members) {
            let _ = write!(text, "\n{table}");
            import.profiles.push(name.clone());
        }
    }
    if !breaker.is_empty() {
        text.insert_str(0, &format!("\n{breaker}"));
    }
    if !text.is_empty() {
        import.text = format!("\n# Imported from the files of the predecessor.\n{text}");
    }
    import.remarks = writer.remarks;
    import
}

/// Writes tables, and remarks on what they leave out.
struct Writer {
    /// By a profile's name or id.
    usage: BTreeMap<String, String>,
    remarks: Vec<String>,
}

impl Writer {
    fn breaker_text(&mut self, breaker: &Map<String, Value>, present: &str) -> String {
        if breaker.is_empty() {
            return String::new();
        }
        let taken = present
            .parse::<toml::Table>()
            .is_ok_and(|table| table.contains_key("circuit_breaker"));
        if taken {
            let text =
                "harness.toml: [circuit_breaker] was left out, since the configuration has one";
            self.remarks.push(text.to_owned());
            return String::new();
        }
        let mut lines = String::from("[circuit_breaker]\n");
        for key in [
            "failure_threshold",
            "timeout_threshold",
            "success_threshold",
            "half_open_requests",
        ] {
            if let Some(number) = breaker.get(key).and_then(Value::as_u64) {
                let _ = writeln!(lines, "{key} = {number}");
            }
        }
        let open_for = ["timeout_secs", "timeout_seconds", "timeout", "open_for"]
            .iter()
            .find_map(|key| breaker.get(*key));
        match open_for {
            Some(Value::Number(seconds)) => {
                let _ = writeln!(lines, "open_for = \"{seconds}s\"");
            }
            Some(Value::String(span)) => {
                let _ = writeln!(lines, "open_for = {}", quoted(span));
            }
            _ => {}
        }
        lines
    }

    /// One `[[profile]]`; none where nobody can tell whose it is.
    fn profile_text(&mut self, name: &str, members: &Map<String, Value>) -> Option<String> {
        let said = text(members, &["provider", "kind"]);
        let Some((kind, is_custom)) = said.map_or_else(|| guessed(name), provider) else {
            let of = said.map_or_else(
                || "it names no provider".to_owned(),
                |said| format!("there is no provider {said:?} here"),
            );
            self.remarks
                .push(format!("profile {name} was left out: {of}"));
            return None;
        };
        if said.is_none() {
            self.remarks.push(format!(
                "profile {name}: no provider was given, {} is taken from its name",
                kind.as_str()
            ));
        }
        let mut lines = String::new();
        let ids = [Some(name), text(members, &["id"])];
        if let Some(used) = ids.into_iter().flatten().find_map(|id| self.usage.get(id)) {
            let _ = writeln!(lines, "# used so far: {used}");
        }
        let _ = writeln!(lines, "[[profile]]\nname = {}", quoted(name));
        let _ = writeln!(lines, "provider = {}", quoted(kind.as_str()));
        if is_custom {
            lines.push_str("dialect = [\"chat\"]\n");
        }
        if let Some(url) = text(members, &["base_url"]) {
            let _ = writeln!(lines, "base_url = {}", quoted(url));
        }
        self.key_line(name, kind, members, &mut lines);
        if let Some(model) = text(members, &["default_model", "model"]) {
            let _ = writeln!(lines, "default_model = {}", quoted(model));
        }
        if let Some(priority) = members.get("priority").and_then(Value::as_i64) {
            let _ = writeln!(lines, "priority = {priority}");
        }
        if let Some(enabled) = members.get("enabled").and_then(Value::as_bool) {
            let _ = writeln!(lines, "enabled = {enabled}");
        }
        for key in ["rate_limit_rpm", "rate_limit_tpm", "burst", "max_tokens"] {
            // There, no limit is 0 or null.
            match members.get(key).and_then(Value::as_u64) {
                Some(0) | None => {}
                Some(number) => {
                    let _ = writeln!(lines, "{key} = {number}");
                }
            }
        }
        self.header_line(name, members, &mut lines);
        Some(lines)
    }

    fn key_line(
        &mut self,
        name: &str,
        kind: ProviderKind,
        members: &Map<String, Value>,
        lines: &mut String,
    ) {
        if members.contains_key("api_key") {
            self.remarks.push(format!(
                "profile {name}: its key was not copied; set it in a variable"
            ));
        }
        match text(members, &["api_key_env"]) {
            // Optional there; a key that is named here must be set.
            Some("LOCAL_API_KEY") if kind == ProviderKind::Local => {}
            Some(variable) if is_variable(variable) => {
                let _ = writeln!(lines, "api_key_env = {}", quoted(variable));
            }
            Some(_) => self.remarks.push(format!(
                "profile {name}: api_key_env was left out, since it is no variable's name"
            )),
            None => {}
        }
    }

    fn header_line(&mut self, name: &str, members: &Map<String, Value>, lines: &mut String) {
        let headers = ["custom_headers", "headers"]
            .iter()
            .find_map(|key| members.get(*key)?.as_object());
        let mut kept = Vec::new();
        for (header, value) in headers.into_iter().flatten() {
            let lower = header.to_ascii_lowercase();
            let Some(value) = value.as_str() else {
                continue;
            };
            if SECRET_NAMES.iter().any(|secret| lower.contains(secret)) {
                self.remarks.push(format!(
                    "profile {name}: the header {header} may hold a secret and was not copied"
                ));
            } else {
                kept.push(format!("{} = {}", quoted(header), quoted(value)));
            }
        }
        if !kept.is_empty() {
            let _ = writeln!(lines, "headers = {{ {} }}", kept.join(", "));
        }
    }
}

/// A provider by its name there, and whether it was one of the user's own.
fn provider(name: &str) -> Option<(ProviderKind, bool)> {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    Some(match plain.as_str() {
        "anthropic" | "claude" => (ProviderKind::Anthropic, false),
        "openrouter" => (ProviderKind::OpenRouter, false),
        "openai" => (ProviderKind::OpenAi, false),
        "local" | "ollama" | "vllm" | "llamacpp" => (ProviderKind::Local, false),
        "custom" => (ProviderKind::Local, true),
        _ => return None,
    })
}

/// A provider that a profile's name begins with or speaks of.
fn guessed(name: &str) -> Option<(ProviderKind, bool)> {
    let lower = name.to_ascii_lowercase();
    ProviderKind::ALL
        .into_iter()
        .find(|kind| lower.contains(kind.as_str()))
        .map(|kind| (kind, false))
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
