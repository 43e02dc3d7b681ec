//! What the kernel tells of a process, and how one is asked to end.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Proportional memory of a process, in KiB.
pub fn pss_kib(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = rollup
        .lines()
        .find(|line| line.starts_with("Pss:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The process that is the instance of a home, as its lock tells.
pub fn instance(home: &Path) -> u32 {
    let lock = fs::read_to_string(home.join("state/tundra.lock")).unwrap();
    lock.lines().next().unwrap().parse().unwrap()
}

/// Ends the instance of a home with its children; what shows it ends with it.
pub fn stop(home: &Path) {
    let pid = Pid::from_raw(instance(home).cast_signed()).unwrap();
    let _ = kill_process(pid, Signal::TERM);
}
