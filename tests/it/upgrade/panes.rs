//! What is in the panes goes on.

use std::collections::BTreeMap;
use std::fs;

use super::upgrade;
use crate::support::condition::eventually;
use crate::support::{Serve, procs};

#[test]
fn pids_names_screens_and_keys_of_terminals_are_what_they_were() {
    let serve = Serve::start();
    let id = serve.open_with(&["--name", "work", "--cols", "60", "--rows", "12"], &["sh"]);
    serve.enter(
        &id,
        "printf '\\033]2;a title\\007'; seq 1 40; echo key=$OPENAI_API_KEY",
    );
    serve.wait_text(&id, "key=");
    let before = (serve.terminal(&id), serve.screen(&id), serve.pid());
    let scrollback = serve.cli(&["capture", &id, "--scrollback", "--ansi"]).ok();
    let answer = upgrade(&serve);
    assert_eq!(answer["terminals"], 1);
    assert_eq!(answer["pid"], before.2);
    assert_eq!(answer["lost"], serde_json::json!([]));
    assert_eq!(serve.terminal(&id), before.0);
    assert_eq!(serve.screen(&id), before.1);
    let now = serve.cli(&["capture", &id, "--scrollback", "--ansi"]).ok();
    assert_eq!(now, scrollback);
    serve.enter("work", "echo still \"\"here");
    serve.wait_text("work", "still here");
    let pid = serve.child_pid(&id);
    serve.cli(&["kill", &id]).ok();
    assert!(
        !procs::alive(pid),
        "its child is reaped by the next program"
    );
}

#[test]
fn a_flood_is_neither_cut_nor_doubled() {
    let serve = Serve::with_config("[pty]\nscrollback_lines = 1000000\n");
    let id = serve.sh(
        "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); echo line-$i; done; echo the end; sleep 99",
    );
    serve.wait_text(&id, "line-500\\b");
    for _ in 0..3 {
        upgrade(&serve);
    }
    serve.wait_text(&id, "the end");
    let text = serve.cli(&["capture", &id, "--scrollback"]).ok();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("line-"))
        .collect();
    let expected: Vec<String> = (1..=60_000).map(|n| format!("line-{n}")).collect();
    assert_eq!(lines.len(), expected.len());
    assert!(
        lines
            .iter()
            .zip(&expected)
            .all(|(line, expected)| line == expected)
    );
}

#[test]
fn a_sequence_and_a_character_may_be_half_read_and_a_mode_stays() {
    let serve = Serve::start();
    let go = serve.home.file("go");
    let id = serve.sh(&format!(
        "printf '\\033[?1049h\\033[?2004h\\033[?1h\\033[2;3Hhere\\033[3'; until [ -e {} ]; do sleep 0.02; done; \
         printf '1mred\\033[m \\303'; until [ -e {0}2 ]; do sleep 0.02; done; printf '\\251 done'; sleep 99",
        go.display()
    ));
    serve.wait_text(&id, "here");
    upgrade(&serve);
    let screen = serve.screen(&id);
    assert_eq!(screen["alternate_screen"], true);
    assert_eq!(screen["modes"]["bracketed_paste"], true);
    assert_eq!(screen["modes"]["application_cursor"], true);
    fs::write(&go, "").unwrap();
    serve.wait_text(&id, "red");
    upgrade(&serve);
    fs::write(go.with_file_name("go2"), "").unwrap();
    serve.wait_text(&id, "red é done");
    let ansi = serve.cli(&["capture", &id, "--ansi"]).ok();
    assert!(
        ansi.contains("\u{1b}[0;31mred") || ansi.contains("\u{1b}[31mred"),
        "{ansi:?}"
    );
}

#[test]
fn long_lines_are_wrapped_anew_after_it_as_before() {
    let serve = Serve::start();
    let id = serve.open_with(&["--cols", "40", "--rows", "5"], &["sh"]);
    serve.enter(&id, "seq -s, 1 200; echo end");
    serve.wait_text(&id, "^end");
    upgrade(&serve);
    serve.cli(&["resize", &id, "80x5"]).ok();
    let wide = serve.cli(&["capture", &id, "--scrollback"]).ok();
    let first = wide.lines().find(|line| line.starts_with("1,2,3")).unwrap();
    assert_eq!(first.len(), 80, "{wide}");
}

#[test]
fn what_has_ended_is_still_known() {
    let serve = Serve::start();
    let id = serve.sh("echo last words; exit 7");
    serve.wait_exit(&id);
    upgrade(&serve);
    assert_eq!(serve.terminal(&id)["exit"]["code"], 7);
    assert!(serve.capture(&id).contains("last words"));
}

#[test]
fn whoever_waits_goes_on_waiting() {
    let serve = Serve::start();
    let id = serve.open(&["sh"]);
    let mut waiting = serve
        .home
        .tundra(&["wait", &id, "--text", "at last", "--timeout", "40s"])
        .spawn()
        .unwrap();
    let mut late = serve
        .home
        .tundra(&["wait", &id, "--text", "never", "--timeout", "3s"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    eventually("both wait", || {
        procs::descriptors(serve.pid())
            .iter()
            .filter(|name| name.starts_with("socket:"))
            .count()
            > 4
    });
    upgrade(&serve);
    serve.enter(&id, "echo at \"\"last");
    assert!(waiting.wait().unwrap().success());
    assert_eq!(late.wait().unwrap().code(), Some(1), "its time went on");
}

#[test]
fn ten_upgrades_leave_nothing_behind() {
    let serve = Serve::start();
    let id = serve.sh("seq 1 3000; echo ready; exec sleep 99");
    serve.wait_text(&id, "ready");
    upgrade(&serve);
    // How many there are of each kind of descriptor, of threads and of children. Some files are open for a moment.
    let counts = || {
        let pid = serve.pid();
        let mut counts = BTreeMap::new();
        for name in procs::descriptors(pid) {
            let kind = name.split(':').next().unwrap_or_default().to_owned();
            *counts.entry(kind).or_insert(0) += 1;
        }
        counts.insert("threads".to_owned(), procs::threads(pid).len());
        counts.insert("children".to_owned(), procs::children(pid).len());
        counts
    };
    let mut before = counts();
    eventually("the counts stay as they are", || {
        let now = counts();
        std::mem::replace(&mut before, now.clone()) == now
    });
    let memory = procs::resident_kib(serve.pid());
    for _ in 0..10 {
        upgrade(&serve);
    }
    eventually("there is no more of anything than before", || {
        counts()
            .iter()
            .all(|(kind, count)| before.get(kind).is_some_and(|before| count <= before))
    });
    let grown = procs::resident_kib(serve.pid()).saturating_sub(memory);
    assert!(grown < 8 * 1024, "{grown} KiB more");
    assert!(serve.capture(&id).contains("ready"));
}
