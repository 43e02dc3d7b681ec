//! Input that nobody reads, and sizes that change wildly.

use std::fs;
use std::time::Duration;

use super::ROOM_KIB;
use crate::support::condition::eventually;
use crate::support::{Serve, procs};

#[test]
fn a_paste_into_a_program_that_does_not_read_is_refused_and_hangs_nothing() {
    let serve = Serve::start();
    let deaf = serve.sh("stty raw -echo; echo READY; exec sleep 1000");
    serve.wait_text(&deaf, "READY");
    let other = serve.sh("exec cat");
    let before = procs::resident_kib(serve.pid());
    let piece = "x".repeat(96 * 1024);
    // A queue of any sensible bound is full long before 16 MiB.
    let refused = (0..170)
        .map(|_| serve.cli(&["send", &deaf, "--paste", &piece]))
        .find(|done| done.code != 0)
        .expect("a full queue is told");
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(
        refused.stderr.contains("does not read"),
        "{}",
        refused.stderr
    );
    serve.enter(&other, "meanwhile");
    serve.wait_text(&other, "meanwhile");
    assert!(serve.capture(&deaf).contains("READY"));
    let growth = procs::resident_kib(serve.pid()).saturating_sub(before);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
    serve.cli(&["kill", &deaf]).ok();
    serve.wait_exit(&deaf);
}

#[test]
fn a_paste_of_a_mebibyte_arrives_whole() {
    let serve = Serve::start();
    let piece: String = ('!'..='~').cycle().take(64 * 1024).collect();
    let whole = piece.repeat(16);
    let sum = serve.home.file("whole");
    fs::write(&sum, &whole).unwrap();
    let mut command = serve.home.program("sha256sum");
    command.arg(&sum);
    let expected = crate::support::command::run(command, b"", Duration::from_secs(30)).ok();
    let expected = expected.split(' ').next().unwrap();
    let id = serve.sh("stty raw -echo; echo READY; head -c 1048576 | sha256sum; exec cat");
    serve.wait_text(&id, "READY");
    for _ in 0..16 {
        // A program that is slow to read is told as such; then one tries again, since nothing of it was typed.
        eventually("the program has room for more", || {
            let done = serve.cli(&["send", &id, "--paste", "--", &piece]);
            assert!(
                done.code == 0 || done.stderr.contains("does not read"),
                "{done:#?}"
            );
            done.code == 0
        });
    }
    serve.wait_text(&id, expected);
}

#[test]
fn a_storm_of_resizes_ends_at_the_last_size() {
    let serve = Serve::start();
    let id = serve.sh("trap 'stty size' WINCH; echo READY; while :; do read x; done");
    serve.wait_text(&id, "READY");
    for size in ["1x1", "2x1", "1x2", "500x1000", "1000x1000", "3x3"]
        .iter()
        .cycle()
        .take(30)
    {
        serve.cli(&["resize", &id, size]).ok();
    }
    serve.cli(&["resize", &id, "77x33"]).ok();
    let screen = serve.screen(&id);
    assert_eq!(
        (screen["cols"].as_u64(), screen["rows"].as_u64()),
        (Some(77), Some(33))
    );
    serve.wait_text(&id, "33 77");
}

#[test]
fn a_terminal_of_one_cell_goes_on_living() {
    let serve = Serve::start();
    let id = serve
        .sh("stty -echo; while read x; do printf '\\346\\227\\245\\033[5;5H\\033[Kab\\n'; done");
    serve.cli(&["resize", &id, "1x1"]).ok();
    for _ in 0..20 {
        serve.enter(&id, "");
    }
    let screen = serve.screen(&id);
    assert_eq!(
        screen["lines"].as_array().unwrap().len(),
        usize::try_from(screen["rows"].as_u64().unwrap()).unwrap()
    );
    serve.cli(&["resize", &id, "80x24"]).ok();
    serve.enter(&id, "");
    serve.wait_text(&id, "ab");
}
