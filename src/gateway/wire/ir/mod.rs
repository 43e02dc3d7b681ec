//! The one form in the middle: every dialect reads into it and writes from it, so that three dialects are three files
//! a direction and not nine pairs.
//!
//! It holds what a conversation means and nothing of how a vendor spells it. What it has no place for is named in the
//! request (`demands`, `left_out`), never dropped in silence. It knows no bytes, no ids of its own making and no
//! provider.

pub mod answer;
pub mod error;
pub mod event;
pub mod gather;
pub mod json;
pub mod request;
pub mod unsaid;
