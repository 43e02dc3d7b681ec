//! The loopback gateway between programs and providers.
//!
//! [`RouterHandle`] holds the rules of `domain::route` under one short lock, and [`Permit`] is the right to one call,
//! which it settles exactly once however it ends. Whoever steers or shows providers uses the handle; nobody else sees
//! the lock, and no guard of it lives across an await.

pub mod clock;
pub mod permit;
pub mod router;

pub use clock::Clock;
pub use permit::Permit;
pub use router::RouterHandle;
