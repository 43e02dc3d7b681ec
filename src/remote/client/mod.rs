//! The other end: reaches an instance over its local socket or over the network, and stays attached to a pane over any
//! number of connections.

mod address;
mod endpoint;
mod event;
mod link;
mod machine;
mod outbox;

pub use address::{Address, Target};
pub use endpoint::Endpoint;
pub use event::{Command, ConnectionState, Event};
pub use link::Link;
