//! The local socket: how the commands reach the running instance.
//!
//! `app` binds and serves it, `cli` is its client; the JSON shapes of [`shapes`] are also what other borders answer.
//! One request is one line of JSON and so is its reply. Only the same user (or root) is served, no request and no
//! client can hold up another, and whatever arrives is bounded before it is looked at. This room must not know how a
//! reply is printed.

mod client;
mod error;
mod instance;
pub mod pattern;
mod protocol;
mod server;
pub mod shapes;
mod socket;

pub use client::AskAnswer;
pub use client::{Client, Ended, NewTerminal, Typed, Until};
pub use error::ControlError;
pub use instance::{Instance, InstanceError};
pub use protocol::ProviderCommand;
pub use server::{Attaching, Facts, Services, serve};
pub use socket::{ControlListener, connect};
