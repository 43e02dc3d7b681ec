//! Keyboards: other layouts, told by the kitty protocol.

use super::alive;
use crate::support::condition::eventually;
use crate::support::terminal::Options;
use crate::support::{Home, Terminal};

/// A shell in a terminal that speaks kitty's protocol.
fn kitty_shell(home: &Home) -> Terminal {
    let options = Options {
        kitty: true,
        ..Options::default()
    };
    let terminal = Terminal::start(home.tundra(&["--", "sh"]), options);
    terminal.wait_text("$");
    terminal
}

#[test]
fn chords_work_on_a_russian_keyboard() {
    let home = Home::new();
    let mut terminal = kitty_shell(&home);
    terminal.wait_for("alternate keys are asked for", |screen| {
        screen.kitty_flags() == 1 | 4
    });
    terminal.type_("echo bu\"\"sy; cat\r");
    terminal.wait_text("busy");
    // Ctrl with the key of `c`, on which stands U+0441.
    terminal.write(b"\x1b[1089::99;5u");
    // The kernel throws away what is typed at that moment.
    terminal.wait_text("^C");
    terminal.wait_for("the prompt is back", |screen| {
        screen.text().matches('$').count() == 2
    });
    terminal.say("interrupted");
    // The prefix and `c`.
    terminal.write(b"\x1b[1080::98;5u");
    eventually("letters are wanted with their places", || {
        terminal
            .raw()
            .windows(7)
            .any(|bytes| bytes == b"\x1b[=29;1")
    });
    terminal.write(b"\x1b[1089::99;;1089u");
    eventually("a new tab", || alive(&home) == 2);
    terminal.wait_text("$");
    // What is typed stays what is typed.
    terminal.type_("echo \u{441}\u{430}\r");
    terminal.wait_text("\u{441}\u{430}");
    // Ctrl with the key of `d` ends the shell.
    terminal.write(b"\x1b[1074::100;5u");
    eventually("the tab is gone", || alive(&home) == 1);
}
