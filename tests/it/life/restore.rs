//! What comes back after an end that nobody asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustix::process::Signal;

use super::showing;
use crate::support::condition::eventually;
use crate::support::terminal::Options;
use crate::support::{Home, Serve, Terminal, procs};

const AGAIN: &str = "Enter runs it again, A runs all, x drops it";

fn file(home: &Home) -> PathBuf {
    home.path().join("state/session.json")
}

/// Waits until the session is written down with this in it.
#[track_caller]
fn is_kept(home: &Home, text: &str) {
    eventually(&format!("{text:?} is written down"), || {
        fs::read_to_string(file(home)).is_ok_and(|kept| kept.contains(text))
    });
}

/// Ends the instance as a power cut does.
fn cut(home: &Home) {
    procs::signal(home.instance(), Signal::KILL);
    eventually("nothing is left", || home.processes().is_empty());
}

fn terminals(home: &Home) -> usize {
    let list = home.cli(&["ls", "--json"]).json();
    list.as_array().unwrap().len()
}

/// An instance of two tabs, the first one with two panes side by side, cut off.
fn two_tabs(home: &Home) {
    let mut terminal = Terminal::script(home, "echo FIRST; exec cat");
    terminal.wait_text("FIRST");
    let folder = home.file("deep");
    fs::create_dir(&folder).unwrap();
    terminal.command("|");
    terminal.wait_for("a prompt on the right", |screen| {
        let right = |line: &String| line.chars().skip(51).any(|c| c == '$');
        screen.lines().iter().any(right)
    });
    terminal.type_(&format!("cd {}; echo THE\"\"RE\r", folder.display()));
    terminal.wait_text("THERE");
    home.cli(&[
        "new",
        "--name",
        "named",
        "--env",
        "SECRET=hidden",
        "--",
        "sh",
        "-c",
        "echo OTHER; exec cat",
    ])
    .ok();
    terminal.wait_text("named");
    terminal.command("T");
    terminal.type_("work\r");
    terminal.wait_text("work");
    for text in ["named", "\"work\"", "user/deep\"", "SECRET"] {
        is_kept(home, text);
    }
    assert_eq!(
        fs::metadata(file(home)).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(!fs::read_to_string(file(home)).unwrap().contains("hidden"));
    cut(home);
    assert_eq!(terminal.exit(), 1);
}

#[test]
fn the_layout_stands_again_with_each_pane_waiting_and_nothing_is_run_unasked() {
    let home = Home::new();
    two_tabs(&home);
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_for("both panes wait", |screen| {
        let text = screen.text();
        text.contains("work")
            && text.contains("named")
            && text.contains("echo FIRST")
            && text.contains("user/deep")
            && text.matches("ran since 20").count() == 2
    });
    assert_eq!(terminals(&home), 0);
    // The shell is where it was.
    terminal.type_("\r");
    terminal.wait_text("$");
    terminal.type_("pwd\r");
    terminal.wait_text("user/deep");
    assert_eq!(terminals(&home), 1);
    terminal.command("2");
    terminal.wait_for("its variables are gone", |screen| {
        screen.has(AGAIN) && screen.has("variables that were given to it are gone: SECRET")
    });
    terminal.type_("A");
    terminal.wait_text("OTHER");
    eventually("all run", || terminals(&home) == 3);
    terminal.command("1");
    terminal.wait_text("FIRST");
    terminal.say("alive");
}

#[test]
fn a_pane_that_waits_can_be_dropped_and_is_kept_until_then() {
    let home = Home::new();
    two_tabs(&home);
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_text("ran since");
    terminal.command("2");
    terminal.wait_text(AGAIN);
    terminal.type_("x");
    terminal.wait_for("the tab is gone", |screen| !screen.has("named"));
    eventually("it is written down", || {
        fs::read_to_string(file(&home)).is_ok_and(|kept| !kept.contains("named"))
    });
    cut(&home);
    terminal.exit();
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_for("two panes wait", |screen| {
        screen.text().matches("ran since 20").count() == 2 && !screen.has("named")
    });
    terminal.type_("x");
    terminal.wait_for("one waits", |screen| {
        screen.has(AGAIN) && !screen.has("deep")
    });
    terminal.type_("x");
    // It ends with its last pane, and then there is nothing to bring back.
    assert_eq!(terminal.exit(), 0);
    assert!(!file(&home).exists());
}

#[test]
fn everything_can_be_run_from_the_palette() {
    let home = Home::new();
    two_tabs(&home);
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_text("ran since");
    terminal.command(":");
    terminal.wait_text("choose");
    terminal.type_("run-waiting\r");
    terminal.wait_text("FIRST");
    eventually("all run", || terminals(&home) == 3);
}

#[test]
fn only_an_end_that_nobody_asked_for_leaves_something() {
    for end in ["q", "stop", "exit"] {
        let home = Home::new();
        let mut terminal = showing(&home, "written");
        is_kept(&home, "\"sh\"");
        match end {
            "q" => {
                terminal.command("q");
                terminal.wait_text("Yes");
                terminal.type_("y");
            }
            "stop" => {
                home.cli(&["stop", "--force"]).ok();
            }
            _ => terminal.type_("exit\r"),
        }
        assert_eq!(terminal.exit(), 0, "{end}");
        assert!(!file(&home).exists(), "{end}");
    }
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    // At once, before anything could settle.
    procs::signal(home.instance(), Signal::TERM);
    assert_eq!(terminal.exit(), 143);
    let mut terminal = Terminal::tundra(&home, &["--fresh"]);
    terminal.wait_text("$");
    assert!(!terminal.look(|screen| screen.has("ran since")));
    terminal.say("fresh");
    cut(&home);
    terminal.exit();
    // A command is opened beside what is brought back.
    let terminal = Terminal::script(&home, "echo NEW; exec cat");
    terminal.wait_text("NEW");
    assert_eq!(terminals(&home), 1);
    is_kept(&home, "echo NEW");
    assert_eq!(
        fs::read_to_string(file(&home))
            .unwrap()
            .matches("\"since\"")
            .count(),
        2
    );
}

#[test]
fn a_broken_file_is_kept_aside_and_told() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    is_kept(&home, "\"sh\"");
    cut(&home);
    terminal.exit();
    let text = fs::read_to_string(file(&home)).unwrap();
    fs::write(file(&home), &text[..text.len() / 2]).unwrap();
    let mut terminal = Terminal::start(
        home.tundra(&[]),
        Options {
            cols: 200,
            ..Options::default()
        },
    );
    terminal.wait_text("$");
    terminal.command("m");
    terminal.wait_for("it is told", |screen| {
        screen
            .text()
            .replace(['\n', '│'], "")
            .contains("session.json is broken")
    });
    let folder = fs::read_dir(home.path().join("state")).unwrap();
    let aside = folder
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find(|name| name.starts_with("session.json.broken-"));
    let aside = home.path().join("state").join(aside.unwrap());
    assert_eq!(fs::read_to_string(aside).unwrap(), text[..text.len() / 2]);
}

#[test]
fn serve_brings_back_what_it_had_for_whoever_shows_it() {
    let mut serve = Serve::start();
    let id = serve.sh("echo SERVED; exec cat");
    serve.wait_text(&id, "SERVED");
    is_kept(&serve.home, "echo SERVED");
    assert_eq!(serve.end(Signal::TERM).0, 143);
    let serve = Serve::at(serve.into_home());
    assert_eq!(terminals(&serve.home), 0);
    let mut terminal = Terminal::tundra(&serve.home, &[]);
    terminal.wait_for("it waits", |screen| {
        screen.has("echo SERVED") && screen.has(AGAIN)
    });
    terminal.type_("\r");
    terminal.wait_for("it runs again", |screen| {
        screen.has("SERVED") && !screen.has(AGAIN)
    });
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
}

#[test]
fn serve_without_a_pane_offers_what_a_new_one_would_start() {
    let serve = Serve::start();
    let mut terminal = Terminal::tundra(&serve.home, &[]);
    terminal.wait_text("Enter runs it, A runs all, x drops it");
    assert_eq!(terminals(&serve.home), 0);
    terminal.type_("\r");
    terminal.wait_text("$");
    terminal.say("alive");
    // With its last pane it does not end, and offers again.
    terminal.type_("exit\r");
    terminal.wait_text("Enter runs it, A runs all, x drops it");
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
}

#[test]
fn a_pipe_in_the_place_of_the_file_holds_no_start_up() {
    let home = Home::new();
    fs::create_dir_all(home.path().join("state")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(file(&home))
        .status();
    assert!(made.unwrap().success());
    let serve = Serve::at(home);
    serve.wait_text(&serve.sh("echo HERE; exec cat"), "HERE");
}
