//! A program that says that it can take over and then cannot: the one before it goes on, and nothing is lost.

use std::time::{Duration, Instant};

use super::answer;
use crate::support::condition::eventually;
use crate::support::home::TUNDRA;
use crate::support::viewer::Remote;
use crate::support::{Home, Serve, Terminal, procs};

/// Asks for an upgrade to a program that fails at a point of its start; what is said of it.
#[track_caller]
fn fails(home: &Home, point: &str) -> String {
    // A plain `sh` would leave its own descriptor of the script open.
    let script = format!("#!/bin/bash\nTUNDRA_FAULT={point} exec {TUNDRA} \"$@\"\n");
    let binary = home.script("failing", &script);
    let began = Instant::now();
    let done = home.cli(&["upgrade", "--binary", binary.to_str().unwrap()]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(done.stderr.contains("could not take over: "), "{done:?}");
    assert!(done.stderr.contains("tundra 0.1.0 goes on"), "{done:?}");
    done.stderr
}

/// Upgrades to a program that does not fail.
#[track_caller]
pub(super) fn succeeds(home: &Home) {
    let script = format!("#!/bin/bash\nunset TUNDRA_FAULT\nexec {TUNDRA} \"$@\"\n");
    let binary = home.script("whole", &script);
    let done = home.cli(&["upgrade", "--binary", binary.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{done:?}");
}

/// Lets a program fail at a point while a terminal is flooded and a viewer looks on.
#[track_caller]
fn goes_on_after(point: &str, why: &str) {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let go = serve.home.file("go");
    let id = serve.sh(&format!(
        "until [ -e {} ]; do sleep 0.02; done; seq 100000 120000; echo the end; exec cat",
        go.display()
    ));
    let mut viewer = remote.plain(&id);
    eventually("the viewer is there", || {
        serve.terminal(&id)["viewers"] == 1
    });
    std::fs::write(&go, "").unwrap();
    let mut seen = viewer.bytes_with("100100");
    let before = (serve.terminal(&id)["pid"].clone(), serve.pid());
    let said = fails(&serve.home, point);
    assert!(said.contains(why), "{said}");
    seen.extend(viewer.bytes_with("the end"));
    let text = String::from_utf8_lossy(&seen).into_owned();
    let numbers: Vec<&str> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|number| number.len() == 6)
        .collect();
    let expected: Vec<String> = (100_000..=120_000).map(|n| n.to_string()).collect();
    assert_eq!(numbers, expected, "every byte came once");
    viewer.text("still \r");
    serve.wait_text(&id, "still");
    assert_eq!((serve.terminal(&id)["pid"].clone(), serve.pid()), before);
    succeeds(&serve.home);
    viewer.text("here \r");
    serve.wait_text(&id, "here");
    assert_eq!((serve.terminal(&id)["pid"].clone(), serve.pid()), before);
}

#[test]
fn one_that_panics_at_its_start() {
    goes_on_after("resume:begin", "a fault was asked for");
}

#[test]
fn one_that_crashes_at_its_start() {
    goes_on_after("resume:crash", "it crashed with signal 11");
}

#[test]
fn one_that_panics_when_all_is_taken_up() {
    goes_on_after("resume:rooms", "a fault was asked for");
}

#[test]
fn one_that_crashes_when_all_is_taken_up() {
    goes_on_after("resume:crash-in-the-rooms", "it crashed with signal 11");
}

#[test]
fn what_is_shown_is_shown_again_and_waits_go_on() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.say("before");
    let mut waiting = home
        .tundra(&["wait", "sh", "--text", "at last", "--timeout", "40s"])
        .spawn()
        .unwrap();
    let instance = home.instance();
    fails(&home, "resume:rooms");
    eventually("it is shown again", || {
        answer(&home, "status")["front"]["attached"] == true
    });
    terminal.wait_text("before");
    terminal.type_("echo at \"\"last\r");
    terminal.wait_text("at last");
    assert!(waiting.wait().unwrap().success());
    assert_eq!(home.instance(), instance);
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
}

#[test]
fn descriptors_are_as_many_as_before() {
    let serve = Serve::start();
    let id = serve.open(&["sh"]);
    succeeds(&serve.home);
    let count = || procs::descriptors(serve.pid()).len();
    let mut before = count();
    eventually("the count stays as it is", || {
        let now = count();
        std::mem::replace(&mut before, now) == now
    });
    for _ in 0..5 {
        fails(&serve.home, "resume:rooms");
        succeeds(&serve.home);
    }
    // Some files are open for a moment.
    eventually("there are no more than before", || count() <= before);
    serve.enter(&id, "echo al\"\"ive");
    serve.wait_text(&id, "alive");
}
