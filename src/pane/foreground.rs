//! Which agent reads a terminal's keys now: the pane's own, or one that was typed into its shell.

use rustix::process::Pid;

use super::pty::Pty;
use crate::domain::adapter::{Adapter, Adapters, AgentName};

/// The adapter of the program in the foreground. `agent` is the pane's own, which counts while its first process, `child`,
/// is in the foreground or nothing is known of what is.
pub(super) fn adapter<'a>(
    pty: &Pty,
    child: Pid,
    agent: Option<&AgentName>,
    adapters: &'a Adapters,
) -> Option<&'a Adapter> {
    let own = || agent.and_then(|name| adapters.get(name).ok());
    match pty.foreground_group() {
        Some(group) if group != child => names(group)
            .iter()
            .find_map(|name| adapters.of_program(name)),
        group => own().or_else(|| {
            let names = group.map(names).unwrap_or_default();
            names.iter().find_map(|name| adapters.of_program(name))
        }),
    }
}

/// What a process calls itself, what it was started as, and the script that it runs, if it is an interpreter.
fn names(pid: Pid) -> Vec<String> {
    let read = |file: &str| std::fs::read(format!("/proc/{}/{file}", pid.as_raw_nonzero()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let mut names: Vec<String> = read("comm").map(|bytes| text(&bytes)).into_iter().collect();
    let command = read("cmdline").unwrap_or_default();
    names.extend(command.split(|byte| *byte == 0).take(2).map(text));
    names.retain(|name| !name.is_empty());
    names
}
