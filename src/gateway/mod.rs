//! The loopback gateway between programs and providers.
//!
//! [`Gateway`] is what the rest of tundra holds: it steers, shows and reloads. [`serve`] answers programs over HTTP.
//! [`RouterHandle`] holds the rules of `domain::route` under one short lock, and [`Permit`] is the right to one call,
//! which it settles exactly once however it ends. No guard of the lock lives across an await.
//!
//! A request goes `server` → `exchange` (profile after profile) → `attempt` (one profile, judged before anything of its
//! answer leaves) → `relay` (a stream after its first content). What is special to a dialect is in `wire`, what is
//! special to the HTTP client in `upstream`. Bodies, prompts and keys never leave this room but to the provider; it
//! knows nothing of terminals beyond their ids, and nothing of screens.

mod ask;
mod attempt;
mod body;
pub mod clock;
mod connections;
mod env;
mod exchange;
mod guard;
mod gzip;
mod headers;
mod keep_alive;
mod keys;
mod metrics;
mod models;
pub mod permit;
mod price;
mod recorder;
mod relay;
mod reply;
pub mod router;
mod scan;
mod server;
mod service;
mod sse;
mod summary;
mod tap;
pub mod translate;
mod upstream;
mod upstream_call;
mod wire;

pub use ask::{Ask, AskError, Asked};
pub use clock::Clock;
pub use connections::{KeySource, environment};
pub use env::{Launch, launch, secret_variables};
pub use keys::{CallerKey, KeyRing, outside_key};
pub use permit::Permit;
pub use price::date as prices_date;
pub use recorder::Recorder;
pub use router::RouterHandle;
pub use server::serve;
pub use service::{Gateway, Options};
