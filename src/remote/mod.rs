//! Attaching to a pane from outside: the HTTP listener, its page and its sockets, and the client of `tundra attach`.
//!
//! `app` starts the listener; `cli` uses the client. A request is refused before it is looked at when its Host or Origin
//! is foreign or it shows no valid token; a socket reads a pane's output at its own pace and can hold up neither the pane
//! nor another socket; every queue here is bounded. The same service answers on a local socket that only its owner can
//! open, and asks for no token there. This room must not know how a pane works inside or how a front end draws.

mod answer;
mod assets;
mod auth;
pub mod client;
mod error;
mod guard;
mod listener;
pub mod protocol;
mod routes;
mod server;
mod service;
mod session;
mod tls;
mod trust;
mod write_timeout;

pub use auth::ONE_TIME_LIFE;
pub use error::{RemoteError, TransportError};
pub use server::{RemoteHandle, Setup, start};
pub use trust::KnownRemotes;
