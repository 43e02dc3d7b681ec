//! A pane's child: when it ended, how its session is ended, and who reaps it.

use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions};
use tracing::{error, warn};

use super::facts::Facts;
use super::mailbox::Mailbox;
use super::termination::Termination;
use crate::domain::terminal::Exit;

/// How long after the child's end output may still arrive, when a grandchild keeps the slave open.
const DRAIN: Duration = Duration::from_millis(100);

/// How long after KILL a session may still hold on (in the kernel) before it is given up.
const GIVE_UP: Duration = Duration::from_secs(5);

/// The child of one pane. Always holds: it is reaped once, after its session has been looked at for the last time.
pub(super) struct Child {
    pid: Pid,
    termination: Option<Termination>,
    /// The child's end, and until when its output is still awaited.
    exit: Option<(Exit, Instant)>,
}

impl Child {
    pub fn new(pid: Pid) -> Self {
        Self {
            pid,
            termination: None,
            exit: None,
        }
    }

    /// When [`Child::advance`] or [`Child::is_finished`] has something to do next.
    pub fn due(&self) -> Option<Instant> {
        let termination = self.termination.as_ref().and_then(Termination::due);
        let exit = self.exit.map(|(_, until)| until);
        termination.into_iter().chain(exit).min()
    }

    /// Whether its end has been asked for.
    pub fn is_terminating(&self) -> bool {
        self.termination.is_some()
    }

    /// Begins to end the session; false where that has begun already.
    pub fn terminate(&mut self, grace: Duration, now: Instant) -> bool {
        if self.termination.is_some() {
            return false;
        }
        self.termination = Some(Termination::begin(self.pid, true, grace, now));
        true
    }

    /// Goes on with ending the session.
    pub fn advance(&mut self, now: Instant) {
        if let Some(termination) = &mut self.termination {
            termination.advance(now);
        }
    }

    /// Notes the child's end without reaping it, so that its session's number stays ours while it is signalled.
    pub fn check(&mut self) {
        if self.exit.is_some() {
            return;
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let exit = match rustix::process::waitid(WaitId::Pid(self.pid), options) {
            Ok(None) | Err(rustix::io::Errno::INTR) => return,
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Exit::Code(code),
                (None, Some(signal)) => Exit::Signal(signal),
                (None, None) => return,
            },
            Err(error) => {
                error!(pid = self.pid.as_raw_nonzero(), %error, "the child cannot be waited for");
                Exit::Signal(libc::SIGKILL)
            }
        };
        self.exit = Some((exit, Instant::now() + DRAIN));
    }

    /// Whether the child has ended and no more of its output is to come.
    pub fn is_finished(&self, hung_up: bool, now: Instant) -> bool {
        self.exit.is_some_and(|(_, until)| hung_up || until <= now)
    }

    /// Reaps the ended child; what is left of its session is in the process of being ended.
    pub fn reap(self, grace: Duration, now: Instant) -> (Exit, Termination) {
        let termination = match self.termination {
            Some(mut termination) => {
                termination.leader_ended();
                termination
            }
            None => Termination::begin(self.pid, false, grace, now),
        };
        reap(self.pid);
        let exit = self
            .exit
            .map_or(Exit::Signal(libc::SIGKILL), |(exit, _)| exit);
        (exit, termination)
    }
}

/// Kills the whole session at once and reaps its leader, for a pane whose thread panicked.
pub(super) fn kill_and_reap(pid: Pid) -> (Exit, Termination) {
    let now = Instant::now();
    let mut termination = Termination::begin(pid, true, Duration::ZERO, now);
    termination.kill_now(now);
    termination.leader_ended();
    reap(pid);
    (Exit::Signal(libc::SIGKILL), termination)
}

/// Waits until nobody of the session is left, escalating meanwhile.
pub(super) fn wait_session_exit(mut termination: Termination, facts: &Facts, mailbox: &Mailbox) {
    let mut give_up = None;
    while !termination.is_over() {
        let Some(due) = termination.due() else { return };
        let now = Instant::now();
        if termination.has_killed() && *give_up.get_or_insert(now + GIVE_UP) <= now {
            warn!(id = %facts.id, "a process of the session outlives SIGKILL");
            return;
        }
        // Looked at more often than the steps are due, so that a session that ends early lets go early.
        let pause = due
            .saturating_duration_since(now)
            .min(Duration::from_millis(50));
        std::thread::park_timeout(pause);
        termination.advance(Instant::now());
        if mailbox.is_kill_now() {
            termination.kill_now(Instant::now());
        }
    }
}

/// Removes the ended child from the process table.
fn reap(pid: Pid) {
    loop {
        match rustix::process::waitpid(Some(pid), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return,
            Err(error) => {
                error!(pid = pid.as_raw_nonzero(), %error, "reaping failed");
                return;
            }
        }
    }
}
