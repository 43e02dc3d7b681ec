//! Nothing ends because a terminal does: detach, take over, and the ends there are.

mod closing;
mod container;
mod detach;
mod ends;
mod input;
mod restore;
mod start;

use serde_json::Value;

use crate::support::condition::eventually;
use crate::support::{Home, Terminal};

/// What a front end says that leaves its instance running.
fn left(home: &Home) -> String {
    format!(
        "[detached from pid {}: \"tundra\" brings it back]",
        home.instance()
    )
}

/// `front` of `tundra status`.
fn front(home: &Home) -> Value {
    home.cli(&["status", "--json"]).json()["front"].clone()
}

/// Waits until no terminal shows the instance.
#[track_caller]
fn is_left(home: &Home) {
    eventually("no terminal shows it", || front(home)["attached"] == false);
}

/// A front end that runs `sh`, with this word on its screen.
fn showing(home: &Home, word: &str) -> Terminal {
    let mut terminal = Terminal::tundra(home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.say(word);
    terminal
}

/// Another terminal that shows the instance as it was left.
fn again(home: &Home, word: &str) -> Terminal {
    let terminal = Terminal::tundra(home, &[]);
    terminal.wait_text(word);
    terminal
}
