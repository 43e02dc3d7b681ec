//! The ends there are: asked for, by the last pane, by a signal, and by a kill.

use rustix::process::Signal;

use super::{is_left, showing};
use crate::support::condition::eventually;
use crate::support::{Home, Serve, Terminal, procs};

#[test]
fn stop_is_refused_while_programs_run_and_ends_everything_with_force() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    let refused = home.cli(&["stop"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(
        refused.stderr.contains("tundra stop --force"),
        "{refused:#?}"
    );
    // One is told as one.
    assert!(
        refused
            .stderr
            .contains("sh still runs: `tundra stop --force` ends it too"),
        "{refused:#?}"
    );
    terminal.say("alive");
    home.cli(&["stop", "--force"]).ok();
    // The command comes back once the process is gone.
    assert!(!procs::alive(home.instance()));
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    eventually("nothing is left", || home.processes().is_empty());
    assert_eq!(home.cli(&["stop"]).code, 3);
}

#[test]
fn stop_ends_what_nobody_shows_and_serve_too() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    terminal.command("d");
    terminal.exit();
    home.cli(&["stop", "--force"]).ok();
    eventually("nothing is left", || home.processes().is_empty());
    let mut serve = Serve::start();
    serve.cli(&["stop"]).ok();
    assert!(!serve.running());
}

#[test]
fn the_end_of_the_last_pane_is_the_end_shown_or_not() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    terminal.type_("exit\r");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    eventually("nothing is left", || home.processes().is_empty());
    let mut terminal = showing(&home, "again");
    let id = home.cli(&["ls", "--json"]).json()[0]["id"].clone();
    terminal.command("d");
    terminal.exit();
    is_left(&home);
    home.cli(&["send", id.as_str().unwrap(), "--enter", "exit"])
        .ok();
    eventually("nothing is left", || home.processes().is_empty());
}

#[test]
fn serve_does_not_end_with_its_last_pane_though_it_is_shown() {
    let mut serve = Serve::start();
    let id = serve.sh("read x");
    let mut terminal = Terminal::tundra(&serve.home, &[]);
    terminal.wait_text("sh");
    terminal.type_("\r");
    serve.wait_exit(&id);
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
    assert!(serve.running());
}

#[test]
fn an_instance_that_is_killed_while_it_is_shown_leaves_the_terminal_restored() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    terminal.type_("printf '\\033[?1003h\\033[?2004h\\033[?25l'; echo MO\"\"DES\r");
    terminal.wait_text("MODES");
    procs::signal(home.instance(), Signal::KILL);
    assert_eq!(terminal.exit(), 1);
    terminal.assert_restored();
    let pid = home.instance().to_string();
    terminal.wait_after("it says so", |screen| {
        screen.has("has died") && screen.has(&pid)
    });
    eventually("its programs are hung up on", || {
        home.processes().is_empty()
    });
}
