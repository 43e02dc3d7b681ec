//! The processes of a terminal's session: finding and signalling all of them, not the leader alone.

use rustix::process::{Pid, Signal};

use crate::runtime::proc::{self, Process};

/// One process, safe against reuse of its pid: the start time tells it from a later bearer of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pid: Pid,
    start_ticks: u64,
}

/// The living members of the session that `leader` leads, the leader itself left out. Without a process table to read
/// nobody is known, and the leader's group is all that can be reached.
///
/// While the leader is not reaped its number, which is also the session's, cannot be given to anybody else; see
/// [`remaining`] for afterwards.
pub(super) fn members(leader: Pid) -> Vec<Member> {
    let leader = leader.as_raw_nonzero().get();
    proc::pids()
        .filter(|pid| pid.cast_signed() != leader)
        .filter_map(proc::process)
        .filter(|process| process.session == leader)
        .filter_map(|process| Member::living(&process))
        .collect()
}

/// The living processes that `root` has started, and that these have, whatever session they took.
pub(super) fn descendants(root: Pid) -> Vec<Member> {
    // Some kernels keep no such lists; there a session is as near as one comes.
    if !proc::lists_children() {
        return members(root);
    }
    let mut found = Vec::new();
    let mut parents = vec![number(root)];
    while let Some(parent) = parents.pop() {
        for child in proc::children(parent) {
            if let Some(member) = Member::living(&child) {
                found.push(member);
                parents.push(child.pid);
            }
        }
    }
    found
}

/// The process's number as the kernel's table has it.
fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().cast_unsigned()
}

fn look(pid: Pid) -> Option<Process> {
    proc::process(number(pid))
}

/// Those of `known` that still live, and whoever joined their session since.
///
/// As long as one of them lives the session's number is taken, so newcomers that bear it belong to it; when none
/// does the number may be somebody else's, and nobody is returned.
pub(super) fn remaining(leader: Pid, known: &[Member]) -> Vec<Member> {
    if known.iter().any(|member| member.lives()) {
        members(leader)
    } else {
        Vec::new()
    }
}

impl Member {
    fn living(process: &Process) -> Option<Self> {
        if process.is_zombie {
            return None;
        }
        Some(Self {
            pid: Pid::from_raw(process.pid.cast_signed())?,
            start_ticks: process.start_ticks,
        })
    }

    fn lives(self) -> bool {
        look(self.pid).is_some_and(|now| !now.is_zombie && now.start_ticks == self.start_ticks)
    }
}

/// Sends `signal` to every member. One that is gone meanwhile is no fault.
pub(super) fn signal(members: &[Member], signal: Signal) {
    for member in members {
        let _ = rustix::process::kill_process(member.pid, signal);
        if signal == Signal::HUP {
            // A stopped process acts on a hangup only once it goes on.
            let _ = rustix::process::kill_process(member.pid, Signal::CONT);
        }
    }
}

/// Sends `signal` to a leader that has not been reaped, and to its process group.
pub(super) fn signal_leader(leader: Pid, signal: Signal) {
    let _ = rustix::process::kill_process_group(leader, signal);
    let _ = rustix::process::kill_process(leader, signal);
    if signal == Signal::HUP {
        let _ = rustix::process::kill_process_group(leader, Signal::CONT);
    }
}

/// What tells of one process which terminal it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ancestor {
    pub parent: Option<Pid>,
    pub session: i32,
    /// The device number of its terminal; 0 for none.
    pub tty: i32,
}

/// Looks at a process; None where it is not there any more.
pub(super) fn ancestor(pid: Pid) -> Option<Ancestor> {
    let process = look(pid)?;
    Some(Ancestor {
        parent: Pid::from_raw(process.parent.cast_signed()),
        session: process.session,
        tty: process.terminal,
    })
}

/// The foreground process group of the terminal of a session; None where that is not known.
pub(super) fn foreground_group(leader: Pid) -> Option<Pid> {
    // -1 for a leader without a terminal, which it has no longer once it is about to end.
    let group = Some(look(leader)?.foreground).filter(|group| *group > 0)?;
    Pid::from_raw(group)
}

/// The processes of a group.
pub(super) fn group_members(group: Pid) -> Vec<Pid> {
    let group = group.as_raw_nonzero().get();
    let members = proc::pids()
        .filter_map(proc::process)
        .filter(|process| process.group == group);
    members
        .filter_map(|process| Pid::from_raw(process.pid.cast_signed()))
        .collect()
}

/// The processor time that a process has used, in clock ticks.
pub(super) fn ticks(pid: Pid) -> u64 {
    look(pid).map_or(0, |process| process.used_ticks)
}

/// Whether a thread of a process runs, waits for a processor or for a disk.
pub(super) fn runs(pid: Pid) -> bool {
    proc::threads(number(pid)).any(|thread| thread.is_busy)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_leader_without_a_terminal_has_no_foreground_group() {
        let mut child = Command::new("setsid")
            .arg("cat")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let leader = Pid::from_raw(child.id().cast_signed()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while look(leader).unwrap().session != leader.as_raw_nonzero().get() {
            assert!(Instant::now() < deadline, "no session of its own");
            std::thread::yield_now();
        }
        assert_eq!(look(leader).unwrap().foreground, -1);
        assert_eq!(foreground_group(leader), None);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
