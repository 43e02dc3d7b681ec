//! Streams of `OpenAI`'s Chat Completions (platform.openai.com/docs/api-reference/chat-streaming), as they are told by
//! those who imitate them too.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;
