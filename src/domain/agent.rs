//! Coding agents: what the one in a terminal is doing, told from signs of different weight.
//!
//! [`Tracker`] follows one agent. Its evidence is a ladder: what crosses the wire, then notifications, then the title, then
//! output. Each rung keeps its own claim, and the highest one that says anything is the state, so that a weaker sign can
//! never overrule a stronger one that still holds. Time is an argument.

mod notice;
mod state;
mod title;
mod tracker;
mod traits;
mod wire;

pub use notice::{AgentNotice, AgentNotices, NoticePolicy};
pub use state::{Agent, AgentState, Evidence};
pub use title::{TitleMeaning, TitleRule, TitleRules};
pub use tracker::{Sign, Tracker};
pub use traits::AgentTraits;
pub use wire::{Ending, RequestId, WireFact};
