//! What the predecessor's files say, written as this configuration says it.
//!
//! `api_profiles.json` holds profiles, `harness.toml` their limits and the breaker, `profile_usage.json` what was used
//! so far, which has no place in a configuration but a remark. Keys are never copied, only the names of variables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde_json::{Map, Value};

use super::error::Fault;
use super::load::parse;
use crate::domain::profile::{Profile, ProviderKind};

/// A file larger than this holds no profiles.
const MAX_BYTES: u64 = 4 << 20;
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

/// Why nothing can be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{} has neither api_profiles.json nor harness.toml, in itself or in its folder config", .0.display())]
    Nothing(PathBuf),
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {message}", .path.display())]
    Malformed { path: PathBuf, message: String },
    #[error("these profiles are configured already: {}; rename or remove them first", .0.join(", "))]
    Exists(Vec<String>),
    /// The files hold values that no configuration may have.
    #[error("what was read cannot be a configuration: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Impossible(Vec<Fault>),
}

/// Reads the files of `folder` and writes what is to be appended to the configuration `present`. Only regular files are
/// read, and none that is larger than 4 MiB.
///
/// # Errors
/// [`ImportError`] where there is nothing to import, or where it cannot stand beside what is configured.
pub fn import(folder: &Path, present: &str) -> Result<Import, ImportError> {
    let profiles = read(folder, "config", "api_profiles.json")?;
    let harness = read(folder, "config", "harness.toml")?;
    let usage = read(folder, "data", "profile_usage.json")?;
    if profiles.is_none() && harness.is_none() {
        return Err(ImportError::Nothing(folder.to_owned()));
    }
    let mut sources = Sources::default();
    if let Some(file) = profiles {
        let json = serde_json::from_str(&file.text).map_err(|error| file.malformed(&error))?;
        sources.add_profiles(&json);
    }
    if let Some(file) = harness {
        let table: toml::Table = file
            .text
            .parse()
            .map_err(|error: toml::de::Error| file.malformed(&error.message()))?;
        let json = serde_json::to_value(table).map_err(|error| file.malformed(&error))?;
        sources.add_harness(&json);
    }
    if let Some(file) = usage {
        let json = serde_json::from_str(&file.text).map_err(|error| file.malformed(&error))?;
        sources.add_usage(&json);
    }
    let mut import = sources.write(present);
    import.doubts = check(&import, present)?;
    Ok(import)
}

/// Refuses names that are taken, and values that the configuration would refuse. Tells what is doubtful in the rest.
fn check(import: &Import, present: &str) -> Result<Vec<String>, ImportError> {
    if let Ok(settings) = parse("config.toml", present) {
        let taken: Vec<String> = import
            .profiles
            .iter()
            .filter(|name| {
                let mut configured = settings.profiles.iter();
                configured.any(|profile| profile.name.as_str() == *name)
            })
            .cloned()
            .collect();
        if !taken.is_empty() {
            return Err(ImportError::Exists(taken));
        }
    }
    let settings = parse("import", &import.text).map_err(ImportError::Impossible)?;
    parse("config.toml", &format!("{present}\n{}", import.text))
        .map_err(ImportError::Impossible)?;
    Ok(settings.profiles.iter().flat_map(doubts).collect())
}

/// What somebody who wrote the files could have had in mind: to be sent any secret of the environment, or to read along.
fn doubts(profile: &Profile) -> Vec<String> {
    let Profile { name, base_url, .. } = profile;
    let known = ProviderKind::ALL
        .into_iter()
        .filter_map(ProviderKind::key_env);
    let mut doubts = Vec::new();
    if let Some(variable) = profile.key_env.as_deref().filter(|variable| {
        let mut known = known.clone();
        !known.any(|known| known == *variable)
    }) {
        doubts.push(format!(
            "profile {name}: the value of {variable}, a variable of no known provider, would be sent to {base_url}"
        ));
    }
    if base_url.starts_with("http://") && !is_loopback(base_url) {
        doubts.push(format!(
            "profile {name}: {base_url} is in the clear: key and prompts can be read on the way"
        ));
    }
    doubts
}

/// Whether an address is this machine's own.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn malformed(&self, message: &dyn ToString) -> ImportError {
        ImportError::Malformed {
            path: self.path.clone(),
            message: message.to_string(),
        }
    }
}

/// A file in a subfolder of the folder, or in the folder itself.
fn read(folder: &Path, within: &str, name: &str) -> Result<Option<Source>, ImportError> {
    for path in [folder.join(within).join(name), folder.join(name)] {
        let failed = |source| ImportError::Unreadable {
            path: path.clone(),
            source,
        };
        // Opened without waiting for whoever writes into a pipe.
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is no file")));
        }
        let mut text = String::new();
        file.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(failed(io::Error::other("it is larger than 4MiB")));
        }
        return Ok(Some(Source { path, text }));
    }
    Ok(None)
}

/// Everything read, profile by profile.
#[derive(Default)]
struct Sources {
    /// In the order in which they were met.
    profiles: Vec<(String, Map<String, Value>)>,
    breaker: Map<String, Value>,
    /// By a profile's name or id.
    usage: BTreeMap<String, String>,
    remarks: Vec<String>,
}

impl Sources {
    fn add_profiles(&mut self, json: &Value) {
        let list = match json {
            Value::Object(object) => object.get("profiles").unwrap_or(json),
            _ => json,
        };
        for profile in list.as_array().into_iter().flatten() {
            self.merge(profile);
        }
    }

    fn add_harness(&mut self, json: &Value) {
        for key in ["profile", "profiles"] {
            for profile in json[key].as_array().into_iter().flatten() {
                self.merge(profile);
            }
        }
        if let Some(breaker) = json["circuit_breaker"].as_object() {
            self.breaker.clone_from(breaker);
        }
        if json.get("rate_limit").is_some() {
            let text = "harness.toml: [rate_limit] has no counterpart: limits belong to profiles";
            self.remarks.push(text.to_owned());
        }
    }

    fn add_usage(&mut self, json: &Value) {
        let rows: Vec<(Option<&str>, &Value)> = match json {
            Value::Array(rows) => rows.iter().map(|row| (None, row)).collect(),
            Value::Object(rows) => rows
                .iter()
                .map(|(name, row)| (Some(name.as_str()), row))
                .collect(),
            _ => Vec::new(),
        };
        for (name, row) in rows {
            let id = row["profile_id"].as_str().or(row["name"].as_str()).or(name);
            let Some(id) = id else { continue };
            let count = |key: &str| row[key].as_u64().unwrap_or(0);
            let mut text = format!(
                "{} requests, {} errors, {} rate limits",
                count("total_requests"),
                count("total_errors"),
                count("total_rate_limits")
            );
            if let Some(spent) = row["estimated_spend_usd"].as_f64() {
                let _ = write!(text, ", ${spent:.2}");
            }
            self.usage.insert(id.to_owned(), text);
        }
    }

    /// Adds a profile, or what is said anew of one that is known by name.
    fn merge(&mut self, profile: &Value) {
        let Some(members) = profile.as_object() else {
            return;
        };
        let name = text(members, &["name"]).or(text(members, &["id"]));
        let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
            self.remarks
                .push("a profile without a name was left out".to_owned());
            return;
        };
        let known = self.profiles.iter_mut().find(|(other, _)| other == name);
        match known {
            Some((_, known)) => known.extend(members.clone()),
            None => self.profiles.push((name.to_owned(), members.clone())),
        }
    }

    fn write(mut self, present: &str) -> Import {
        let mut import = Import::default();
        let breaker = self.breaker_text(present);
        let profiles = std::mem::take(&mut self.profiles);
        let mut text = String::new();
        for (name, members) in &profiles {
            if let Some(table) = self.profile_text(name, members) {
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
        import.remarks = self.remarks;
        import
    }

    fn breaker_text(&mut self, present: &str) -> String {
        if self.breaker.is_empty() {
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
            if let Some(number) = self.breaker.get(key).and_then(Value::as_u64) {
                let _ = writeln!(lines, "{key} = {number}");
            }
        }
        let open_for = ["timeout_secs", "timeout_seconds", "timeout", "open_for"]
            .iter()
            .find_map(|key| self.breaker.get(*key));
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

fn text<'v>(members: &'v Map<String, Value>, keys: &[&str]) -> Option<&'v str> {
    keys.iter()
        .find_map(|key| members.get(*key)?.as_str())
        .filter(|text| !text.is_empty())
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

#[cfg(test)]
mod tests;
