//! Requests of `OpenAI`'s Responses, into the common form and out of it
//! (platform.openai.com/docs/api-reference/responses/create).

mod read;
mod write;

pub use read::read;
pub use write::write;
