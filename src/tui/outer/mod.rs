//! The outer terminal, given by its descriptors: raw mode and everything else that must be undone, what is written to it and
//! what its user's shell does with the process.
//!
//! The only room that touches a terminal. Whatever it is told to do it does to the descriptors it was given, never to
//! standard input or output as such, so that a terminal may belong to another process. It must not know what is drawn.

mod abort;
mod bounded_output;
mod environment;
mod guard;
mod job;
mod lending;
mod modes;
mod out_of_band;
mod question;
mod raw;
mod terminal;
mod writer;

pub use bounded_output::LEAVE_WITHIN;
pub use environment::Environment;
pub use guard::{guarded, install_panic_hook};
pub use job::{JobControl, JobEvent};
pub use lending::Lending;
pub use out_of_band::OutOfBand;
pub use question::{TerminalAnswer, ask_terminal};
pub use raw::RawInput;
pub use terminal::{Restore, Terminal};
pub use writer::Writer;
