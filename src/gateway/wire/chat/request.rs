//! Requests of `OpenAI`'s Chat Completions, into the common form and out of it
//! (platform.openai.com/docs/api-reference/chat/create).

mod body;
mod read;
mod write;

pub use read::{choice, document, read, source, thinking, want};
pub use write::{SCHEMA_NAME, effort, error_text, url, write};
