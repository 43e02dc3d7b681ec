#![doc = include_str!("ARCHITECTURE.md")]

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod control;
pub mod domain;
pub mod gateway;
pub mod pane;
pub mod providers;
pub mod remote;
pub mod runtime;
pub mod store;
pub mod supervise;
pub mod telemetry;
pub mod tui;
