//! Leaving a terminal, and coming back in another one.

use rustix::process::Signal;

use super::{again, front, is_left, left, showing};
use crate::support::condition::eventually;
use crate::support::terminal::{Options, last};
use crate::support::{Home, Serve, Terminal, procs};

#[test]
fn a_key_leaves_the_terminal_and_everything_is_there_again_in_another_one() {
    let home = Home::new();
    let mut terminal = Terminal::arranged(&home);
    terminal.command("z");
    terminal.wait_for("it is zoomed", |screen| !screen.has("remembered"));
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    terminal.wait_after("it says so", |screen| screen.has(&left(&home)));
    is_left(&home);
    let mut terminal = Terminal::start(
        home.tundra(&[]),
        Options {
            rows: 24,
            cols: 80,
            ..Options::default()
        },
    );
    terminal.wait_for("the zoomed pane and the tab's name", |screen| {
        screen.has("beside") && screen.has("work") && !screen.has("remembered")
    });
    terminal.command("z");
    terminal.wait_text("remembered");
    terminal.command("2");
    terminal.wait_text("second");
    terminal.say("alive");
}

#[test]
fn the_command_leaves_the_terminal_and_does_nothing_where_none_shows_it() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    home.cli(&["detach"]).ok();
    // It has left by the time the command is done.
    assert_eq!(front(&home)["attached"], false);
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    terminal.wait_after("it says so", |screen| screen.has(&left(&home)));
    home.cli(&["detach"]).ok();
    assert_eq!(Home::new().cli(&["detach"]).code, 3);
    again(&home, "written");
}

#[test]
fn a_signal_to_the_process_in_the_terminal_leaves_it() {
    for (signal, code) in [
        (Signal::TERM, 0),
        (Signal::HUP, 0),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
    ] {
        let home = Home::new();
        let mut terminal = showing(&home, "written");
        terminal.signal(signal);
        assert_eq!(terminal.exit(), code, "{signal:?}");
        terminal.assert_restored();
        terminal.wait_after("it says so", |screen| screen.has(&left(&home)));
        let mut terminal = again(&home, "written");
        terminal.say("alive");
    }
}

#[test]
fn a_kill_9_of_the_process_in_the_terminal_leaves_it_restored() {
    let home = Home::new();
    let options = Options {
        kitty: true,
        ..Options::default()
    };
    let mut terminal = Terminal::start(home.tundra(&["--", "sh"]), options);
    terminal.wait_text("$");
    terminal.type_("printf '\\033[?1003h\\033[?2004h\\033[>1u'; echo MO\"\"DES\r");
    terminal.wait_text("MODES");
    terminal.signal(Signal::KILL);
    is_left(&home);
    assert_eq!(terminal.exit(), 137);
    terminal.assert_restored();
    assert!(last(&terminal.raw(), b"\x1b[?1049l").is_some());
    again(&home, "MODES");
}

#[test]
fn another_terminal_takes_over_and_the_first_one_says_by_whom() {
    let home = Home::new();
    let mut first = showing(&home, "written");
    let second = again(&home, "written");
    assert_eq!(first.exit(), 0);
    first.assert_restored();
    let told = format!("[detached: taken over by pid {}]", second.pid());
    first.wait_after("it says so", |screen| screen.has(&told));
    let front = front(&home);
    assert_eq!(front["attached"], true);
    assert_eq!(front["pid"], second.pid());
    assert_eq!((&front["cols"], &front["rows"]), (&100.into(), &30.into()));
    assert!(front["tty"].as_str().unwrap().starts_with("/dev/"));
    assert!(front["since"].is_string());
}

#[test]
fn two_terminals_that_take_over_from_each_other_fifty_times_leave_one() {
    let home = Home::new();
    let mut terminals = vec![showing(&home, "written")];
    for _ in 0..25 {
        // The second one comes before the first one has shown anything.
        terminals.push(Terminal::tundra(&home, &[]));
        terminals.push(Terminal::tundra(&home, &[]));
    }
    eventually("one is left", || {
        terminals
            .iter_mut()
            .filter_map(|t| t.running().then_some(()))
            .count()
            == 1
    });
    for terminal in &mut terminals {
        if !terminal.running() {
            assert_eq!(terminal.exit(), 0);
            terminal.assert_restored();
        }
    }
    let last = terminals.iter_mut().find_map(|terminal| {
        let runs = terminal.running();
        runs.then_some(terminal)
    });
    let last = last.unwrap();
    last.wait_text("written");
    last.say("alive");
}

#[test]
fn a_suspended_one_gives_the_terminal_up_and_takes_it_again() {
    let home = Home::new();
    let mut outer = Terminal::outer_shell(&home);
    let binary = crate::support::home::TUNDRA;
    outer.type_(&format!("{binary} -- sh -c 'echo IN\"\"NER; exec cat'\r"));
    outer.wait_text("INNER");
    outer.command("\x1a");
    outer.wait_for("the shell is back", |screen| {
        !screen.vt().alternate_screen() && screen.has("Stopped")
    });
    is_left(&home);
    // Its window is closed while it is suspended; the instance goes on.
    outer.hang_up();
    eventually("only the instance is left", || {
        let left = home.processes();
        left.iter().all(|process| process.name != "bash")
            && left.iter().any(|process| process.pid == home.instance())
    });
    again(&home, "INNER");
}

#[test]
fn serve_can_be_shown_and_left() {
    let serve = Serve::start();
    let id = serve.sh("echo SERVED; exec cat");
    serve.wait_text(&id, "SERVED");
    let mut terminal = Terminal::tundra(&serve.home, &[]);
    terminal.wait_text("SERVED");
    terminal.type_("typed\r");
    serve.wait_text(&id, "typed");
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    assert_eq!(serve.terminal(&id)["status"], "active");
}

#[test]
fn a_hundred_detaches_leave_descriptors_threads_and_processes_as_they_were() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    let pid = home.instance();
    let settled = || {
        is_left(&home);
        (
            procs::threads(pid).len(),
            procs::descriptors(pid).len(),
            home.processes().len(),
        )
    };
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
    drop(terminal);
    let round = || {
        let mut terminal = again(&home, "written");
        terminal.command("d");
        assert_eq!(terminal.exit(), 0);
    };
    // Whatever is made once and kept is made by now.
    eventually("the journal is open", || {
        home.cli(&["store", "status", "--json"]).json()["state"] == "ready"
    });
    round();
    let before = settled();
    for _ in 0..100 {
        round();
    }
    // What was only under way then may have ended since.
    let name = format!("no more threads, descriptors and processes than before: {before:?}");
    eventually(&name, || {
        let now = settled();
        now.0 <= before.0 && now.1 <= before.1 && now.2 <= before.2
    });
}
