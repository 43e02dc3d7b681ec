//! `tundra upgrade`: another program goes on in the instance's place, and nothing is lost.

mod children;
mod commands;
mod former;
mod front;
mod gateway;
mod panes;
mod refusals;
mod versions;
mod viewers;
mod way_back;

use serde_json::Value;

use crate::support::{Home, Serve};

/// What a command without arguments answers.
fn answer(home: &Home, command: &str) -> Value {
    home.cli(&[command, "--json"]).json()
}

/// Upgrades to the binary under test; what the next program answers.
#[track_caller]
fn upgrade(serve: &Serve) -> Value {
    serve.cli(&["upgrade", "--json"]).json()
}
