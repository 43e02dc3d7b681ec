//! The doctor: everything that one would look at by hand when something is wrong, looked at side by side.
//!
//! `cli` and `app` call [`examine`] with a [`Subject`]; each file here is one group of checks and knows nothing of the
//! others. A check looks and never changes anything ([`fix`] does, and says what), reads no more of a provider than what
//! costs nothing, and ends within [`DEADLINE`]. All of it works without an instance, with one, and with a configuration
//! that is refused. [`bundle`] packs what somebody else needs to help, with every secret taken out. This room must not know how
//! checks are shown.
//!
//! The provider is asked over the gateway's own client (`gateway::probe`): what the doctor finds is what a request would.

pub mod bundle;
mod children;
mod clock;
mod configuration;
mod dolt;
mod examine;
pub mod fix;
mod limits;
mod paths;
mod ports;
mod profile;
mod programs;
mod store;
mod subject;
mod terminal;

pub use examine::examine;
pub use subject::{DEADLINE, Instance, OuterTerminal, Scope, Subject};
