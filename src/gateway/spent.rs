//! Whether a refusal speaks of a budget that is spent, so that waiting a minute does not help. The words are data.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::wire::generate;
use crate::domain::cooldown::{AT_ONCE, LONGEST_RESET};

/// The vendors' words and codes, with where they are documented.
const TABLE: &str = include_str!("../../assets/spent.json");

#[derive(Debug, Default, Deserialize)]
struct Table {
    codes: Vec<String>,
    phrases: Vec<String>,
    resets: Resets,
}

/// Where a body tells when the budget is there again.
#[derive(Debug, Default, Deserialize)]
struct Resets {
    in_seconds: Vec<String>,
    at: Vec<String>,
    after_phrases: Vec<String>,
}

/// A budget that is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// How long until it is there again, where the provider tells.
    pub reset: Option<Duration>,
}

/// Reads an error's body as of `now`.
pub fn read(body: &[u8], now: Timestamp) -> Option<Spent> {
    let body = serde_json::from_slice::<Value>(body).ok()?;
    let error = &body["error"];
    let codes = [
        &error["code"],
        &error["type"],
        &error["details"]["error_code"],
    ];
    let message = error["message"].as_str().unwrap_or_default();
    let lower = message.to_ascii_lowercase();
    let named = codes.into_iter().filter_map(Value::as_str).any(is_code) || generate::spent(&body);
    (named || is_phrase(&lower)).then(|| Spent {
        reset: reset(&body, &lower, now),
    })
}

/// Whether a code alone says so.
pub fn is_code(code: &str) -> bool {
    table().codes.iter().any(|known| known == code)
}

/// Whether a message says so.
pub fn is_phrase(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let mut phrases = table().phrases.iter();
    phrases.any(|phrase| message.contains(phrase))
}

fn reset(body: &Value, message: &str, now: Timestamp) -> Option<Duration> {
    let resets = &table().resets;
    let within = resets
        .in_seconds
        .iter()
        .find_map(|path| at_path(body, path).as_f64())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let at = || {
        let told = resets.at.iter().find_map(|path| time(at_path(body, path)));
        told.or_else(|| {
            let mut phrases = resets.after_phrases.iter();
            phrases.find_map(|phrase| date_after(message, phrase))
        })
        .map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default())
    };
    within
        .or_else(at)
        .map(|wait| wait.clamp(AT_ONCE, LONGEST_RESET))
}

fn at_path<'v>(body: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(body, |value, key| &value[key])
}

/// Seconds since 1970, or RFC 3339.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(seconds) => Timestamp::from_second(seconds.as_i64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A date such as `2026-12-01 at 00:00 utc` that follows a phrase.
fn date_after(message: &str, phrase: &str) -> Option<Timestamp> {
    let (_, rest) = message.split_once(phrase)?;
    let mut words = rest.split_whitespace();
    let date = words.next()?.trim_end_matches('.');
    let clock = words.find(|word| word.contains(':'))?;
    format!("{date}T{clock}:00Z").parse().ok()
}

fn table() -> &'static Table {
    static READ: OnceLock<Table> = OnceLock::new();
    READ.get_or_init(|| serde_json::from_str(TABLE).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_budget_is_told_from_a_rate() {
        let table = [
            (
                r#"{"error":{"message":"x","type":"insufficient_quota","code":"insufficient_quota"}}"#,
                true,
            ),
            (
                r#"{"error":{"message":"x","type":"requests","code":"project_spend_limit_exceeded"}}"#,
                true,
            ),
            (
                r#"{"type":"error","error":{"type":"rate_limit_error","message":"no","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
                true,
            ),
            (
                r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's monthly Spend Limit."}}"#,
                true,
            ),
            (
                r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit."}}"#,
                false,
            ),
            (
                r#"{"error":{"message":"Rate limit reached for gpt-4o in organization","type":"tokens","code":"rate_limit_exceeded"}}"#,
                false,
            ),
            (r#"{"message":"spend limit"}"#, false),
            (r#"{"error":"spend limit"}"#, false),
            ("spend limit", false),
            ("", false),
        ];
        for (body, expected) in table {
            assert_eq!(read(body.as_bytes(), now()).is_some(), expected, "{body}");
        }
    }

    fn now() -> Timestamp {
        "2026-11-29T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_reset_is_read_where_one_is_told() {
        let table = [
            (
                r#"{"error":{"type":"usage_limit_reached","message":"x","resets_in_seconds":90}}"#,
                Some(90),
            ),
            (
                r#"{"error":{"type":"usage_limit_reached","message":"x","resets_at":1795954200}}"#,
                Some(600),
            ),
            (
                r#"{"error":{"type":"rate_limit_error","message":"You have reached your specified API usage limits. You will regain access on 2026-11-29 at 13:00 UTC."}}"#,
                Some(3_600),
            ),
            (r#"{"error":{"code":"insufficient_quota"}}"#, None),
        ];
        for (body, seconds) in table {
            let spent = read(body.as_bytes(), now()).unwrap();
            assert_eq!(spent.reset, seconds.map(Duration::from_secs), "{body}");
        }
    }
}
