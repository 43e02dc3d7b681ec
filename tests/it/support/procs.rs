//! Processes as `/proc` shows them.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// One line of `/proc/PID/stat`.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: u32,
    pub name: String,
    pub state: char,
    pub parent: u32,
    pub session: u32,
}

pub fn all() -> Vec<Process> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(process)
        .collect()
}

/// None once the process has been reaped.
pub fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(") ")?;
    let (_, name) = head.split_once(" (")?;
    let mut fields = tail.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    Some(Process {
        pid,
        name: name.to_owned(),
        state,
        parent,
        session,
    })
}

/// Tells whether the process runs; a zombie does not.
pub fn alive(pid: u32) -> bool {
    process(pid).is_some_and(|process| process.state != 'Z' && process.state != 'X')
}

pub fn children(pid: u32) -> Vec<Process> {
    all().into_iter().filter(|p| p.parent == pid).collect()
}

pub fn zombies(parent: u32) -> Vec<Process> {
    children(parent)
        .into_iter()
        .filter(|p| p.state == 'Z')
        .collect()
}

/// Running processes whose environment holds `text`.
pub fn with_environment(text: &str) -> Vec<Process> {
    all()
        .into_iter()
        .filter(|p| p.state != 'Z' && environment_holds(p.pid, text))
        .collect()
}

fn environment_holds(pid: u32, text: &str) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
        environ
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}

/// What each open descriptor points at.
pub fn descriptors(pid: u32) -> Vec<String> {
    let mut links: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .map(|link| link.display().to_string())
        .collect();
    links.sort();
    links
}

/// The names of its threads.
pub fn threads(pid: u32) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(format!("/proc/{pid}/task"))
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect();
    names.sort();
    names
}

/// Memory that is resident, in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    status_kib(pid, "VmRSS:")
}

/// The most memory that was ever resident, in KiB.
pub fn peak_resident_kib(pid: u32) -> u64 {
    status_kib(pid, "VmHWM:")
}

fn status_kib(pid: u32, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

pub fn signal(pid: u32, signal: Signal) {
    // A process that is gone already is what most callers are after.
    let _ = kill_process(raw(pid), signal);
}

/// Tells whether a file is there and holds something.
pub fn written(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.len() > 0)
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed()).unwrap()
}
