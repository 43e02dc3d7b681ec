//! What goes wrong in the world, and what tundra makes of it.

mod ending;
mod input;
mod launch;
mod output;
mod world;

/// How much more memory a fault may cost, in KiB: rings and queues, never the flood itself.
pub const ROOM_KIB: u64 = 64 * 1024;
