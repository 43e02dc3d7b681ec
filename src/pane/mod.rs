//! Terminals: the pool, one thread per pane, its pty, its emulator and the way to talk to it.
//!
//! `control`, `remote` and `tui` call [`Pool`], [`PaneHandle`] and [`Attachment`] and nothing deeper. One thread owns a
//! pane's pty and emulator (`actor`), so output, input and resizes have one order and no lock; everybody else sends it
//! messages through a bounded queue (`mailbox`). What thread and handles share (`parts`) is the facts, that queue, the
//! output for viewers, the screen for the front end, and what is left of it all in the end. This room must not know of
//! sockets, providers or how a screen is drawn.

mod activity;
mod actor;
mod ansi;
mod attach;
mod backdrop;
mod branch;
mod child;
mod color_parameter;
mod confine;
#[doc(hidden)] // public for the bench and the fuzz target alone
pub mod emulator;
pub mod encode;
mod error;
mod facts;
mod final_state;
mod foreground;
mod frames;
mod frozen;
mod glimpse;
mod handle;
mod kept;
mod keyframe;
mod launch;
mod launch_env;
mod limits;
mod listeners;
mod mailbox;
mod mirror;
mod observer;
mod options;
mod output;
mod parts;
mod pool;
mod pty;
mod publisher;
mod query;
mod reader;
mod readiness;
mod registry;
mod resume;
mod screen_feed;
mod session;
mod termination;
mod text;
mod text_wait;
mod thread;
mod write_queue;

pub use activity::Activity;
pub use ansi::row_to_ansi;
pub use attach::Attachment;
pub use error::PaneError;
pub use glimpse::Glimpse;
pub use handle::PaneHandle;
pub use kept::KeptPool;
pub use keyframe::Keyframe;
pub use launch_env::{LaunchEnv, LaunchEnvSource, LaunchRequest};
pub use mirror::{HostRequests, Mirror};
pub use options::{PoolOptions, PrivateFolders};
pub use output::{Next, OutputCursor};
pub use pool::{Gauge, Pool, PoolSetup};
pub use query::{Capture, Direction, Match, PlacesNow, RowWindow, Search, WaitFor};
pub use screen_feed::ScreenWatch;
pub use text::capture_text;
