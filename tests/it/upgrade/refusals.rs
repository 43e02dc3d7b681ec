//! A program that cannot take over is found out, and the old one goes on.

use std::time::{Duration, Instant};

use crate::support::Serve;
use crate::support::command::Finished;
use crate::support::condition::eventually;

#[track_caller]
fn is_refused(done: &Finished, why: &str) {
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.contains(why), "{done:?}");
}

#[track_caller]
fn refused(script: &str, why: &str) {
    let serve = Serve::start();
    let id = serve.open(&["sh"]);
    let binary = serve.home.script("other", script);
    let began = Instant::now();
    let done = serve.cli(&["upgrade", "--binary", binary.to_str().unwrap()]);
    assert!(began.elapsed() < Duration::from_secs(10));
    is_refused(&done, why);
    serve.enter(&id, "echo goes \"\"on");
    serve.wait_text(&id, "goes on");
    assert!(!serve.home.logs().contains("terminal goes on"));
}

#[test]
fn one_that_is_no_tundra() {
    refused("#!/bin/sh\necho hello\n", "is no tundra that can take over");
}

#[test]
fn one_that_hangs() {
    refused("#!/bin/sh\nsleep 60\n", "does not say within");
}

#[test]
fn a_second_one_while_the_first_is_being_asked() {
    let serve = Serve::start();
    let asked = serve.home.file("asked");
    let script = format!("#!/bin/sh\ntouch {}\nsleep 60\n", asked.display());
    let binary = serve.home.script("hanging", &script);
    let mut first = serve
        .home
        .tundra(&["upgrade", "--binary", binary.to_str().unwrap()]);
    let mut first = first.spawn().unwrap();
    eventually("it is being asked", || asked.exists());
    // Not to be told what became of the other.
    is_refused(&serve.cli(&["upgrade"]), "an upgrade is under way already");
    assert_eq!(first.wait().unwrap().code(), Some(1));
    assert_eq!(serve.cli(&["upgrade"]).code, 0);
}

#[test]
fn one_that_crashes() {
    refused(
        "#!/bin/sh\nkill -SEGV $$\n",
        "cannot take over: it ended with",
    );
}

#[test]
fn one_that_is_older() {
    refused(
        "#!/bin/sh\necho \"error: unexpected argument '--can-resume' found\" >&2\nexit 2\n",
        "unexpected argument",
    );
    refused(
        "#!/bin/sh\necho '{\"tundra\":\"0.0.1\",\"formats\":[0]}'\n",
        "is tundra 0.0.1, which does not take the state of this one",
    );
}

#[test]
fn one_that_is_not_there_or_no_program() {
    let serve = Serve::start();
    let done = serve.cli(&["upgrade", "--binary", "/no/such/tundra"]);
    is_refused(&done, "No such file");
    let file = serve.home.file("plain");
    std::fs::write(&file, "text").unwrap();
    let done = serve.cli(&["upgrade", "--binary", file.to_str().unwrap()]);
    is_refused(&done, "ermission denied");
    serve.cli(&["status"]).ok();
}

#[test]
fn without_an_instance_there_is_nothing_to_upgrade() {
    let home = crate::support::Home::new();
    assert_eq!(home.cli(&["upgrade"]).code, 3);
}
