//! Terminals: the pool, one actor per pane, its pty, its emulator and the way to talk to it.
//!
//! `control`, `remote` and `tui` call [`Pool`] and [`PaneHandle`] and nothing deeper. One thread owns a pane's pty and
//! emulator, so output, input and resizes have one order and no lock; everybody else sends it messages through bounded
//! queues. This room must not know of sockets, providers or how a screen is drawn.

mod actor;
mod ansi;
mod attach;
mod color_parameter;
#[doc(hidden)] // public for the bench and the fuzz target alone
pub mod emulator;
pub mod encode;
mod error;
mod final_state;
mod frames;
mod handle;
mod keyframe;
mod launch;
mod launch_env;
mod mailbox;
mod mirror;
mod output;
mod pool;
mod pty;
mod session;
mod slot;
mod termination;
mod text;
mod write_queue;

pub use ansi::row_to_ansi;
pub use attach::{Access, Admission, Attachment, ViewerId, Writer};
pub use error::PaneError;
pub use handle::{Capture, Direction, Match, PaneHandle, RowWindow, ScreenWatch, Search, WaitFor};
pub use keyframe::Keyframe;
pub use launch_env::{LaunchEnv, LaunchEnvSource};
pub use mirror::Mirror;
pub use output::{Next, OutputCursor};
pub use pool::{Gauge, Pool, PoolOptions};
