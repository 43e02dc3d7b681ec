//! How terminals end, and what they leave behind: nothing.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::condition::{eventually, within};
use crate::support::{Serve, procs};

#[test]
fn a_child_that_ignores_hup_and_term_is_killed_after_the_grace() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"500ms\"\n");
    let id = serve.sh("trap '' HUP TERM; echo READY; while :; do sleep 1000; done");
    serve.wait_text(&id, "READY");
    let pid = serve.child_pid(&id);
    let start = Instant::now();
    serve.cli(&["kill", &id]).ok();
    serve.wait_exit(&id);
    assert!(
        start.elapsed() >= Duration::from_millis(450),
        "it was not given its grace"
    );
    assert_eq!(serve.terminal(&id)["exit"]["signal"], 9);
    eventually("the whole session is gone", || {
        procs::all().iter().all(|process| process.session != pid)
    });
}

#[test]
fn a_child_that_obeys_is_not_kept_waiting_for_the_grace() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"30s\"\n");
    let id = serve.sh("echo READY; exec sleep 1000");
    serve.wait_text(&id, "READY");
    let start = Instant::now();
    serve.cli(&["kill", &id]).ok();
    serve.wait_exit(&id);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(serve.terminal(&id)["exit"]["signal"], 1);
}

#[test]
fn killing_ends_every_process_group_of_the_session() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"500ms\"\n");
    let id = serve.open(&[
        "bash",
        "-c",
        "set -m; (trap '' HUP TERM; sleep 1000; sleep 1000) & sleep 1000 & echo READY; exec sleep 1000",
    ]);
    serve.wait_text(&id, "READY");
    let pid = serve.child_pid(&id);
    serve.cli(&["kill", &id]).ok();
    serve.wait_exit(&id);
    eventually("every group of the session is gone", || {
        procs::all().iter().all(|process| process.session != pid)
    });
}

#[test]
fn a_child_that_exits_at_once_is_seen_whole() {
    let serve = Serve::start();
    for _ in 0..20 {
        let id = serve.sh("printf gone; exit 3");
        serve.wait_exit(&id);
        assert_eq!(serve.terminal(&id)["exit"]["code"], 3);
        assert_eq!(serve.capture(&id).trim_end(), "gone");
    }
    assert!(procs::zombies(serve.pid()).is_empty());
}

#[test]
fn killing_twice_does_no_harm() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    let other = serve.sh("exec cat");
    serve.cli(&["kill", &id]).ok();
    let again = serve.cli(&["kill", &id]);
    assert!(again.code == 0 || again.code == 1, "{again:#?}");
    serve.wait_exit(&id);
    let dead = serve.cli(&["kill", &id]);
    assert!(dead.code == 0 || dead.code == 1, "{dead:#?}");
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 1);
    serve.enter(&other, "still here");
    serve.wait_text(&other, "still here");
}

#[test]
fn a_thousand_terminals_later_nothing_has_grown() {
    const AT_ONCE: usize = 10;
    let serve = Serve::start();
    let round = || {
        let ids: Vec<String> = (0..AT_ONCE).map(|_| serve.sh("exec cat")).collect();
        for id in &ids {
            serve.cli(&["kill", id]).ok();
        }
        for id in &ids {
            serve.wait_exit(id);
        }
    };
    // Whatever is made once and kept is made by now.
    round();
    let pid = serve.pid();
    let settled = || (procs::descriptors(pid).len(), procs::threads(pid).len());
    eventually("the first terminals' threads have ended", || {
        procs::threads(pid).len() <= 12
    });
    let before = settled();
    for _ in 0..(1000 / AT_ONCE) {
        round();
    }
    within(
        Duration::from_secs(30),
        &format!("descriptors and threads are as before: {before:?}"),
        || {
            let now = settled();
            now.0 <= before.0 && now.1 <= before.1
        },
    );
    assert_eq!(procs::children(pid).len(), 0);
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 0);
}

#[test]
fn a_grandchild_that_keeps_the_terminal_open_delays_nothing() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"1s\"\n");
    let pid_file = serve.home.file("grandchild");
    let id = serve.sh(&format!(
        "setsid sh -c 'trap \"\" HUP TERM; echo $$ > {0}; exec sleep 1000' & \
         while ! [ -s {0} ]; do :; done; echo BYE",
        pid_file.display()
    ));
    let start = Instant::now();
    serve.wait_exit(&id);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "the exit was told only after {:?}",
        start.elapsed()
    );
    assert_eq!(serve.terminal(&id)["exit"]["code"], 0);
    assert!(serve.capture(&id).contains("BYE"));
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 0);
    let grandchild: u32 = fs::read_to_string(&pid_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // It left the session on purpose: it is nobody's to kill but ours.
    procs::signal(grandchild, Signal::KILL);
}

#[test]
fn a_background_child_of_the_session_does_not_outlive_its_terminal() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"500ms\"\n");
    let id = serve.sh("trap '' HUP; sleep 1000 & echo BYE");
    let pid = serve.child_pid(&id);
    serve.wait_exit(&id);
    eventually("the session is gone", || {
        procs::all()
            .iter()
            .all(|process| process.session != pid || process.state == 'Z')
    });
}

#[test]
fn no_zombie_is_left_by_children_or_by_their_orphans() {
    let serve = Serve::start();
    for _ in 0..20 {
        let id = serve.sh("sh -c 'exit 1' & exit 0");
        serve.wait_exit(&id);
    }
    let pid = serve.pid();
    eventually("no zombies", || procs::zombies(pid).is_empty());
}

#[test]
fn a_terminal_left_idle_or_old_is_ended_where_that_is_configured() {
    let serve = Serve::with_config("[pty]\nidle_timeout = \"1s\"\n");
    let quiet = serve.sh("exec sleep 1000");
    let busy = serve.sh("while :; do echo busy; sleep 0.2; done");
    serve.wait_exit(&quiet);
    assert_eq!(serve.terminal(&busy)["status"], "active");
    serve.home.configure("[pty]\nmax_lifetime = \"1s\"\n");
    serve.wait_exit(&busy);
}

#[test]
fn kill_returns_when_nobody_of_the_session_is_left() {
    let serve = Serve::start();
    let pid_file = serve.home.file("left-behind");
    let script = format!(
        "nohup sleep 1000 >/dev/null 2>&1 & echo $! > {}; exec sleep 1000",
        pid_file.display()
    );
    let id = serve.home.cli(&["new", "--", "sh", "-c", &script]).ok();
    eventually("the other process is there", || procs::written(&pid_file));
    serve.home.cli(&["kill", id.trim()]).ok();
    let pid: u32 = fs::read_to_string(&pid_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(!procs::alive(pid), "it was signalled and is gone");
}
