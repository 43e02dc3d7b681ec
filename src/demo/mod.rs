//! The demonstration: two providers that only play, and a client that asks them over and over, so that failover can be watched
//! without an account.
//!
//! `app` puts them together in a home of their own. Everything that is shown says that it is simulated; nothing leaves this
//! machine. This room must not know of panes, routers or the rest of tundra: the client is a program like any other, which
//! asks the gateway that its environment names.

mod ask;
mod client;
mod fault;
mod provider;
mod screen;

pub use client::{Client, ClientError, run};
pub use fault::{Fault, Player};
pub use provider::Simulation;
