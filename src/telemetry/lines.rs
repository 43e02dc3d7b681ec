//! The log's lines as they are read again: what level and which target each is of.

use regex::Regex;

use crate::config::LogLevel;

/// Which lines are wanted.
#[derive(Clone, Debug, Default)]
pub struct LineFilter {
    /// This level and those above it.
    pub level: Option<LogLevel>,
    /// What a target begins with.
    pub target: Option<String>,
    pub text: Option<Regex>,
}

/// A line as far as it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'t> {
    /// RFC 3339.
    pub at: &'t str,
    pub level: LogLevel,
    pub target: &'t str,
    /// Message and fields.
    pub text: &'t str,
}

impl LineFilter {
    /// Whether a line is wanted. One that nobody can read is wanted unless level or target are asked for.
    #[must_use]
    pub fn admits(&self, line: &str) -> bool {
        if self.text.as_ref().is_some_and(|text| !text.is_match(line)) {
            return false;
        }
        if self.level.is_none() && self.target.is_none() {
            return true;
        }
        let Some((level, target)) = level_and_target(line) else {
            return false;
        };
        self.level.is_none_or(|most| level <= most)
            && self
                .target
                .as_ref()
                .is_none_or(|wanted| target.starts_with(wanted))
    }
}

/// Level and target of a line of either format.
fn level_and_target(line: &str) -> Option<(LogLevel, String)> {
    if line.starts_with('{') {
        let line = json_line(line)?;
        return Some((line.level, line.target));
    }
    let line = text_line(line)?;
    Some((line.level, line.target.to_owned()))
}

/// A line of JSON, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonLine {
    pub at: String,
    pub level: LogLevel,
    pub target: String,
    /// The message, and the other fields behind it.
    pub text: String,
}

/// Reads a line that was written with `logging.format = "json"`.
#[must_use]
pub fn json_line(line: &str) -> Option<JsonLine> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    let fields = value.get("fields").and_then(serde_json::Value::as_object)?;
    let message = fields.get("message").and_then(serde_json::Value::as_str);
    let mut told = message.unwrap_or_default().to_owned();
    for (name, value) in fields.iter().filter(|(name, _)| *name != "message") {
        told = format!("{told} {name}={value}");
    }
    Some(JsonLine {
        at: text("timestamp")?,
        level: LogLevel::named(&text("level")?)?,
        target: text("target")?,
        text: told.trim_start().to_owned(),
    })
}

/// Reads a line of text: time, level, the spans that it is in, its target, and what it tells.
#[must_use]
pub fn text_line(line: &str) -> Option<LogLine<'_>> {
    let (at, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    let (level, rest) = rest.split_once(' ')?;
    let level = LogLevel::named(level)?;
    let rest = after_spans(rest);
    let (target, text) = rest.split_once(": ")?;
    Some(LogLine {
        at,
        level,
        target,
        text,
    })
}

/// What stands behind the spans (`name{field=value}:other{}: `), whose fields may hold anything in quotes.
fn after_spans(text: &str) -> &str {
    let mut rest = text;
    loop {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let name = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let Some(fields) = rest.get(name..).filter(|fields| fields.starts_with('{')) else {
            return rest;
        };
        let Some(end) = end_of_fields(fields) else {
            return rest;
        };
        let behind = fields.get(end..).unwrap_or_default();
        let Some(behind) = behind.strip_prefix(':') else {
            return rest;
        };
        rest = behind.trim_start();
    }
}

/// Where the braces that a text begins with are closed again.
fn end_of_fields(text: &str) -> Option<usize> {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_u32, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if std::mem::take(&mut is_escaped) => {}
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '{' if !is_quoted => depth += 1,
            '}' if !is_quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_whatever_its_spans_hold() {
        let plain =
            "2026-11-30T04:24:36.805967Z  INFO tundra::app: tundra started version=\"0.1.0\"";
        let read = LogLine {
            at: "2026-11-30T04:24:36.805967Z",
            level: LogLevel::Info,
            target: "tundra::app",
            text: "tundra started version=\"0.1.0\"",
        };
        assert_eq!(text_line(plain), Some(read));
        let within = r#"2026-11-30T04:24:36.8Z DEBUG task{name="a}: b\" c"}:other{n=1}: tundra::app: tundra started version="0.1.0""#;
        let read = LogLine {
            at: "2026-11-30T04:24:36.8Z",
            level: LogLevel::Debug,
            ..read
        };
        assert_eq!(text_line(within), Some(read));
        assert_eq!(text_line("no line of the log"), None);
        assert_eq!(text_line(""), None);
    }

    #[test]
    fn json_is_read_as_text_is() {
        let line = r#"{"timestamp":"2026-11-30T04:24:36Z","level":"WARN","fields":{"message":"no log","n":3},"target":"tundra::app"}"#;
        let read = JsonLine {
            at: "2026-11-30T04:24:36Z".to_owned(),
            level: LogLevel::Warn,
            target: "tundra::app".to_owned(),
            text: "no log n=3".to_owned(),
        };
        assert_eq!(json_line(line), Some(read));
        assert_eq!(json_line("{}"), None);
    }

    #[test]
    fn a_level_means_that_and_above_and_a_target_is_a_beginning() {
        let line = "2026-11-30T04:24:36Z  WARN tundra::store::journal: the disk is full";
        let admits = |level, target: &str, text: &str| {
            let filter = LineFilter {
                level,
                target: Some(target.to_owned()),
                text: Regex::new(text).ok(),
            };
            filter.admits(line)
        };
        assert!(admits(Some(LogLevel::Info), "tundra::store", "disk.*full"));
        assert!(admits(Some(LogLevel::Warn), "", ""));
        assert!(!admits(Some(LogLevel::Error), "", ""));
        assert!(!admits(None, "store", ""));
        assert!(!admits(None, "", "^disk"));
        assert!(LineFilter::default().admits("anything"));
    }
}
