//! Providers as an operator sees and steers them: the gateway's router, and the servers that tundra itself runs.
//!
//! `app` makes [`Providers`] and feeds it changes of the configuration; `api` and `tui` show what it tells and pass on what
//! an operator wants. A command does the same whoever gives it. The server of a local profile with a command is a child of
//! `supervise`. This room must not know how anything is shown, nor what a request says.

mod applied;
mod events;
mod handle;
mod kept;
mod kept_plans;

pub use events::{Changes, Events, ProviderEvent};
pub use handle::{GatewayEndpoint, Providers, ProvidersStatus, Setup, SteerError};
pub use kept::KeptProviders;
