//! One process with all that it starts: a group of its own, which ends as a whole.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::log;
use crate::domain::REMOTE_TOKEN_VARIABLE;

/// A started server. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Pid,
}

impl Process {
    /// Starts a program whose output goes to a log and who sees none of the variables `without`.
    pub fn start(command: &[String], log: &Path, without: &[String]) -> io::Result<Self> {
        let (program, args) = command
            .split_first()
            .ok_or_else(|| io::Error::other("the command is empty"))?;
        let out = log::open(log)?;
        let mut command = Command::new(program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .kill_on_drop(true)
            .env_remove(REMOTE_TOKEN_VARIABLE);
        for variable in without {
            command.env_remove(variable);
        }
        let child = command.spawn()?;
        let group = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("it ended at once"))?;
        Ok(Self { child, group })
    }

    pub fn pid(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits for the leader's end, and ends what it left behind. Cancel-safe.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.signal(Signal::KILL);
        status
    }

    /// Asks the whole group to end, and kills what has not after `grace`.
    pub async fn stop(mut self, grace: Duration) {
        self.signal(Signal::TERM);
        if timeout(grace, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
            let _ = self.child.wait().await;
        }
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        // Nobody left in the group is what is wanted.
        let _ = kill_process_group(self.group, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
