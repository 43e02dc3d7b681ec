//! Every way out of the front end leaves the terminal as it was and no child behind.

use rustix::process::Signal;

use crate::support::condition::eventually;
use crate::support::terminal::{Options, last};
use crate::support::{Home, Serve, Terminal, procs};

/// A front end whose pane runs a shell, with a mouse and a paste mode that must be taken back.
fn front(home: &Home) -> Terminal {
    let mut terminal = Terminal::tundra(home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.type_(
        "printf '\\033[?1003h\\033[?2004h\\033[?1004h\\033[?1h\\033[?25l'; echo MO\"\"DES\r",
    );
    terminal.wait_text("MODES");
    terminal
}

#[track_caller]
fn nothing_is_left(home: &Home) {
    eventually("no process is left", || home.processes().is_empty());
}

#[test]
fn a_signal_to_the_instance_ends_it_and_restores_the_terminal() {
    for (signal, code) in [
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
    ] {
        let home = Home::new();
        let mut terminal = front(&home);
        procs::signal(home.instance(), signal);
        assert_eq!(terminal.exit(), code, "{signal:?}");
        terminal.assert_restored();
        assert!(
            last(&terminal.raw(), b"\x1b[?1049l").is_some(),
            "{signal:?}"
        );
        assert!(last(&terminal.raw(), b"\x1b[?25h").is_some(), "{signal:?}");
        nothing_is_left(&home);
    }
}

#[test]
fn a_signal_that_comes_as_soon_as_it_is_ready_ends_it_in_order() {
    for _ in 0..20 {
        let mut serve = Serve::start();
        assert_eq!(serve.end(Signal::TERM).0, 143);
        assert!(serve.home.logs().contains("tundra ended"));
    }
}

#[test]
fn a_signal_restores_kitty_keyboard_flags_too() {
    let home = Home::new();
    let options = Options {
        kitty: true,
        ..Options::default()
    };
    let mut terminal = Terminal::start(home.tundra(&["--", "sh"]), options);
    terminal.wait_text("$");
    procs::signal(home.instance(), Signal::TERM);
    assert_eq!(terminal.exit(), 143);
    terminal.assert_restored();
}

#[test]
fn children_that_ignore_hup_and_term_do_not_outlive_the_instance() {
    let home = Home::with_config("[pty]\nkill_grace = \"500ms\"\n");
    let mut terminal = Terminal::script(
        &home,
        "trap '' HUP TERM; echo READY; while :; do sleep 1000; done",
    );
    terminal.wait_text("READY");
    procs::signal(home.instance(), Signal::TERM);
    assert_eq!(terminal.exit(), 143);
    nothing_is_left(&home);
}

#[test]
fn a_kill_9_hangs_up_on_the_children() {
    let serve = Serve::start();
    let marks = ["first", "second"].map(|name| serve.home.file(name));
    for mark in &marks {
        let id = serve.sh(&format!(
            "trap 'echo hup > {}; exit' HUP; echo READY; while :; do read x; done",
            mark.display()
        ));
        serve.wait_text(&id, "READY");
    }
    let mut serve = serve;
    assert_eq!(serve.end(Signal::KILL).0, 137);
    for mark in &marks {
        eventually("the child was told of the hangup", || procs::written(mark));
    }
    nothing_is_left(&serve.home);
}

#[test]
fn an_interrupt_key_reaches_the_program_not_tundra() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.type_("sleep 1000; echo sta\"\"tus $?\r");
    terminal.wait_text("sleep 1000");
    eventually("the program runs", || {
        home.processes()
            .iter()
            .any(|process| process.name == "sleep")
    });
    terminal.write(b"\x03");
    // dash drops the whole line at an interrupt; the prompt is what comes back.
    terminal.type_("echo ali\"\"ve\r");
    terminal.wait_text("alive");
    assert!(terminal.running());
}

#[test]
fn ctrl_z_in_prefix_mode_suspends_and_comes_back_whole() {
    let home = Home::new();
    let mut terminal = Terminal::outer_shell(&home);
    let binary = crate::support::home::TUNDRA;
    terminal.type_(&format!("{binary} -- sh -c 'echo IN\"\"NER; exec cat'\r"));
    terminal.wait_for("the pane is shown", |screen| {
        screen.has("INNER") && screen.vt().alternate_screen()
    });
    terminal.command("\x1a");
    terminal.wait_for("the shell is back", |screen| {
        !screen.vt().alternate_screen() && screen.has("outer>") && screen.has("Stopped")
    });
    assert!(terminal.look(|screen| !screen.vt().hide_cursor()));
    terminal.type_("echo sus\"\"pended\r");
    terminal.wait_text("suspended");
    // The window changes while tundra cannot see it.
    terminal.resize(25, 90);
    terminal.type_("fg\r");
    terminal.wait_for("the pane is shown again", |screen| {
        screen.has("INNER") && screen.vt().alternate_screen()
    });
    terminal.type_("typed after\r");
    terminal.wait_text("typed after");
    eventually("the pane knows the new size", || {
        let list = home.cli(&["ls", "--json"]).json();
        list[0]["cols"].as_u64().unwrap() <= 90 && list[0]["rows"].as_u64().unwrap() <= 25
    });
    terminal.command("q");
    terminal.wait_text("Yes");
    terminal.type_("y");
    terminal.wait_for("the shell is back for good", |screen| {
        let lines = screen.lines();
        let last = lines.iter().rev().find(|line| !line.is_empty());
        !screen.vt().alternate_screen() && last.is_some_and(|line| line == "outer>")
    });
    terminal.type_("exit\r");
    terminal.exit();
    nothing_is_left(&home);
}

#[test]
fn a_stop_from_outside_and_a_continue_repaint_everything() {
    let home = Home::new();
    let mut terminal = front(&home);
    terminal.signal(Signal::STOP);
    eventually("it is stopped", || {
        procs::process(terminal.pid()).unwrap().state == 'T'
    });
    terminal.signal(Signal::CONT);
    terminal.type_("echo wo\"\"ken\r");
    terminal.wait_text("woken");
}

#[test]
fn a_panic_in_the_front_end_restores_the_terminal_tells_after_and_ends_nothing_else() {
    for point in ["front:update", "front:draw"] {
        let home = Home::new();
        let mut command = home.tundra(&["--", "sh", "-c", "exec cat"]);
        command.env("TUNDRA_FAULT", point);
        let mut terminal = Terminal::start(command, Options::default());
        assert_eq!(terminal.exit(), 1, "{point}");
        terminal.assert_restored();
        let raw = terminal.raw();
        let message = b"a fault was asked for at front";
        let told = last(&raw, message).expect("the message is on the screen");
        let left = last(&raw, b"\x1b[?1049l");
        assert!(
            left.is_none_or(|left| told > left),
            "{point}: told before the screen was restored"
        );
        eventually(&format!("{point}: it is in the log"), || {
            home.logs().contains("a fault was asked for")
        });
        eventually("the program goes on", || {
            home.processes().iter().any(|process| process.name == "cat")
        });
        home.cli(&["stop", "--force"]).ok();
        nothing_is_left(&home);
    }
}

#[test]
fn a_terminal_that_reads_nothing_cannot_keep_it_from_ending() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "yes", "flood"]);
    terminal.wait_text("flood");
    terminal.freeze(true);
    let stuck = terminal.raw_len();
    home.cli(&["ls"]).ok();
    procs::signal(home.instance(), Signal::TERM);
    eventually("it ends", || !terminal.running());
    terminal.freeze(false);
    assert_eq!(terminal.exit(), 143);
    assert!(terminal.raw_len() >= stuck);
    nothing_is_left(&home);
}
