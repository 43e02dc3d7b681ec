//! What can be asked of an instance: one [`Operation`], one [`perform`], one set of JSON shapes.
//!
//! The local socket and the HTTP routes read a request into an [`Operation`], call [`perform`] and write its [`Answer`] out;
//! neither does anything of its own to panes or providers, so a command means the same whichever way it came. Keys of the
//! front end may use it too. Whatever goes wrong is an [`ApiError`] with one of the codes of `domain::code`. This room
//! holds the handles of the rooms below it and must not know of sockets, statuses or headers.

mod agents;
pub mod at_rest;
mod error;
mod operation;
pub mod pattern;
mod perform;
mod prompt;
pub mod query;
mod reading;
mod services;
pub mod shapes;
pub mod since;
mod typing;
mod upgrade;

pub use agents::agents;
pub use error::ApiError;
pub use operation::{BudgetChange, Condition, Operation, Target, Typed};
pub use perform::{Answer, WaitOutcome, find, perform, status};
pub use prompt::{Prompt, PromptEnd, prompt};
#[cfg(test)]
pub(crate) use services::tests::services as sample;
pub use services::{Facts, Front, Listener, Log, Services};
pub use upgrade::{UpgradeRequest, Upgrades};
