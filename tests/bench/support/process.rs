//! What the kernel tells of a process, and how one is asked to end.

use std::fs;
use std::process::Child;

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

/// Lets it end its children; a kill would leave that to the kernel's hangup.
pub fn terminate(child: &mut Child) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let _ = child.wait();
}
