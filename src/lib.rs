#![doc = include_str!("ARCHITECTURE.md")]

pub mod domain;
pub mod gateway;
pub mod pane;
pub mod runtime;
pub mod tui;
