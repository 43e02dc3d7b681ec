//! Requests of Anthropic's Messages, into the common form and out of it
//! (platform.claude.com/docs/en/api/messages, …/tool-use, …/extended-thinking).

mod body;
mod read;
mod write;

pub use read::read;
pub use write::{arguments, in_loop_without_thinking, write};
