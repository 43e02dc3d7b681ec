//! The commands: what they print, where, and with which exit code.

mod completion;
mod serve;
mod shapes;
mod terminals;
mod usage;

use serde_json::Value;

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[track_caller]
pub fn has_keys(value: &Value, wanted: &[&str]) {
    for key in wanted {
        assert!(keys(value).contains(key), "{key} is missing in {value}");
    }
}

/// Fails unless it is an RFC 3339 time in UTC of the last minutes.
#[track_caller]
pub fn is_recent(value: &Value) {
    let text = value.as_str().unwrap();
    let time: jiff::Timestamp = text.parse().unwrap();
    assert!(text.ends_with('Z'), "{text} is not UTC");
    let age = jiff::Timestamp::now().duration_since(time);
    assert!(age.as_secs() < 600 && age.as_secs() >= -1, "{text}");
}
