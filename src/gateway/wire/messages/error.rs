//! Errors of Anthropic's Messages (platform.claude.com/docs/en/api/errors).

use serde_json::{Value, json};

use super::super::ir::error::Failure;

/// What clients look for to know that they have to shorten the conversation.
const TOO_LONG: &str = "prompt is too long";

/// The error's type for a status.
pub fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 | 529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

/// An error's body.
pub fn write(failure: &Failure, request_id: &str) -> Value {
    json!({
        "type": "error",
        "error": {"type": kind_of(failure.status), "message": words(failure)},
        "request_id": request_id,
    })
}

/// The provider's words, begun with those that clients of this dialect know.
pub fn words(failure: &Failure) -> String {
    let known = failure.message.to_ascii_lowercase().contains(TOO_LONG);
    if failure.too_long && !known {
        format!("{TOO_LONG}: {}", failure.message)
    } else {
        failure.message.clone()
    }
}
