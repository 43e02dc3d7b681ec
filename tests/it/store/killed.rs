//! kill -9 in mid-write: the journal is whole, and holds what was told a moment before.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::history;
use crate::support::{Home, Serve, procs};

const ROUNDS: u32 = 6;
/// Facts that are told before the kill, at least.
const FACTS: usize = 8;
/// The store has 50 ms; a machine that runs a whole suite may let its thread wait for longer.
const IN_TIME: Duration = Duration::from_millis(300);

/// Opens terminals one after the other until it is to stop; tells each with the time at which it was known to be open.
fn flood(home: &Home, stop: &AtomicBool, told: impl Fn(usize)) -> Vec<(String, Instant)> {
    let mut opened = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let done = home.cli(&["new", "--", "sh", "-c", "exit 3"]);
        if done.code == 0 {
            opened.push((done.stdout.trim().to_owned(), Instant::now()));
            told(opened.len());
        }
    }
    opened
}

#[test]
fn what_was_recorded_survives_a_kill_in_mid_write() {
    let quiet = "[gateway]\nenabled = false\n[remote]\nenabled = false\n[pty]\nmax_ptys = 50\n";
    let mut home = Home::with_config(quiet);
    for round in 0..ROUNDS {
        let mut serve = Serve::at(home);
        let pid = serve.pid();
        let running = &serve.home;
        let stop = AtomicBool::new(false);
        let (enough, is_enough) = std::sync::mpsc::channel();
        let (opened, killed) = thread::scope(|scope| {
            let flooding = scope.spawn(|| {
                flood(running, &stop, |count| {
                    if count == FACTS + round as usize {
                        enough.send(()).unwrap();
                    }
                })
            });
            is_enough.recv_timeout(Duration::from_secs(60)).unwrap();
            let killed = Instant::now();
            procs::signal(pid, Signal::KILL);
            stop.store(true, Ordering::Relaxed);
            (flooding.join().unwrap(), killed)
        });
        serve.end(Signal::KILL);
        home = serve.into_home();
        let checked = Command::new("sqlite3")
            .arg(home.path().join("data/tundra.db"))
            .arg("PRAGMA integrity_check")
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&checked.stdout).trim(), "ok");
        let events = history(&home, &["--kind", "terminal.opened"]);
        let kept: Vec<&str> = events
            .iter()
            .filter_map(|event| event["terminal"]["id"].as_str())
            .collect();
        for (id, at) in opened.iter().filter(|(_, at)| *at + IN_TIME < killed) {
            let count = kept.iter().filter(|kept| *kept == id).count();
            assert_eq!(count, 1, "told {:?} before the kill", killed - *at);
        }
    }
}
