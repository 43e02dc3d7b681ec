//! Terminals: the pool, one actor per pane, its pty, its emulator and the way to talk to it.
//!
//! `control`, `remote` and `tui` call [`Pool`] and [`PaneHandle`] and nothing deeper. One thread owns a pane's pty and
//! emulator, so output, input and resizes have one order and no lock; everybody else sends it messages through bounded
//! queues. This room must not know of sockets, providers or how a screen is drawn.

mod actor;
mod ansi;
#[doc(hidden)] // public for the bench and the fuzz target alone
pub mod emulator;
pub mod encode;
mod ending;
mod error;
mod fanout;
mod frames;
mod handle;
mod keyframe;
mod launch;
mod launch_env;
mod mailbox;
mod mirror;
mod pool;
mod pty;
mod remains;
mod seats;
mod session;
mod sgr;
mod slot;
mod text;
mod write_queue;

pub use ansi::row_to_ansi;
pub use error::PaneError;
pub use fanout::{Next, Output};
pub use handle::{Capture, Direction, Match, PaneHandle, RowWindow, ScreenWatch, Search, WaitFor};
pub use keyframe::Keyframe;
pub use launch_env::{LaunchEnv, LaunchEnvSource};
pub use mirror::Mirror;
pub use pool::{Gauge, Pool, PoolOptions};
pub use seats::{Access, Seat, Taken, ViewerId, Writer};
