//! Errors of `OpenAI`'s dialects (platform.openai.com/docs/guides/error-codes).

use serde_json::{Value, json};

use super::super::ir::error::Failure;

/// What clients look for to know that they have to shorten the conversation.
const TOO_LONG: &str = "context_length_exceeded";

/// The error's type and code for a status.
pub fn kind_of(status: u16) -> (&'static str, Option<&'static str>) {
    match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        402 => ("insufficient_quota", Some("insufficient_quota")),
        403 => ("permission_error", None),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("rate_limit_error", Some("rate_limit_exceeded")),
        503 | 529 => ("server_error", Some("service_unavailable")),
        400..=499 => ("invalid_request_error", None),
        _ => ("server_error", None),
    }
}

/// The error, as it stands in a body or in an event.
pub fn error(failure: &Failure) -> Value {
    let (kind, code) = kind_of(failure.status);
    let code = if failure.too_long {
        Some(TOO_LONG)
    } else {
        code
    };
    json!({"message": failure.message, "type": kind, "param": null, "code": code})
}

/// An error's body.
pub fn write(failure: &Failure) -> Value {
    json!({"error": error(failure)})
}
