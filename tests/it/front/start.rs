//! Starting, leaving, and where it cannot start.

use super::{alive, answer, list, pane_size, shell};
use crate::support::condition::eventually;
use crate::support::terminal::Options;
use crate::support::{Home, Terminal};

#[test]
fn without_any_configuration_there_is_a_shell_at_once() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_text("$");
    terminal.say("hello");
    let (rows, cols) = pane_size(&home, &mut terminal);
    assert!(
        rows >= 25 && cols >= 96,
        "most of 30x100 is the pane's: {rows}x{cols}"
    );
    assert_eq!(list(&home)[0]["owner"], "front");
}

#[test]
fn configured_panes_are_named_and_listed_in_their_order() {
    let home = Home::with_config(&"[[pane]]\ncommand = \"cat\"\n".repeat(6));
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_text("6/10");
    let names: Vec<String> = list(&home)
        .iter()
        .map(|pane| pane["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["cat", "cat-2", "cat-3", "cat-4", "cat-5", "cat-6"]);
    terminal.type_("first\r");
    eventually("the first one is shown", || {
        home.cli(&["capture", "cat"]).ok().contains("first")
    });
}

#[test]
fn leaving_asks_while_children_run_and_restores_the_terminal() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("q");
    answer(&mut terminal, "n");
    terminal.say("stayed");
    terminal.command("q");
    terminal.wait_text("Yes");
    terminal.type_("y");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    assert!(home.processes().is_empty());
}

#[test]
fn when_the_last_program_ends_by_itself_nothing_hangs() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("exit\r");
    eventually("the shell is gone", || {
        let list = home.cli(&["ls", "--json"]);
        !terminal.running() || !list.stdout.contains("\"active\"")
    });
    if terminal.running() {
        terminal.command("q");
    }
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
}

#[test]
fn term_dumb_is_refused_and_serve_is_named() {
    let home = Home::new();
    for term in [Some("dumb"), None] {
        let mut command = home.tundra(&[]);
        match term {
            Some(term) => command.env("TERM", term),
            None => command.env_remove("TERM"),
        };
        let mut terminal = Terminal::start(command, Options::default());
        if term.is_none() && terminal.running() {
            // Without TERM either answer is sound: refuse as for dumb, or go on as xterm does.
            let refused = eventually("it refuses or shows a prompt", || {
                if !terminal.running() {
                    return Some(true);
                }
                terminal.look(|screen| screen.has("$")).then_some(false)
            });
            if !refused {
                continue;
            }
        }
        assert_eq!(terminal.exit(), 2);
        terminal.wait_after("serve is named", |screen| {
            screen.lines().concat().contains("tundra serve")
        });
        terminal.assert_restored();
        assert_eq!(
            crate::support::terminal::last(&terminal.raw(), b"\x1b[?1049h"),
            None
        );
    }
}

#[test]
fn without_shell_and_home_the_front_end_starts() {
    let home = Home::new();
    let mut command = home.tundra(&[]);
    command
        .env_remove("SHELL")
        .env_remove("HOME")
        .env("TUNDRA_TEST_HOME", home.user());
    let mut terminal = Terminal::start(command, Options::default());
    terminal.wait_for("a prompt", |screen| screen.has("$") || screen.has("#"));
    terminal.say("hello");
}

#[test]
fn a_command_that_cannot_start_is_told() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "no-such-program"]);
    assert_eq!(terminal.exit(), 1);
    terminal.wait_after("it says why", |screen| {
        let text = screen.text();
        text.contains("pty spawn failed: ") && text.contains("no-such-program")
    });
    terminal.assert_restored();
    assert!(home.processes().is_empty());
}

#[test]
fn one_pane_of_several_that_cannot_start_is_told_beside_the_others() {
    let home = Home::with_config(
        "[[pane]]\ncommand = \"sh\"\n\n[[pane]]\ncommand = \"no-such-program\"\n",
    );
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_text("pty spawn failed: ");
    terminal.wait_text("$");
    terminal.say("alive");
}

#[test]
fn a_program_that_fails_is_read_before_it_is_closed_and_the_front_end_ends_well() {
    let home = Home::new();
    let mut terminal = Terminal::script(&home, "echo so; exit 4");
    terminal.wait_text("exited with 4 - press enter to close");
    terminal.wait_text("so");
    terminal.type_("\r");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
}

#[test]
fn a_default_key_that_the_configuration_takes_is_told() {
    let home = Home::with_config("[keys]\nzoom-pane = \"c\"\n");
    let mut terminal = shell(&home);
    let told = "keys: c is now zoom-pane, no longer new-pane, which has no key left";
    terminal.command("m");
    terminal.wait_for("the message log tells it", |screen| {
        let text = screen.text();
        text.contains("messages") && text.contains(told)
    });
    super::escape(&mut terminal, "messages");
    terminal.command("c");
    terminal.say("same-pane");
    assert_eq!(alive(&home), 1);
}

#[test]
fn keys_of_the_configuration_change_live() {
    let home = Home::with_config("");
    let mut terminal = shell(&home);
    home.configure("[general]\nprefix = \"ctrl-a\"\n");
    eventually("the new prefix splits", || {
        terminal.write(b"\x01");
        terminal.type_("|");
        alive(&home) >= 2
    });
}

#[test]
fn the_mouse_is_given_back_where_it_is_turned_off() {
    let home = Home::with_config("[general]\nmouse = false\n");
    let mut terminal = shell(&home);
    terminal.say("mouseless");
    for mode in [&b"\x1b[?1000h"[..], b"\x1b[?1002h", b"\x1b[?1003h"] {
        assert_eq!(crate::support::terminal::last(&terminal.raw(), mode), None);
    }
}
