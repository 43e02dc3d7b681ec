//! `tundra demo`: failover to watch, and nothing left behind.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::support::terminal::Options;
use crate::support::{Home, Terminal, eventually};

/// A demonstration in a terminal of 80x24, and the folder that its home is made in.
fn demo(home: &Home) -> (Terminal, PathBuf) {
    let folder = home.file("tmp");
    fs::create_dir(&folder).unwrap();
    let mut command = home.tundra(&["demo"]);
    command.env("TMPDIR", &folder);
    let options = Options {
        rows: 24,
        cols: 80,
        ..Options::default()
    };
    let terminal = Terminal::start(command, options);
    terminal.wait_text("SIMULATED");
    terminal.wait_text("simulated-a  ");
    (terminal, folder)
}

#[track_caller]
fn nothing_is_left(home: &Home, folder: &PathBuf) {
    eventually("the home of the demonstration is gone", || {
        fs::read_dir(folder).unwrap().next().is_none()
    });
    eventually("nothing runs on", || home.processes().is_empty());
}

#[test]
fn faults_on_keys_are_failed_over_and_the_screen_names_them() {
    let home = Home::new();
    let (mut terminal, folder) = demo(&home);
    for text in ["5 500", "4 429", "s stall", "c cut", "k back", "q quit"] {
        terminal.wait_text(text);
    }
    terminal.type_("5");
    terminal.wait_text("simulated-a plays 500");
    terminal.wait_text("simulated-b (2 asked)");
    terminal.type_("k");
    terminal.wait_text("simulated-a is well");
    terminal.type_("bc");
    terminal.wait_text("simulated-b plays cut");
    terminal.type_("q");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    nothing_is_left(&home, &folder);
}

#[test]
fn a_demonstration_that_is_ended_from_outside_leaves_nothing_behind() {
    let home = Home::new();
    let (mut terminal, folder) = demo(&home);
    terminal.signal(Signal::TERM);
    assert_ne!(terminal.exit(), 0);
    nothing_is_left(&home, &folder);
}

#[test]
fn without_a_terminal_there_is_nothing_to_show() {
    let told = Home::new().cli(&["demo"]);
    assert_eq!(told.code, 2, "{told:#?}");
}
