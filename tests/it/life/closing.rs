//! A terminal whose window is closed, or that stops to read.

use rustix::process::Signal;

use super::{again, front, is_left, showing};
use crate::support::condition::eventually;
use crate::support::{Home, Terminal, procs};

#[test]
fn a_window_that_is_closed_ends_nothing() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    let instance = home.instance();
    terminal.hang_up();
    eventually("its process ends", || !terminal.running());
    is_left(&home);
    assert!(procs::alive(instance));
    let mut terminal = again(&home, "written");
    terminal.say("alive");
    eventually("it is known who showed it", || {
        let history = home.cli(&["history", "--kind", "front", "--json"]).json();
        let kinds: Vec<&str> = history
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["kind"].as_str().unwrap())
            .collect();
        kinds == ["front.attached", "front.detached", "front.attached"]
    });
}

#[test]
fn a_window_that_is_closed_ends_everything_where_the_configuration_says_so() {
    let home = Home::with_config("[general]\non_close = \"quit\"\n");
    let mut terminal = showing(&home, "written");
    terminal.hang_up();
    eventually("nothing is left", || home.processes().is_empty());
    // A process that is ended is not a window that is closed.
    let mut terminal = showing(&home, "again");
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.exit(), 0);
    assert_eq!(front(&home)["attached"], false);
}

#[test]
fn a_window_that_is_closed_in_the_middle_of_a_flood_ends_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "yes", "flood"]);
    terminal.wait_text("flood");
    terminal.hang_up();
    is_left(&home);
    again(&home, "flood");
}

#[test]
fn a_terminal_that_stops_to_read_is_left_all_the_same() {
    let home = Home::new();
    let mut terminal = Terminal::script(
        &home,
        "yes flood & read x; kill $!; wait; echo CALM; exec cat",
    );
    terminal.wait_text("flood");
    terminal.freeze(true);
    let id = home.cli(&["ls", "--json"]).json()[0]["id"].clone();
    let id = id.as_str().unwrap();
    for _ in 0..20 {
        home.cli(&["capture", id]).ok();
    }
    home.cli(&["detach"]).ok();
    eventually("its process ends", || !terminal.running());
    home.cli(&["send", id, "--enter", ""]).ok();
    home.cli(&["wait", id, "--text", "CALM"]).ok();
    terminal.freeze(false);
    assert_eq!(terminal.exit(), 0);
    // What it did not read is no concern of whoever has the terminal next.
    terminal.assert_restored();
    again(&home, "CALM");
}

#[test]
fn an_instance_that_is_killed_leaves_a_terminal_that_does_not_read_restored() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "sh", "-c", "seq 100000000"]);
    terminal.wait_text("99");
    terminal.freeze(true);
    let id = home.cli(&["ls", "--json"]).json()[0]["id"].clone();
    for _ in 0..20 {
        home.cli(&["capture", id.as_str().unwrap()]).ok();
    }
    procs::signal(home.instance(), Signal::KILL);
    eventually("its process ends", || !terminal.running());
    terminal.freeze(false);
    assert_eq!(terminal.exit(), 1);
    terminal.assert_restored();
}
