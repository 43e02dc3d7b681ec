#![doc = include_str!("ARCHITECTURE.md")]

pub mod domain;
pub mod pane;
pub mod runtime;
pub mod tui;
