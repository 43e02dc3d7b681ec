//! One process with all that it starts: a group of its own, which ends as a whole.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tracing::warn;

use super::adopted::Adopted;
use super::log;
use super::spec::{Overdue, Spec};
use crate::domain::REMOTE_TOKEN_VARIABLE;
use crate::runtime::{limits, secrets};

/// A started child. Dropped, it is killed, or asked to end where it must not be.
#[derive(Debug)]
pub(super) struct Process {
    leader: Leader,
    group: Pid,
    overdue: Overdue,
}

/// The first process of the group.
#[derive(Debug)]
enum Leader {
    Started(Child),
    /// A program that this one took the place of has started it.
    Adopted(Adopted),
}

impl Process {
    /// Starts what a spec says, its output appended to the spec's log.
    pub fn start(spec: &Spec) -> io::Result<Self> {
        let (program, args) = spec
            .command
            .split_first()
            .ok_or_else(|| io::Error::other("the command is empty"))?;
        let out = log::open(&spec.log)?;
        let mut command = Command::new(program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .kill_on_drop(spec.overdue == Overdue::Kill)
            .env_remove(REMOTE_TOKEN_VARIABLE);
        if let Some(cwd) = &spec.cwd {
            command.current_dir(cwd);
        }
        for variable in secrets::kept_from_children() {
            command.env_remove(variable);
        }
        for variable in &spec.without {
            command.env_remove(variable);
        }
        for (name, value) in &spec.env {
            command.env(name, value);
        }
        let child = command.spawn()?;
        let group = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("it ended at once"))?;
        limits::restore_core(Some(group));
        Ok(Self {
            leader: Leader::Started(child),
            group,
            overdue: spec.overdue,
        })
    }

    /// Goes on with a child that another program has started in this process. Must be called within the runtime.
    ///
    /// # Errors
    /// Where there is no such child, or no descriptor for it.
    pub fn adopt(pid: u32, overdue: Overdue) -> io::Result<Self> {
        let group = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let group = group.ok_or_else(|| io::Error::other("its pid is malformed"))?;
        Ok(Self {
            leader: Leader::Adopted(Adopted::new(group)?),
            group,
            overdue,
        })
    }

    /// Leaves the child running, for another program in this process.
    pub fn leave(self) {
        std::mem::forget(self);
    }

    pub fn pid(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits for the leader's end, and ends what it left behind. Cancel-safe.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.leader.wait().await;
        self.signal(self.last_signal());
        status
    }

    /// Asks the whole group to end, and kills what has not after `grace`, or leaves it to itself where it must not be
    /// killed.
    pub async fn stop(mut self, grace: Duration) {
        self.signal(Signal::TERM);
        if timeout(grace, self.leader.wait()).await.is_err() {
            if self.overdue == Overdue::Leave {
                warn!(pid = self.pid(), "a child was asked to end and has not yet");
                return;
            }
            self.signal(Signal::KILL);
            let _ = self.leader.wait().await;
        }
        self.signal(self.last_signal());
    }

    /// For whoever is left of the group.
    const fn last_signal(&self) -> Signal {
        match self.overdue {
            Overdue::Kill => Signal::KILL,
            Overdue::Leave => Signal::TERM,
        }
    }

    fn signal(&self, signal: Signal) {
        // Nobody left in the group is what is wanted.
        let _ = kill_process_group(self.group, signal);
    }
}

impl Leader {
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        match self {
            Self::Started(child) => child.wait().await,
            Self::Adopted(child) => child.wait().await,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(self.last_signal());
    }
}
