//! What one program hands to the next that goes on in its place, as the same process.
//!
//! A room that has something to keep describes it by shapes of its own, which go into a memory file as JSON: unknown keys
//! are ignored and missing ones are at their default, so that the two programs need not be of one version. Long runs of
//! bytes stand behind the JSON as they are, and descriptors go over by their numbers. Nothing of it touches a disk, since
//! keys are among it. Knows nothing of what the rooms keep.

mod error;
mod exec;
mod incoming;
mod outgoing;
mod values;
mod way_back;

pub use error::HandoverError;
pub use exec::Successor;
pub use incoming::Incoming;
pub use outgoing::{Outgoing, Sealed};
pub use values::{KeptBytes, KeptDescriptor, millis_since, since_millis};
pub use way_back::{arrive, arrived, go_back, prepare as prepare_way_back};

/// The form of the memory file itself. A program takes only what it knows; what stands in it may differ.
pub const FORMAT: u32 = 1;

#[cfg(test)]
mod tests;
