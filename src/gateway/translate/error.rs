//! A provider's error on its way back: its status and its words, in the caller's format.

use bytes::Bytes;
use serde_json::Value;

use crate::domain::profile::TranslatedDialect;
use crate::gateway::wire::ir::error::Failure;
use crate::gateway::wire::{chat, messages};

/// The most of a body that is no JSON which is told.
const EXCERPT: usize = 512;

/// Reads an error's body, whatever of the known shapes it has.
pub fn read(status: u16, body: &[u8]) -> Failure {
    let Ok(told) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        let text: String = text.trim().chars().take(EXCERPT).collect();
        return Failure::new(
            status,
            if text.is_empty() {
                format!("status {status}")
            } else {
                text
            },
            "",
        );
    };
    let error = &told["error"];
    let words = [&error["message"], error, &told["message"], &told["detail"]];
    let message = words.into_iter().find_map(Value::as_str);
    let code = error["code"]
        .as_str()
        .or(error["type"].as_str())
        .unwrap_or_default();
    let message = message.map_or_else(|| told.to_string(), str::to_owned);
    Failure::new(status, message, code)
}

/// An error's body for the caller.
pub fn write(caller: TranslatedDialect, failure: &Failure, request_id: &str) -> Bytes {
    let body = match caller {
        TranslatedDialect::Messages => messages::error::write(failure, request_id),
        TranslatedDialect::Chat | TranslatedDialect::Responses => chat::error::write(failure),
    };
    Bytes::from(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_that_is_too_long_is_told_in_the_callers_words() {
        let openai = br#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
        let anthropic = br#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#;
        let told = |caller, body: &[u8]| -> Value {
            serde_json::from_slice(&write(caller, &read(400, body), "req_1")).unwrap()
        };
        let messages = told(TranslatedDialect::Messages, openai);
        assert_eq!(
            messages["error"]["message"],
            "prompt is too long: This model's maximum context length is 8192 tokens."
        );
        assert_eq!(messages["error"]["type"], "invalid_request_error");
        let chat = told(TranslatedDialect::Chat, anthropic);
        assert_eq!(chat["error"]["code"], "context_length_exceeded");
        assert_eq!(
            chat["error"]["message"],
            "prompt is too long: 210000 tokens > 200000 maximum"
        );
    }

    #[test]
    fn every_shape_of_an_error_keeps_its_words() {
        for body in [
            r#"{"error":{"message":"no such model","code":404}}"#,
            r#"{"error":"no such model"}"#,
            r#"{"message":"no such model"}"#,
            r#"{"detail":"no such model"}"#,
            "no such model\n",
        ] {
            assert_eq!(
                read(404, body.as_bytes()).message,
                "no such model",
                "{body}"
            );
        }
    }
}
