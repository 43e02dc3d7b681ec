//! How a terminal's session is ended: HUP, then TERM, then KILL.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::session::{self, Member};

/// Where in the escalation a session is. Made when the end begins; [`Termination::advance`] is called when it is due.
#[derive(Debug)]
pub(super) struct Termination {
    leader: Pid,
    /// None once the leader has been reaped: from then on only remembered members are signalled.
    leader_lives: bool,
    members: Vec<Member>,
    began: Instant,
    grace: Duration,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Hangup,
    Terminate,
    Kill,
    /// KILL was sent; repeated, since a fork may have raced with it.
    Killed,
}

/// How often KILL is repeated while somebody is left.
const KILL_AGAIN: Duration = Duration::from_millis(100);

impl Termination {
    /// Sends HUP to the whole session. TERM follows after a quarter of `grace`, KILL after all of it.
    pub fn begin(leader: Pid, leader_lives: bool, grace: Duration, now: Instant) -> Self {
        let ending = Self {
            leader,
            leader_lives,
            members: session::members(leader),
            began: now,
            grace,
            stage: Stage::Hangup,
        };
        ending.send();
        ending
    }

    /// When the next step is due; None once nobody is left.
    pub fn due(&self) -> Option<Instant> {
        if !self.leader_lives && self.members.is_empty() {
            return None;
        }
        Some(match self.stage {
            Stage::Hangup => self.began + self.grace / 4,
            Stage::Terminate => self.began + self.grace,
            Stage::Kill | Stage::Killed => self.began + self.grace + KILL_AGAIN,
        })
    }

    /// Goes one step further where it is due.
    pub fn advance(&mut self, now: Instant) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        self.look_again();
        self.stage = match self.stage {
            Stage::Hangup => Stage::Terminate,
            Stage::Terminate => Stage::Kill,
            Stage::Kill | Stage::Killed => Stage::Killed,
        };
        if self.stage == Stage::Killed {
            self.began = now.checked_sub(self.grace).unwrap_or(now);
        }
        self.send();
    }

    /// Goes straight to KILL.
    pub fn kill_now(&mut self, now: Instant) {
        self.look_again();
        self.stage = Stage::Kill;
        self.began = now.checked_sub(self.grace).unwrap_or(now);
        self.send();
    }

    /// The leader has ended and is about to be reaped; its session's number is ours for this one last look.
    pub fn leader_ended(&mut self) {
        self.members = session::members(self.leader);
        self.leader_lives = false;
        self.send();
    }

    /// Whether KILL has been sent.
    pub fn has_killed(&self) -> bool {
        matches!(self.stage, Stage::Kill | Stage::Killed)
    }

    /// Whether nobody of the session is left.
    pub fn is_over(&mut self) -> bool {
        self.look_again();
        !self.leader_lives && self.members.is_empty()
    }

    fn look_again(&mut self) {
        self.members = if self.leader_lives {
            session::members(self.leader)
        } else {
            session::remaining(self.leader, &self.members)
        };
    }

    fn send(&self) {
        let signal = match self.stage {
            Stage::Hangup => Signal::HUP,
            Stage::Terminate => Signal::TERM,
            Stage::Kill | Stage::Killed => Signal::KILL,
        };
        if self.leader_lives {
            session::signal_leader(self.leader, signal);
        }
        session::signal(&self.members, signal);
    }
}
