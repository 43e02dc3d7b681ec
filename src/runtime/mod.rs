//! The process's footing: its tasks, the signals it gets, and how it ends.
//!
//! Every task is spawned here, so that shutdown can wait for all of them. Knows nothing of terminals or screens.

pub mod background;
pub mod connections;
pub mod descriptors;
pub mod dial;
pub mod encoded_path;
pub mod fault;
pub mod folders;
pub mod handover;
pub mod init;
pub mod lend;
pub mod limits;
pub mod once;
pub mod ports;
pub mod prefixed;
pub mod private;
pub mod proc;
pub mod programs;
pub mod secrets;
pub mod signals;
pub mod tasks;
pub mod user_namespace;
pub mod version;
pub mod wiping;
