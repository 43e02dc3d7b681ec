//! A viewer: one pane of an instance elsewhere on this terminal, with a line of its own below.
//!
//! Takes in what the pane shows and hands out what its user does; how both travel it does not know. The pane keeps its
//! own size: where it is larger than this terminal the part around the cursor is shown.

mod event;
mod input_queue;
mod run;
mod status_line;
mod viewport;

pub use event::{Incoming, Outgoing, Viewing};
pub use run::view;
