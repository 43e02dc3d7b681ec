//! The front end: keys in, frames out.
//!
//! `app` calls [`run`] and sends it the terminals that are lent; nobody else comes here. Input becomes a message, the pure `update` turns
//! model and message into effects, the runner does these without ever waiting for a service, and the pure `view` says
//! what the screen should look like; `frame` finds the least bytes for it, and a thread writes them. Nothing is drawn
//! unless something changed, at most 60 times a second, and with no message on the screen nothing wakes up by itself.
//!
//! The front end runs as long as the instance, whether a terminal shows it or not; while none does, nothing is drawn and nothing
//! watched. What belongs to the user's place is `session`, what belongs to the terminal that shows it is `client`, and `model` is both.
//! Only `outer` touches a terminal; ratatui stays in here. This room must not know of sockets, of the
//! emulator, or of how a pane gets its bytes.

mod address;
mod checkup;
mod client;
mod copy;
mod effect;
mod error;
mod frame;
mod input;
mod kept;
mod link;
mod model;
mod msg;
mod notice;
mod now;
mod outer;
mod run;
mod runner;
mod services;
mod session;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod view;
mod viewer;

pub use address::{Addresses, BrowserAddress};
pub use checkup::{Checkup, Examination, OuterFacts};
pub use error::TuiError;
pub use kept::KeptFront;
pub use link::{FrontHandle, FrontLink, FrontStatus, link};
pub use notice::{Notice, Prominence, Severity};
pub use outer::{
    JobControl, JobEvent, Lending, RawInput, Terminal, TerminalAnswer, ask_terminal,
    install_panic_hook,
};
pub use run::run;
pub use services::{Ending, First, Life, Services};
pub use session::{SavedError, SavedSession, Session};
pub use viewer::{Incoming, Outgoing, Viewing, view};
