//! Commands that act on a terminal.

use std::time::{Duration, Instant};

use crate::support::Serve;

#[test]
fn a_terminal_is_found_by_id_prefix_and_name() {
    let serve = Serve::start();
    let id = serve.open_with(&["--name", "named"], &["cat"]);
    serve.enter(&id, "hello");
    serve.wait_text(&id, "hello");
    for given in [
        id.as_str(),
        &id[..8],
        &id[..13],
        &id.to_uppercase(),
        "named",
    ] {
        assert!(serve.capture(given).contains("hello"), "{given}");
    }
    // A name may look like an id; whose id it is goes before.
    let strange = "c0db5280-5cec-45fc-a2d7-ab278061390a";
    let other = serve.open_with(&["--name", strange], &["cat"]);
    serve.cli(&["rename", strange, &id]).ok();
    assert_eq!(serve.terminal(&other)["name"], id.as_str());
    assert!(serve.capture(&id).contains("hello"));
}

#[test]
fn a_name_stands_for_one_living_terminal() {
    let serve = Serve::start();
    let first = serve.open_with(&["--name", "twin"], &["cat"]);
    let taken = format!(
        "the name \"twin\" is taken by terminal {first}: choose another, or rename that one"
    );
    serve
        .cli(&["new", "--name", "twin", "--", "cat"])
        .refused(1, &taken);
    let second = serve.open_with(&["--name", "other"], &["cat"]);
    serve.cli(&["rename", &second, "twin"]).refused(1, &taken);
    serve.cli(&["rename", &first, "twin"]).ok();
    serve.cli(&["kill", "twin"]).ok();
    serve.cli(&["rename", &second, "twin"]).ok();
    assert_eq!(serve.terminal(&second)["name"], "twin");
}

/// Reads keys as Codex does: an Enter that comes within 120 ms of a character belongs to a paste, and so does one of the
/// same read.
const BURST_READER: &str = r"
import os, sys, time, tty
tty.setraw(0)
os.write(1, b'READY\r\n')
text, last = b'', 0.0
while True:
    read = os.read(0, 65536)
    now = time.monotonic()
    if read == b'\r' and now - last > 0.12:
        os.write(1, b'SENT %d %s\r\n' % (len(text), text[-5:]))
        text = b''
    else:
        text += read
        os.write(1, b'.')
    last = time.monotonic()
";

/// Takes a burst as Codex does, which works on each character of it and draws once all of them are in.
const SLOW_READER: &str = r"
import os, time, tty
tty.setraw(0)
os.write(1, b'READY\r\n')
text, last = b'', 0.0
while True:
    for byte in os.read(0, 65536):
        now = time.monotonic()
        if byte == 13 and now - last > 0.12:
            os.write(1, b'SENT %d %s\r\n' % (len(text), text[-5:]))
            text = b''
            continue
        text += bytes([byte])
        if len(text) == 1:
            os.write(1, b'.')
        while time.monotonic() - now < 0.0004:
            pass
        last = time.monotonic()
    os.write(1, b'.')
";

#[test]
fn enter_waits_for_a_program_that_works_on_what_it_has_read() {
    let serve = Serve::start();
    let script = serve.home.file("slow.py");
    std::fs::write(&script, SLOW_READER).unwrap();
    let id = serve.open(&["python3", script.to_str().unwrap()]);
    serve.wait_text(&id, "READY");
    for length in [20, 2_000, 8_000] {
        let text = "x".repeat(length - 3) + "end";
        serve.cli(&["send", &id, "--enter", &text]).ok();
        serve.wait_text(&id, &format!("SENT {length} xxend"));
    }
}

#[test]
fn a_long_text_before_an_enter_is_a_paste_to_who_asked_to_be_told_of_pastes() {
    let serve = Serve::start();
    let script = serve.home.file("pastes.py");
    let reader = BURST_READER.replace("READY", "\\x1b[?2004hREADY");
    std::fs::write(&script, reader).unwrap();
    let id = serve.open(&["python3", script.to_str().unwrap()]);
    serve.wait_text(&id, "READY");
    serve.cli(&["send", &id, "--enter", "short"]).ok();
    serve.wait_text(&id, "SENT 5 short");
    let brackets = "\x1b[200~\x1b[201~".len();
    let long = "x".repeat(2_000);
    serve.cli(&["send", &id, "--enter", &long]).ok();
    serve.wait_text(&id, &format!("SENT {}", 2_000 + brackets));
    // Keys in it are keys.
    let keys = "\x1b[A".to_owned() + &long;
    serve.cli(&["send", &id, "--enter", "--", &keys]).ok();
    serve.wait_text(&id, "SENT 2003");
}

#[test]
fn enter_after_a_text_is_struck_once_the_program_has_taken_the_text() {
    let serve = Serve::start();
    let script = serve.home.file("burst.py");
    std::fs::write(&script, BURST_READER).unwrap();
    let id = serve.open(&["python3", script.to_str().unwrap()]);
    serve.wait_text(&id, "READY");
    serve.cli(&["send", &id, "--enter", "short"]).ok();
    serve.wait_text(&id, "SENT 5 short");
    serve.cli(&["send", &id, "again", "--key", "Enter"]).ok();
    serve.wait_text(&id, "SENT 5 again");
    let long = "x".repeat(20_000) + "end";
    serve.cli(&["send", &id, "--enter", &long]).ok();
    serve.wait_text(&id, "SENT 20003 xxend");
    serve
        .cli(&["send", &id, "--paste", "--enter", "pasted"])
        .ok();
    serve.wait_text(&id, "SENT 6 asted");
}

#[test]
fn scripts_that_type_at_once_do_not_come_between_each_others_text_and_enter() {
    let serve = Serve::start();
    let id = serve.sh("stty -echo; while read -r line; do echo \"[$line]\"; done");
    std::thread::scope(|scope| {
        for text in ["one", "two", "three"] {
            let (serve, id) = (&serve, &id);
            scope.spawn(move || serve.cli(&["send", id, "--enter", text]).ok());
        }
    });
    for text in ["one", "two", "three"] {
        serve.wait_text(&id, &format!(r"\[{text}\]"));
    }
}

#[test]
fn send_types_text_keys_and_pastes() {
    let serve = Serve::start();
    let id = serve.sh("stty -echo; while read -r line; do echo \"[$line]\"; done");
    serve.send(&id, "no enter");
    serve.cli(&["send", &id, "--enter", " yet"]).ok();
    serve.wait_text(&id, r"\[no enter yet\]");
    serve
        .cli(&["send", &id, "--paste", "--enter", "pasted\ttext"])
        .ok();
    serve.wait_text(&id, r"\[pasted");
    serve.send(&id, "one");
    serve.key(&id, "Enter");
    serve.wait_text(&id, r"\[one\]");
    serve
        .cli(&["send", &id, "--enter", "--", "--looks like a flag"])
        .ok();
    serve.wait_text(&id, r"\[--looks like a flag\]");
    serve.cli(&["send", &id, "--enter", ""]).ok();
    serve.wait_text(&id, r"\[\]");
    serve.key(&id, "C-c");
    serve.wait_exit(&id);
    assert_eq!(serve.terminal(&id)["exit"]["signal"], 2);
}

#[test]
fn a_paste_gets_brackets_only_where_asked_for_and_never_breaks_out() {
    let serve = Serve::start();
    let plain = serve.sh("stty raw -echo; echo READY; exec od -An -c -v -w1");
    let bracketed =
        serve.sh("stty raw -echo; printf '\\033[?2004h'; echo READY; exec od -An -c -v -w1");
    for (id, expected) in [(plain, "abZ"), (bracketed, "033[200~ab033[201~Z")] {
        serve.wait_text(&id, "READY");
        serve.cli(&["send", &id, "--paste", "a\x1b[201~\x07b"]).ok();
        serve.send(&id, "Z");
        serve.wait_text(&id, "Z");
        let text: String = serve.joined(&id).split_whitespace().collect();
        let expected_whole = expected.replacen("ab", "a[201~b", 1);
        assert_eq!(text, format!("READY{expected_whole}"));
    }
}

#[test]
fn a_key_that_is_none_is_refused() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    for key in ["", "C-", "NoSuchKey", "F99", "ctrl-alt-"] {
        let done = serve.cli(&["send", &id, "--key", key]);
        assert_eq!(done.code, 2, "{key:?}: {done:#?}");
        assert!(key.is_empty() || done.stderr.contains(key), "{done:#?}");
    }
}

#[test]
fn typing_into_a_dead_terminal_is_refused() {
    let serve = Serve::start();
    let id = serve.sh("exit 0");
    serve.wait_exit(&id);
    let done = serve.cli(&["send", &id, "text"]);
    assert_eq!(done.code, 1, "{done:#?}");
    assert!(
        done.stderr.contains("dead") && done.stderr.contains(&id),
        "{done:#?}"
    );
}

#[test]
fn a_dead_terminal_still_shows_its_last_screen() {
    let serve = Serve::start();
    let id = serve.sh("echo last words");
    serve.wait_exit(&id);
    assert!(serve.capture(&id).contains("last words"));
    assert_eq!(serve.screen(&id)["lines"][0], "last words");
    assert_eq!(serve.terminal(&id)["status"], "dead");
    serve.wait_text(&id, "last words");
}

#[test]
fn wait_gives_up_after_its_timeout() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    for what in [&["--text", "never"][..], &["--exit"], &["--state", "done"]] {
        let start = Instant::now();
        let mut args = vec!["wait", id.as_str()];
        args.extend(what);
        args.extend(["--timeout", "300ms"]);
        let done = serve.cli(&args);
        assert_eq!(done.code, 1, "{done:#?}");
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(!done.stderr.is_empty(), "it says that it gave up");
    }
}

#[test]
fn a_wait_for_text_ends_when_the_terminal_ends_without_it() {
    let serve = Serve::start();
    let id = serve.sh("read x");
    let start = Instant::now();
    std::thread::scope(|scope| {
        let wait = scope.spawn(|| {
            serve
                .home
                .cli(&["wait", &id, "--text", "never", "--timeout", "40s"])
        });
        serve.enter(&id, "");
        assert_eq!(wait.join().unwrap().code, 1);
    });
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "it waited for the dead"
    );
}

#[test]
fn wait_for_exit_answers_at_once_for_the_dead() {
    let serve = Serve::start();
    let id = serve.sh("exit 0");
    serve.wait_exit(&id);
    serve.wait_exit(&id);
}

#[test]
fn wait_wants_exactly_one_thing() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    for args in [
        &["wait", &id][..],
        &["wait", &id, "--exit", "--text", "x"],
        &["wait", &id, "--text", "("],
        &["wait", &id, "--state", "no-such-state"],
        &["wait", &id, "--exit", "--timeout", "soon"],
    ] {
        let done = serve.cli(args);
        assert_eq!(done.code, 2, "{args:?}: {done:#?}");
    }
}

#[test]
fn resize_is_seen_by_the_program() {
    let serve = Serve::start();
    let id = serve.sh("stty -echo; while read x; do stty size; done");
    serve.cli(&["resize", &id, "101x31"]).ok();
    serve.enter(&id, "");
    serve.wait_text(&id, "31 101");
    assert_eq!(serve.terminal(&id)["cols"], 101);
}

#[test]
fn many_commands_at_once_are_all_answered() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    let home = &serve.home;
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..20)
            .map(|number| {
                let id = &id;
                scope.spawn(move || {
                    home.cli(&["send", id, "--enter", &format!("<{number}>")])
                        .ok();
                    home.cli(&["wait", id, "--text", &format!("<{number}>")])
                        .code
                })
            })
            .collect();
        for one in all {
            assert_eq!(one.join().unwrap(), 0);
        }
    });
}
