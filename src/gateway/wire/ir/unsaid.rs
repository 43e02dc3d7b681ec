//! Members of a request that the common form has no place for, whatever dialect they are of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::request::Request;

/// Members that change nothing of what is answered: how it is paid for, sped up, kept, cached, labelled and framed.
const SILENT: [&str; 15] = [
    "anthropic_version",
    "cache_control",
    "client_metadata",
    "include",
    "include_reasoning",
    "max_tool_calls",
    "metadata",
    "prediction",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "speed",
    "store",
    "stream_options",
    "usage",
];

/// Names as left out every member of `rest` that asks for something, but for those in `judged`, which its reader has
/// looked at.
pub fn leave_out_rest(rest: &BTreeMap<String, Value>, judged: &[&str], request: &mut Request) {
    for (name, value) in rest {
        let is_known = judged.contains(&name.as_str()) || SILENT.contains(&name.as_str());
        // Any number is a seed.
        let asks = if name == "seed" {
            !value.is_null()
        } else {
            asks(value)
        };
        if asks && !is_known {
            request.leave_out(name);
        }
    }
}

/// Whether a value says another thing than what holds without it.
fn asks(value: &Value) -> bool {
    const USUAL: [&str; 4] = ["auto", "default", "disabled", "standard_only"];
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(word) => !USUAL.contains(&word.as_str()),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_something_is_named_and_what_does_not_is_not() {
        let rest = serde_json::json!({
            "n": 2, "seed": 0, "logit_bias": {}, "frequency_penalty": 0.0, "presence_penalty": 0.5,
            "top_k": null, "service_tier": "auto", "repetition_penalty": 1.1,
            "metadata": {"a": "b"}, "store": true, "plugins": [{"id": "web"}], "sp ace": true,
        });
        let rest = serde_json::from_value(rest).unwrap();
        let mut request = Request::default();
        leave_out_rest(&rest, &["n"], &mut request);
        assert_eq!(
            request.left_out,
            [
                "plugins",
                "presence_penalty",
                "repetition_penalty",
                "seed",
                "sp_ace"
            ]
        );
    }
}
