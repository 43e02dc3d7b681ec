//! Whether the programs in a terminal's foreground are at work, as far as the kernel tells.
//!
//! What a program has read it need not have taken in: Codex reads 8 KB at once and works on them for seconds before it draws
//! anything. One that waits for its next key sleeps. Linux alone tells; elsewhere every program counts as idle.

use rustix::process::Pid;

use super::session;

/// Looks at the foreground process group of one terminal again and again.
#[derive(Debug)]
pub struct Activity {
    /// The terminal's first process.
    leader: Pid,
    group: Option<Pid>,
    members: Vec<Pid>,
    /// The processor time that the members had used at the last look, in clock ticks.
    used: u64,
}

impl Activity {
    pub(super) fn of_session(leader: Pid) -> Self {
        Self {
            leader,
            group: None,
            members: Vec::new(),
            used: 0,
        }
    }

    /// Whether the programs have used a processor since the last look, or use or wait for one now. At the first look they
    /// have.
    pub fn is_at_work(&mut self) -> bool {
        let group = session::foreground_group(self.leader);
        if group != self.group {
            self.group = group;
            self.members = group.map(session::group_members).unwrap_or_default();
        }
        let used = self.members.iter().map(|pid| session::ticks(*pid)).sum();
        let has_worked = std::mem::replace(&mut self.used, used) != used;
        has_worked || self.members.iter().any(|pid| session::runs(*pid))
    }
}
