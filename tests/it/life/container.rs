//! The first process of a container, which is everybody's last parent.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use rustix::process::Signal;

use crate::support::{Home, eventually, procs, skip};

/// `tundra serve` as the first process of a pid namespace.
struct Container {
    /// `unshare`, which ends with the code of its child.
    outside: Child,
    /// The first process, by its number out here.
    first: u32,
}

impl Container {
    /// None where this system lets nobody have a pid namespace.
    fn start(home: &Home) -> Option<Self> {
        let mut outside = home
            .program("unshare")
            .args(["-pf", "--mount-proc", "--kill-child"])
            .args([home.tundra(&[]).get_program()])
            .args(["serve", "--print-ready"])
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut ready = String::new();
        BufReader::new(outside.stdout.take()?)
            .read_line(&mut ready)
            .ok()?;
        if ready.is_empty() {
            outside.wait().unwrap();
            return None;
        }
        let first = procs::children(outside.id()).first()?.pid;
        Some(Self { outside, first })
    }

    /// Signals the first process and waits; answers its exit code.
    fn end(&mut self, signal: Signal) -> Option<i32> {
        procs::signal(self.first, signal);
        self.outside.wait().unwrap().code()
    }
}

#[test]
fn the_first_process_of_a_container_reaps_orphans_and_passes_signals_on() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let home = Home::new();
        let Some(mut container) = Container::start(&home) else {
            return skip("nobody may have a pid namespace here");
        };
        for _ in 0..3 {
            let id = home.cli(&[
                "new",
                "--",
                "sh",
                "-c",
                "setsid true & (sleep 0.1 &) ; exit 0",
            ]);
            home.cli(&["wait", id.ok().trim(), "--exit"]).ok();
        }
        eventually("every orphan is reaped", || {
            let family = procs::children(container.first);
            family.iter().all(|process| process.name == "tundra") && family.len() == 1
        });
        let instance = procs::children(container.first)[0].pid;
        assert!(procs::zombies(instance).is_empty());
        assert_eq!(container.end(signal), Some(code), "{signal:?}");
        assert!(home.logs().contains("tundra ended"));
    }
}

#[test]
fn a_container_ends_with_its_instance() {
    let home = Home::new();
    let Some(mut container) = Container::start(&home) else {
        return skip("nobody may have a pid namespace here");
    };
    home.cli(&["upgrade"]).ok();
    let instance = procs::children(container.first)[0].pid;
    procs::signal(instance, Signal::KILL);
    assert_eq!(container.outside.wait().unwrap().code(), Some(137));
}
