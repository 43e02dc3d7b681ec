//! The processes of a terminal's session: finding and signalling all of them, not the leader alone.

use rustix::process::{Pid, Signal};

/// One process, safe against reuse of its pid: the start time tells it from a later bearer of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pid: Pid,
    start_time: u64,
}

/// The living members of the session that `leader` leads, the leader itself left out.
///
/// While the leader is not reaped its number, which is also the session's, cannot be given to anybody else; see
/// [`remaining`] for afterwards.
#[cfg(target_os = "linux")]
pub(super) fn members(leader: Pid) -> Vec<Member> {
    numbers_in("/proc")
        .filter(|pid| *pid != leader)
        .filter_map(|pid| {
            let stat = read_stat(pid)?;
            (stat.session == leader.as_raw_nonzero().get() && !stat.ended).then_some(Member {
                pid,
                start_time: stat.start_time,
            })
        })
        .collect()
}

/// Without a process table to read, the leader's group is all that can be reached.
#[cfg(not(target_os = "linux"))]
pub(super) fn members(_leader: Pid) -> Vec<Member> {
    Vec::new()
}

/// The living processes that `root` has started, and that these have, whatever session they took.
#[cfg(target_os = "linux")]
pub(super) fn descendants(root: Pid) -> Vec<Member> {
    // Some kernels keep no such lists; there a session is as near as one comes.
    if !std::path::Path::new("/proc/thread-self/children").exists() {
        return members(root);
    }
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for pid in children(parent) {
            let Some(stat) = read_stat(pid).filter(|stat| !stat.ended) else {
                continue;
            };
            found.push(Member {
                pid,
                start_time: stat.start_time,
            });
            parents.push(pid);
        }
    }
    found
}

/// Without a process table to read, nobody is known to have started anything.
#[cfg(not(target_os = "linux"))]
pub(super) fn descendants(_root: Pid) -> Vec<Member> {
    Vec::new()
}

/// `/proc/PID/task/TID/children` of every thread (`proc_pid_task(5)`).
#[cfg(target_os = "linux")]
fn children(parent: Pid) -> Vec<Pid> {
    let tasks = format!("/proc/{}/task", parent.as_raw_nonzero());
    let Ok(tasks) = std::fs::read_dir(tasks) else {
        return Vec::new();
    };
    let lists = tasks
        .filter_map(Result::ok)
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let pid = |text: &str| Pid::from_raw(text.parse().ok()?);
    lists
        .flat_map(|list| {
            list.split_ascii_whitespace()
                .filter_map(pid)
                .collect::<Vec<_>>()
        })
        .collect()
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
    #[cfg(target_os = "linux")]
    fn lives(self) -> bool {
        read_stat(self.pid).is_some_and(|stat| !stat.ended && stat.start_time == self.start_time)
    }

    #[cfg(not(target_os = "linux"))]
    fn lives(self) -> bool {
        false
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
#[cfg(target_os = "linux")]
pub(super) fn ancestor(pid: Pid) -> Option<Ancestor> {
    let stat = read_stat(pid)?;
    Some(Ancestor {
        parent: Pid::from_raw(stat.parent),
        session: stat.session,
        tty: stat.tty,
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn ancestor(_pid: Pid) -> Option<Ancestor> {
    None
}

/// The foreground process group of the terminal of a session; None where that is not known.
#[cfg(target_os = "linux")]
pub(super) fn foreground_group(leader: Pid) -> Option<Pid> {
    // -1 for a leader without a terminal, which it has no longer once it is about to end.
    let group = Some(read_stat(leader)?.foreground).filter(|group| *group > 0)?;
    Pid::from_raw(group)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn foreground_group(_leader: Pid) -> Option<Pid> {
    None
}

/// The processes of a group.
#[cfg(target_os = "linux")]
pub(super) fn group_members(group: Pid) -> Vec<Pid> {
    let is_in =
        |pid: &Pid| read_stat(*pid).is_some_and(|stat| stat.group == group.as_raw_nonzero().get());
    numbers_in("/proc").filter(is_in).collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn group_members(_group: Pid) -> Vec<Pid> {
    Vec::new()
}

/// The processor time that a process has used, in clock ticks.
#[cfg(target_os = "linux")]
pub(super) fn ticks(pid: Pid) -> u64 {
    read_stat(pid).map_or(0, |stat| stat.ticks)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn ticks(_pid: Pid) -> u64 {
    0
}

/// Whether a thread of a process runs, waits for a processor or for a disk.
#[cfg(target_os = "linux")]
pub(super) fn runs(pid: Pid) -> bool {
    let tasks = format!("/proc/{}/task", pid.as_raw_nonzero());
    let runs = |thread: Pid| {
        let stat = stat_at(&format!("{tasks}/{}/stat", thread.as_raw_nonzero()));
        stat.is_some_and(|stat| stat.runs)
    };
    numbers_in(&tasks).any(runs)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn runs(_pid: Pid) -> bool {
    false
}

/// The processes, or threads, that a folder of `/proc` lists.
#[cfg(target_os = "linux")]
fn numbers_in(folder: &str) -> impl Iterator<Item = Pid> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
}

#[cfg(target_os = "linux")]
struct Stat {
    parent: i32,
    group: i32,
    session: i32,
    tty: i32,
    foreground: i32,
    ticks: u64,
    start_time: u64,
    ended: bool,
    runs: bool,
}

#[cfg(target_os = "linux")]
fn read_stat(pid: Pid) -> Option<Stat> {
    stat_at(&format!("/proc/{}/stat", pid.as_raw_nonzero()))
}

/// Reads a `stat` of `/proc` (`proc_pid_stat(5)`): state is field 3, parent 4, group 5, session 6, terminal 7, the terminal's
/// foreground group 8, times in user and kernel mode 14 and 15, start time 22.
#[cfg(target_os = "linux")]
fn stat_at(path: &str) -> Option<Stat> {
    let text = std::fs::read(path).ok()?;
    // The command, field 2, may itself hold spaces and parentheses: fields are counted from the last one.
    let after = text.iter().rposition(|byte| *byte == b')')? + 1;
    let fields = std::str::from_utf8(text.get(after..)?).ok()?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let tty = fields.next()?.parse().ok()?;
    let foreground = fields.next()?.parse().ok()?;
    let user: u64 = fields.nth(5)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let start_time = fields.nth(6)?.parse().ok()?;
    Some(Stat {
        parent,
        group,
        session,
        tty,
        foreground,
        ticks: user.saturating_add(system),
        start_time,
        ended: matches!(state, "Z" | "X"),
        runs: matches!(state, "R" | "D"),
    })
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
        while read_stat(leader).unwrap().session != leader.as_raw_nonzero().get() {
            assert!(Instant::now() < deadline, "no session of its own");
            std::thread::yield_now();
        }
        assert_eq!(read_stat(leader).unwrap().foreground, -1);
        assert_eq!(foreground_group(leader), None);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
