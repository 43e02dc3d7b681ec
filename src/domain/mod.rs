//! Rules and facts every other room speaks of: ids, sizes, cells, keys, layout, terminals and their events.
//!
//! Anyone may import this room; it imports nothing of ours. No tokio, no I/O, no clock: time is an argument, so every
//! rule here is a plain function that a test can call. Domain types are not serialised; each border has its own shapes.

pub mod action;
pub mod adapter;
pub mod affinity;
pub mod agent;
pub mod breaker;
pub mod bucket;
pub mod budget;
pub mod caller;
pub mod check;
pub mod chord;
pub mod code;
pub mod cooldown;
pub mod event;
pub mod explain;
pub mod fact;
pub mod id;
pub mod input;
pub mod keymap;
pub mod layout;
pub mod login;
pub mod moment;
pub mod nearest;
pub mod offer;
pub mod outcome;
pub mod outer;
pub mod pace;
pub mod plan;
pub mod printable;
pub mod profile;
pub mod retry_budget;
pub mod route;
pub mod screen;
pub mod size;
pub mod terminal;
pub mod timeouts;
pub mod trace;
pub mod usage;
pub mod writer;

/// The variable that `tundra attach --url` takes a token from; no child of an instance gets it.
pub const REMOTE_TOKEN_VARIABLE: &str = "TUNDRA_REMOTE_TOKEN";
