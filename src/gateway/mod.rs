//! The loopback gateway between programs and providers.
//!
//! [`Gateway`] is what the rest of tundra holds: it steers, shows and reloads. [`serve`] answers programs over HTTP.
//! [`RouterHandle`] holds the rules of `domain::route` under one short lock, and [`UpstreamCall`] is the right to one call,
//! which it settles exactly once however it ends. No guard of the lock lives across an await.
//!
//! A request goes `front` (listener, guard, routes) → `exchange` (profile after profile) → `attempt` (one profile, judged
//! before anything of its answer leaves) → `answer_stream` (a stream after its first content). Two dialects go with it,
//! the caller's (`request`) and the upstream's (`upstream_call`); they meet in `conversion` alone. What is special to a
//! dialect is in `wire`, what is special to the HTTP client in `upstream`. Bodies, prompts and keys never leave this
//! room but to the provider; it knows nothing of terminals beyond their ids, and nothing of screens.
//!
//! # What a caller can rely on
//! - Once a stream's caller has heard nothing for 15 s, the head (200) and a ping go out, and later failures are error events.
//!   `x-tundra-attempts` and `x-tundra-profile` then tell the state at that moment.
//! - Besides `stream_idle` between two bytes, a stream fails with a timeout when no whole event came in twice that time. An
//!   error's body is waited for at most a second.
//! - A stream that ends well without content is a failure, unless it tells output tokens or a stop reason other than the
//!   usual one. Opening and closing an empty text is no content; a tool's call is.
//! - An error event after the commit is, for Responses, `error` and then `response.failed`.
//! - An error under a 200 that is the caller's own (4xx) is answered with its status and the provider's words.
//! - An answer in a content coding that nobody asked for passes as it is, uncounted.
//! - The caller's `cookie` header goes nowhere but with its own login. Anthropic gets tundra's key as `x-api-key` (an OAuth
//!   token as a bearer), everybody else as a bearer.
//! - Where nobody can serve, `Retry-After` tells the soonest moment at which somebody may; in an outage that goes on it grows
//!   from 3 s to 32 s (`domain::route`), since clients count their retries.
//! - `/metrics` and `/v1/models` want a key as any request does.
//! - Prices are those of `assets/prices.json`, of the date in it; a local model's price is not known.
//!
//! # What an attacker can and cannot do
//!
//! - **A page in the browser** is refused by Host and Origin, parsed whole (no user information, one of each, a port of
//!   digits); it has no key, and no answer lets a foreign page read it, whatever headers a provider sends.
//! - **A program in a pane** has a key of its own, good until its terminal ends. With it it can ask every profile and spend
//!   its credit; it cannot learn a provider's key, nor name the profile or another terminal. What it writes doubled or
//!   escaped in its JSON is read as every JSON reader reads it, so that what is priced is what is asked.
//! - **Another user of the machine** can connect, since loopback knows no users; without a key he gets nothing but
//!   `/health`. Connections are counted, a head has 5 s and 32 KiB, a body its own end; what all of them take leaves
//!   descriptors for terminals and commands. All come from one address, so none has a share of his own: what is idle makes
//!   room, and who has no key is never busy, so that he keeps nobody out who asks for something.
//! - **A provider, or whoever stands in front of it**, sees what it is asked and can answer what it likes. It gets no key but
//!   its own: no redirect is followed, and the caller's key and cookies go nowhere. Its words reach logs, lists and our own
//!   answers through one cleaner (`upstream::cleaner`): without keys and configured headers, without control characters,
//!   cut. Each phase of its answer ends by bytes and by time, what comes before its head too (`upstream::interim`). It can still lie about usage, and what it answers well formed
//!   is the caller's to judge.

mod answer;
mod answer_stream;
mod ask;
mod attempt;
pub mod clock;
pub mod content_coding;
mod conversation;
mod conversion;
mod env;
mod error;
mod exchange;
mod front;
mod frozen;
mod gzip;
mod keep_alive;
mod kept;
mod kept_usage;
mod keys;
mod login;
mod own_answer;
mod price;
pub mod probe;
mod report;
mod request;
pub mod router;
mod scan;
mod service;
mod spans;
mod spent;
pub mod sse;
mod stream_reader;
mod terminals;
pub mod translate;
mod upstream;
mod upstream_call;
mod wire;

pub use ask::{Ask, AskError, Asked};
pub use clock::Clock;
pub use env::{Launch, bare, key_variables, launch};
pub use front::{Connections, serve, serve_until_replaced};
pub use frozen::FrozenFront;
pub use kept::KeptGateway;
pub use keys::{CallerKey, KeyRing, outside_key};
pub use price::date as prices_date;
pub use router::{RouterHandle, RouterState};
pub use service::{Gateway, Options};
pub use terminals::Terminals;
pub use upstream::connections::{KeySource, environment};
pub use upstream_call::UpstreamCall;
