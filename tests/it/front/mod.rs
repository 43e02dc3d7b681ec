//! The front end as a person meets it: the real binary in a terminal.

mod beside;
mod drawing;
mod flow;
mod keyboard;
mod overlays;
mod panes;
mod scroll;
mod start;
mod viewers;

use crate::support::condition::eventually;
use crate::support::screen::Screen;
use crate::support::{Home, Terminal};

/// A front end with one shell, at its prompt.
pub fn shell(home: &Home) -> Terminal {
    let terminal = Terminal::tundra(home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal
}

/// The terminals by name, as the command line lists them.
pub fn list(home: &Home) -> Vec<serde_json::Value> {
    let list = home.cli(&["ls", "--json"]).json();
    list.as_array().unwrap().clone()
}

pub fn alive(home: &Home) -> usize {
    list(home)
        .iter()
        .filter(|t| t["status"] == "active")
        .count()
}

/// Types a command that writes the pane's size, and answers rows and columns.
pub fn pane_size(home: &Home, terminal: &mut Terminal) -> (u16, u16) {
    let file = home.file("size");
    let _ = std::fs::remove_file(&file);
    terminal.type_(&format!(
        "stty size > {0}.new; mv {0}.new {0}\r",
        file.display()
    ));
    let text = eventually("the pane's size is written", || {
        std::fs::read_to_string(&file).ok()
    });
    let (rows, cols) = text.trim().split_once(' ').unwrap();
    (rows.parse().unwrap(), cols.parse().unwrap())
}

/// Waits for a question, and answers it with a key.
pub fn answer(terminal: &mut Terminal, key: &str) {
    let asked = |screen: &Screen<'_>| screen.has("Yes") && screen.has("No");
    terminal.wait_for("it asks", asked);
    terminal.type_(key);
    terminal.wait_for("the question is gone", |screen| !asked(screen));
}

/// Strikes Escape and waits until it has closed what showed `text`: what follows at once would be an Alt chord.
pub fn escape(terminal: &mut Terminal, text: &str) {
    terminal.write(b"\x1b");
    terminal.wait_for(&format!("{text:?} is closed"), |screen| !screen.has(text));
}
