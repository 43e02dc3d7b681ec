//! Output without measure or meaning.

use std::time::{Duration, Instant};

use super::ROOM_KIB;
use crate::support::condition::{eventually, within};
use crate::support::{Home, Serve, procs};

#[test]
fn a_flood_in_a_hidden_pane_slows_nobody_and_is_bounded() {
    let serve = Serve::start();
    let before = procs::resident_kib(serve.pid());
    let flood = serve.sh("exec yes flooding the pane with lines of text");
    let shell = serve.sh("exec cat");
    for round in 0..20 {
        let start = Instant::now();
        serve.enter(&shell, &format!("echo-{round}."));
        serve.wait_text(&shell, &format!(r"echo-{round}\."));
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "echo took {:?}",
            start.elapsed()
        );
        assert!(serve.capture(&flood).contains("flooding"));
    }
    let growth = procs::peak_resident_kib(serve.pid()).saturating_sub(before);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
    serve.cli(&["kill", &flood]).ok();
    serve.wait_exit(&flood);
}

/// Sends `introducer`, then `mib` MiB of `filler`, then the string's end and a mark; answers how much memory it took.
fn unterminated(introducer: &str, filler: &str, mib: usize) -> u64 {
    let serve = Serve::start();
    let id = serve.open(&[
        "perl",
        "-e",
        &format!(
            "$|=1; print qq({introducer}); print qq({filler}) x 16384 for 1..{}; \
             print qq(\\e\\\\\\030\\e[m\\nDONE\\n); sleep 1000",
            mib * 64 / filler.len()
        ),
    ]);
    let other = serve.sh("exec cat");
    let before = procs::resident_kib(serve.pid());
    serve.enter(&other, "meanwhile");
    serve.wait_text(&other, "meanwhile");
    within(
        Duration::from_secs(240),
        "the mark after the string",
        || {
            serve
                .cli(&["wait", &id, "--text", "DONE", "--timeout", "20s"])
                .code
                == 0
        },
    );
    procs::peak_resident_kib(serve.pid()).saturating_sub(before)
}

#[test]
fn an_unterminated_osc_of_200_mb_is_bounded() {
    let growth = unterminated("\\e]0;", "abcdefgh", 200);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn an_unterminated_dcs_of_200_mb_is_bounded() {
    let growth = unterminated("\\eP+q", "abcdefgh", 200);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn an_unterminated_apc_of_200_mb_is_bounded() {
    let growth = unterminated("\\e_G", "abcdefgh", 200);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn endless_csi_parameters_are_bounded() {
    let growth = unterminated("\\e[", "12345;:;", 64);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn an_endless_clipboard_string_is_bounded() {
    let growth = unterminated("\\e]52;c;", "QUFBQUFB", 64);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn endless_combining_characters_are_bounded() {
    let growth = unterminated("a", "\\xcc\\x81\\xcc\\x82\\xcc\\x83\\xcc\\x84", 16);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn random_bytes_harm_nobody() {
    let serve = Serve::start();
    let other = serve.sh("exec cat");
    for seed in 0..4 {
        let id = serve.open(&[
            "perl",
            "-e",
            &format!(
                "srand {seed}; for (1..2000) {{ print pack 'C*', map {{ rand 256 }} 1..1000 }} \
                 print qq(\\030\\e\\\\\\ec\\nDONE\\n); sleep 1000"
            ),
        ]);
        serve.wait_text(&id, "DONE");
        serve.screen(&id);
        serve.cli(&["capture", &id, "--ansi", "--scrollback"]).ok();
        serve.cli(&["resize", &id, "33x11"]).ok();
        serve.screen(&id);
        serve.cli(&["kill", &id]).ok();
    }
    serve.enter(&other, "unharmed");
    serve.wait_text(&other, "unharmed");
    assert!(
        !serve.home.logs().contains("panicked"),
        "{}",
        serve.home.logs()
    );
}

#[test]
fn broken_utf_8_is_shown_as_replacement_characters() {
    let serve = Serve::start();
    let id = serve.sh(
        "stty -echo; printf 'a\\377b\\n\\303(\\n\\342\\202c\\n\\360\\237\\230\\200d\\n\\355\\240\\200e\\n'; echo DONE; exec cat",
    );
    serve.wait_text(&id, "DONE");
    let screen = serve.screen(&id);
    assert_eq!(screen["lines"][0], "a\u{fffd}b");
    assert_eq!(screen["lines"][1], "\u{fffd}(");
    assert_eq!(screen["lines"][2], "\u{fffd}c");
    assert_eq!(screen["lines"][3], "😀d");
    let surrogate = screen["lines"][4].as_str().unwrap();
    assert!(
        surrogate.starts_with('\u{fffd}') && surrogate.ends_with('e'),
        "{surrogate}"
    );
}

#[test]
fn a_character_that_comes_byte_by_byte_is_one_character() {
    let serve = Serve::start();
    let id = serve.sh(
        "stty -echo; printf 'READY\\n'; for byte in '\\342' '\\202' '\\254'; do read x; printf \"$byte\"; done; \
         echo DONE; exec cat",
    );
    serve.wait_text(&id, "READY");
    for _ in 0..3 {
        serve.enter(&id, "");
        // Answered only once what came before has been shown.
        serve.capture(&id);
    }
    serve.wait_text(&id, "DONE");
    assert_eq!(serve.screen(&id)["lines"][1], "€DONE");
}

#[test]
fn a_panic_inside_a_pane_leaves_the_others_alone() {
    let home = Home::new();
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("TUNDRA_FAULT", "pane:broken");
    let mut serve = Serve::from(home, command);
    let other = serve.open_with(&["--name", "sound"], &["cat"]);
    let broken = serve.open_with(&["--name", "broken"], &["cat"]);
    let pid = serve.child_pid(&broken);
    serve.cli(&["send", &broken, "text"]);
    serve.wait_exit(&broken);
    eventually("the session of the broken pane has ended", || {
        !procs::alive(pid)
    });
    assert_eq!(serve.terminal(&broken)["status"], "dead");
    serve.enter(&other, "unharmed");
    serve.wait_text(&other, "unharmed");
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 1);
    serve.sh("exec cat");
    assert!(procs::zombies(serve.pid()).is_empty());
    assert!(serve.running());
}
