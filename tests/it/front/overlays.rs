//! Help, palette, lists, hints, gauge and messages.

use super::{alive, escape, list, shell};
use crate::support::Home;
use crate::support::condition::eventually;

#[test]
fn help_shows_the_keys_as_they_are_configured() {
    let home = Home::with_config("[general]\nprefix = \"ctrl-a\"\n\n[keys]\nzoom-pane = \"Z\"\n");
    let mut terminal = shell(&home);
    terminal.write(b"\x01");
    terminal.type_("?");
    terminal.wait_for("help", |screen| screen.has("split") && screen.has("zoom"));
    escape(&mut terminal, "split the pane");
    terminal.say("closed");
    // The old prefix belongs to the program now.
    terminal.type_("printf '%d\\n' \"'$(dd bs=1 count=1 2>/dev/null)\"\r");
    terminal.type_("\x02\r");
    terminal.wait_for("byte 2 has arrived", |screen| {
        screen.lines().iter().any(|line| line.contains('2'))
    });
}

#[test]
fn the_palette_finds_an_action_by_typing() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command(":");
    terminal.type_("split-d");
    terminal.wait_text("split-down");
    terminal.type_("\r");
    eventually("the pane is split", || alive(&home) == 2);
    terminal.command(":");
    terminal.wait_text("palette");
    escape(&mut terminal, "palette");
    terminal.say("closed");
}

#[test]
fn the_pane_list_goes_to_a_pane() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.say("number-one");
    terminal.command("c");
    terminal.wait_for("the first tab is hidden", |screen| {
        !screen.has("number-one")
    });
    home.cli(&[
        "rename",
        list(&home)[0]["id"].as_str().unwrap(),
        "firstpane",
    ])
    .ok();
    terminal.command("s");
    terminal.wait_text("firstpane");
    terminal.write(b"\x1b[A");
    terminal.type_("\r");
    terminal.wait_text("number-one");
}

#[test]
fn the_hint_line_shows_what_follows_the_prefix() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let before = terminal.look(|screen| screen.text());
    terminal.write(b"\x02");
    terminal.wait_for("hints for the keys after the prefix", |screen| {
        screen.text() != before && (screen.has("zoom") || screen.has("split"))
    });
    terminal.type_("|");
    eventually("the key after it still counts", || alive(&home) == 2);
}

#[test]
fn the_pool_gauge_is_on_the_screen() {
    let home = Home::with_config("[pty]\nmax_ptys = 4\n");
    let mut terminal = shell(&home);
    terminal.wait_text("1/4");
    for panes in 2..=4 {
        terminal.command("|");
        terminal.wait_text(&format!("{panes}/4"));
    }
    // Beyond pty.warn_at it is marked.
    terminal.wait_text("4/4!");
    terminal.command("c");
    terminal.wait_text("pty pool is at capacity (4)");
    terminal.say("alive");
}

#[test]
fn a_pool_that_is_made_larger_is_larger_at_once() {
    let home = Home::with_config("[pty]\nmax_ptys = 1\n");
    let mut terminal = shell(&home);
    terminal.wait_text("1/1");
    home.configure("[pty]\nmax_ptys = 3\n");
    terminal.wait_text("1/3");
    terminal.command("|");
    terminal.wait_text("2/3");
}

#[test]
fn messages_are_kept_in_a_log() {
    let home = Home::with_config("[pty]\nmax_ptys = 1\n");
    let mut terminal = shell(&home);
    terminal.command("|");
    terminal.wait_text("pty pool is at capacity (1)");
    terminal.command("m");
    terminal.wait_text("messages");
    terminal.wait_text("pty pool is at capacity (1)");
}
