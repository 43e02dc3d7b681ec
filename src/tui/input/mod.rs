//! What the outer terminal sends: bytes in, keys, mouse, pastes and answers out.
//!
//! `decode` is a pure state machine; `reader` is the one thread that reads. This room must not know what a key does.

mod begun;
mod csi;
mod decode;
mod event;
mod reader;

pub use begun::Begun;
pub use event::{InputEvent, Reply};
pub use reader::{READING_ENDS_WITHIN, spawn};
