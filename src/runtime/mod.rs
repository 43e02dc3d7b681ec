//! The process's footing: its tasks, the signals it gets, and how it ends.
//!
//! Every task is spawned here, so that shutdown can wait for all of them. Knows nothing of terminals or screens.

pub mod signals;
pub mod tasks;
