//! How an instance begins, and who is refused.

use std::os::unix::net::UnixStream;

use rustix::process::Signal;

use super::{again, is_left, left, showing};
use crate::support::condition::eventually;
use crate::support::{Home, Serve, Terminal, procs};

#[test]
fn two_that_start_at_the_same_moment_are_one_instance() {
    let home = Home::new();
    let mut both = [Terminal::tundra(&home, &[]), Terminal::tundra(&home, &[])];
    eventually("one has taken over", || {
        both.iter_mut()
            .filter_map(|t| t.running().then_some(()))
            .count()
            == 1
    });
    for terminal in &mut both {
        if !terminal.running() {
            assert_eq!(terminal.exit(), 0);
            terminal.assert_restored();
        }
    }
    let winner = usize::from(!both[0].running());
    both[winner].wait_text("$");
    both[winner].say("alive");
    let list = home.cli(&["ls", "--json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
}

#[test]
fn a_command_opens_a_tab_of_its_own_where_the_caller_is() {
    let home = Home::new();
    let mut first = showing(&home, "written");
    let folder = home.file("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    let mut command = home.tundra(&["--", "sh", "-c", "echo AT; pwd; exec cat"]);
    command.current_dir(&folder);
    let mut second = Terminal::start(command, crate::support::terminal::Options::default());
    second.wait_text("AT");
    second.wait_text("elsewhere");
    assert_eq!(first.exit(), 0);
    second.command("1");
    second.wait_text("written");
    // What cannot be started is told, and the rest goes on.
    let mut third = Terminal::tundra(&home, &["--", "no-such-program"]);
    assert_eq!(third.exit(), 1);
    third.assert_restored();
    third.wait_after("it says why", |screen| {
        screen.has("no-such-program: not found")
    });
    again(&home, "written");
}

#[test]
fn a_pane_does_not_show_its_own_instance() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    let binary = crate::support::home::TUNDRA;
    for run in [
        binary.to_owned(),
        format!("env -u TUNDRA_TERMINAL_ID {binary}"),
    ] {
        terminal.type_(&format!("clear; {run}; echo co\"\"de=$?\r"));
        terminal.wait_for("it is refused", |screen| {
            screen.has("that it would show") && screen.has("code=1")
        });
    }
    terminal.say("alive");
}

#[test]
fn a_dead_holder_of_the_lock_and_its_socket_are_no_obstacle() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    procs::signal(home.instance(), Signal::KILL);
    terminal.exit();
    assert!(home.path().join("run/control.sock").exists());
    let mut terminal = Terminal::tundra(&home, &["--fresh", "--", "sh"]);
    terminal.wait_text("$");
    terminal.say("afresh");
}

#[test]
fn a_holder_that_does_not_answer_is_named() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    terminal.command("d");
    terminal.exit();
    is_left(&home);
    std::fs::remove_file(home.path().join("state/tundra.lock")).unwrap();
    std::fs::remove_file(home.path().join("run/control.sock")).unwrap();
    // Its socket is made anew at once.
    eventually("it can be reached", || home.cli(&["ls"]).code == 0);
    again(&home, "written");
}

#[test]
fn what_keeps_an_instance_from_starting_is_told_in_the_terminal() {
    let home = Home::with_config("[general]\nmouse = 3\n");
    let mut terminal = Terminal::tundra(&home, &[]);
    assert_eq!(terminal.exit(), 2);
    terminal.wait_after("the fault is told", |screen| {
        screen.has("config error: ") && screen.has("general.mouse")
    });
    terminal.assert_restored();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    home.configure(&format!("[remote]\nbind = \"{address}\"\n"));
    let mut terminal = Terminal::tundra(&home, &[]);
    assert_eq!(terminal.exit(), 1);
    terminal.wait_after("the port is told", |screen| {
        screen.has(&format!("address already in use: {address}"))
    });
    terminal.assert_restored();
    eventually("nothing is left", || home.processes().is_empty());
}

#[test]
fn what_is_typed_while_it_starts_is_not_lost() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "sh"]);
    terminal.type_("echo ea\"\"rly\r");
    terminal.wait_text("early");
    terminal.command("d");
    terminal.exit();
    terminal.wait_after("it says so", |screen| screen.has(&left(&home)));
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.type_("echo la\"\"te\r");
    terminal.wait_text("late");
}

#[test]
fn sockets_that_are_taken_away_are_made_anew() {
    let serve = Serve::start();
    let id = serve.open(&["sh"]);
    for _ in 0..2 {
        for name in ["control.sock", "attach.sock"] {
            let socket = serve.home.path().join("run").join(name);
            std::fs::remove_file(&socket).unwrap();
            eventually(name, || UnixStream::connect(&socket).is_ok());
        }
        serve.enter(&id, "echo ali\"\"ve");
        serve.wait_text(&id, "alive");
        let mut terminal = Terminal::tundra(&serve.home, &["attach", &id]);
        terminal.wait_text("alive");
        terminal.command("d");
        assert_eq!(terminal.exit(), 0);
        // They are the next program's as well.
        serve.cli(&["upgrade"]).ok();
    }
}
