//! The front end: keys in, frames out.
//!
//! `app` opens a [`Terminal`] and calls [`run`]; nobody else comes here. Input becomes a message, the pure `update` turns
//! model and message into effects, the runner does these without ever waiting for a service, and the pure `view` says
//! what the screen should look like; `frame` finds the least bytes for it, and a thread writes them. Nothing is drawn
//! unless something changed, at most 60 times a second, and with no message on the screen nothing wakes up by itself.
//!
//! Only `terminal` touches terminal settings; ratatui stays in here. This room must not know of sockets, of the
//! emulator, or of how a pane gets its bytes.

mod address;
mod copy;
mod effect;
mod error;
mod frame;
mod guard;
mod input;
mod model;
mod msg;
mod outside;
mod palette_match;
mod run;
mod runner;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod view;
mod viewer;
mod writer;

pub use address::{Addresses, BrowserAddress};
pub use error::TuiError;
pub use guard::install_panic_hook;
pub use model::Severity;
pub use run::{Ending, First, Notice, Prominence, Services, run};
pub use terminal::Terminal;
pub use viewer::{Incoming, Outgoing, Viewing, view};
