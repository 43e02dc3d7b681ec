//! Programs that should be gone: zombies of the instance, and what outlived its terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::subject::{Instance, Subject};
use crate::domain::check::Check;
use crate::runtime::proc::{self, Process};

pub(super) const NAME: &str = "children";
/// A child that has just ended is waited for within a moment.
const MOMENT: Duration = Duration::from_millis(400);
/// The variable that every program of a terminal has.
const TERMINAL: &str = "TUNDRA_TERMINAL_ID";
const HOME: &str = "TUNDRA_HOME";
const PROGRAM: &str = "tundra";
/// Names that are told at most.
const TOLD: usize = 5;

pub(super) fn check(subject: &Subject) -> Check {
    let processes = by_pid();
    if processes.is_empty() {
        return Check::skip(NAME, "this system does not tell of processes");
    }
    if let Instance::Running { status, .. } = &subject.instance {
        let zombies = |of: &BTreeMap<u32, Process>| -> Vec<u32> {
            of.values()
                .filter(|process| process.is_zombie && process.parent == status.pid)
                .map(|process| process.pid)
                .collect()
        };
        let first = zombies(&processes);
        if !first.is_empty() {
            thread::sleep(MOMENT);
            let still = zombies(&by_pid());
            let stay: Vec<String> = first
                .iter()
                .filter(|pid| still.contains(pid))
                .map(ToString::to_string)
                .collect();
            if !stay.is_empty() {
                return Check::fail(
                    NAME,
                    format!(
                        "pid {} ended and is not reaped by tundra (pid {})",
                        stay.join(", "),
                        status.pid
                    ),
                    "a fault of tundra's: report it with tundra doctor --bundle; tundra upgrade --binary PATH reaps them",
                );
            }
        }
    }
    let left: Vec<String> = processes
        .values()
        .filter(|process| is_leftover(process, &processes, subject))
        .map(|process| format!("pid {} {}", process.pid, process.name))
        .collect();
    if left.is_empty() {
        return Check::ok(NAME, "no zombie, and nothing that outlived its terminal");
    }
    let more = left.len().saturating_sub(TOLD);
    let mut told = left.into_iter().take(TOLD).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(told, " and {more} more");
    }
    Check::warn(
        NAME,
        format!("outlived their terminals (they took sessions of their own): {told}"),
        "end those that are not meant to run on: kill PID",
    )
}

fn by_pid() -> BTreeMap<u32, Process> {
    let all = proc::processes().into_iter();
    all.map(|process| (process.pid, process)).collect()
}

/// Whether it was started in a terminal of this home, which is gone, and no tundra is above it.
fn is_leftover(process: &Process, all: &BTreeMap<u32, Process>, subject: &Subject) -> bool {
    if process.is_zombie || process.pid == std::process::id() {
        return false;
    }
    let Some(terminal) = proc::variable(process.pid, TERMINAL) else {
        return false;
    };
    // Another home's are another doctor's.
    let home = proc::variable(process.pid, HOME).map(PathBuf::from);
    if home != subject.paths.home {
        return false;
    }
    if let Instance::Running { terminals, .. } = &subject.instance
        && terminals.contains(&terminal)
    {
        return false;
    }
    let mut above = process.parent;
    // As deep as a tree of processes can be that is looked at between two changes of it.
    for _ in 0..64 {
        let Some(parent) = all.get(&above) else { break };
        if parent.name == PROGRAM {
            return false;
        }
        above = parent.parent;
    }
    process.name != PROGRAM
}
