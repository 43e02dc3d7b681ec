#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod cli;
pub mod config;
pub mod control;
pub mod domain;
pub mod pane;
pub mod runtime;
pub mod telemetry;
pub mod tui;
