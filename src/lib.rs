#![doc = include_str!("ARCHITECTURE.md")]

pub mod config;
pub mod domain;
pub mod pane;
pub mod tui;
