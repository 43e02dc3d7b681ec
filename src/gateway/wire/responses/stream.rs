//! Streams of `OpenAI`'s Responses (platform.openai.com/docs/api-reference/responses-streaming).

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;
