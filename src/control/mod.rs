//! The local socket: how the commands reach the running instance.
//!
//! `app` binds and serves it, `cli` is its client. One request is one line of JSON and so is its reply; what it asks is an
//! operation of `api`, which carries it out. Only the same user (or root) is served, no request and no client can hold up
//! another, and whatever arrives is bounded before it is looked at. This room must not know how a reply is printed.

mod client;
mod error;
mod instance;
mod kept;
mod lend;
mod lender;
mod protocol;
mod server;

pub use client::{Client, PromptAnswer};
pub use error::ControlError;
pub use instance::{Instance, InstanceError, holder};
pub use kept::{KeptControl, KeptLock};
pub use lender::{Lender, connect, peer, refuse};
pub use server::{Connections, FrozenControl, Setup, check, serve};
