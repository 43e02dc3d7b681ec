//! Providers as an operator sees and steers them: the gateway's router, and the servers that tundra itself runs.
//!
//! `app` makes [`Providers`] and feeds it changes of the configuration; `control`, `remote` and `tui` show what it tells
//! and pass on what an operator wants. A command does the same whoever gives it. [`Servers`] holds one task for each
//! local profile with a command: it alone starts, watches and ends that process, whole group, and outlives none. This
//! room must not know how anything is shown, nor what a request says.

mod handle;
mod log;
mod process;
mod readiness;
mod server;
mod servers;

pub use handle::{
    Changes, Events, GatewayEndpoint, ProviderEvent, Providers, ProvidersStatus, Setup, SteerError,
};
pub use server::{ProcessState, ProcessStatus, ServerError, ServerEvent};
pub use servers::Servers;
