//! What tundra promises, tried on the real binary.
//!
//! Each test gets its own home folder, speaks to its own instance, and leaves no process behind; they run side by side.
//! Screens are compared as an emulator shows them, never as bytes, and every wait is for a named condition with a
//! deadline.
//!
//! A program that is missing on this machine is told on stderr as `SKIPPED: …`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::format_collect,
    clippy::redundant_closure_for_method_calls,
    reason = "a test fails by panicking, tells what it skipped, and reads well before it runs fast"
)]

mod agents;
mod borders;
mod cli;
mod config;
mod demo;
mod doctor;
mod explain;
mod faults;
mod front;
mod gateway;
mod house;
mod keys;
mod life;
mod logins;
mod logs;
mod pane;
mod programs;
mod providers;
mod remote;
mod signals;
mod store;
mod support;
mod traces;
mod upgrade;
