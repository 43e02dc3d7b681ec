//! Streams of Anthropic's Messages (platform.claude.com/docs/en/build-with-claude/streaming).

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;
