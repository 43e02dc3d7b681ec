//! What tundra did, kept: an embedded journal that never waits for anybody, and Dolt as its versioned copy.
//!
//! `app` starts it, every room tells it facts through [`crate::domain::fact::Recorder`], and `cli` reads the journal's
//! file, with or without an instance that writes it. One thread owns the connection that writes. What was recorded is on
//! the disk within 50 ms, or waits in memory and the store says `degraded`; nothing that records ever waits. The copy is
//! fed from the outbox in the journal's own file, so that it can be down for a week and lose nothing. This room must not
//! know who records, nor how what it keeps is shown.
//!
//! # What a reader can rely on
//! - Usage of a profile goes on over a restart in `providers`; latencies and the usage per terminal begin afresh. Errors whose
//!   kind the history tells no more count as `http`.
//! - `provider.failover` has `by` `key`, `cli`, `http` or `reload`, and `breaker`, `cooldown` or `recovery` where nobody asked.
//! - Without a password in the configuration a server that is known to be another and refuses is `not_dolt`, with one it is
//!   `auth_failed`. A change of `[dolt]` is applied at once: what the old copy still gets is shipped and committed first, and a
//!   database that is empty gets everything there is.
//! - `store diff` without revisions shows the last commit. `store ship`, `log` and `diff` ask the running instance.
//! - An instance that was killed gets `end = 'killed'` from the next one.

mod backlog;
mod database;
mod dolt;
mod error;
mod handle;
mod journal;
mod kept;
mod outbox;
mod query;
mod record;
mod redact;
mod retention;
mod schema;
mod status;
mod sync;
#[cfg(test)]
mod tests;
mod write;

pub use backlog::MOST_FACTS;
pub use dolt::{
    Change, ChangeKind, DoltError, DoltOptions, ManagedOptions, Server, Shipped,
    look as look_at_dolt,
};
pub use error::StoreError;
pub use handle::{RunningStore, Store, StoreOptions};
pub use journal::{Journal, JournalThread};
pub use kept::KeptStore;
pub use outbox::Table;
pub use query::{
    Event, EventFilter, Events, Grouping, Reader, TerminalName, Totals, UsageKey, UsageReport,
    UsageRow, UsageSum, export, status_of_error,
};
pub use status::{Commit, DoltState, DoltStatus, StoreState, StoreStatus};
pub use write::JournalOptions;
