//! What tokens were made of, as both of `OpenAI`'s dialects tell it beside their sums
//! (platform.openai.com/docs/guides/prompt-caching, …/reasoning).

use serde::Deserialize;

use super::ir::answer::Usage;
use super::ir::json::Object;

/// Of the input: what a cache gave and took.
#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

/// Of the output: what was thought.
#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

/// The usage of an answer whose sums are these, each with its details.
pub(super) fn usage(
    input: (Option<u64>, Option<InputDetails>),
    output: (Option<u64>, Option<OutputDetails>),
) -> Usage {
    let (input, input_details) = (input.0, input.1.unwrap_or_default());
    let (output, output_details) = (output.0, output.1.unwrap_or_default());
    Usage::of_whole_input(
        input,
        output,
        input_details.cached_tokens,
        input_details.cache_write_tokens,
        output_details.reasoning_tokens,
    )
}

/// What the input was made of.
pub(super) fn write_input(usage: &Usage) -> Object {
    Object::new()
        .with("cached_tokens", usage.cache_read.unwrap_or_default())
        .with("cache_write_tokens", usage.cache_write.unwrap_or_default())
}

/// What the output was made of.
pub(super) fn write_output(usage: &Usage) -> Object {
    Object::new().with("reasoning_tokens", usage.reasoning.unwrap_or_default())
}
