//! A command that is run once and whose end is waited for.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio::time::timeout;

use super::secrets;
use crate::domain::REMOTE_TOKEN_VARIABLE;

/// Runs a command with further variables and without input or output, in a group of its own. After `patience` the group is
/// killed. Dropped, it kills the command.
///
/// # Errors
/// Where it cannot be started, or [`io::ErrorKind::TimedOut`] where it did not end in time.
pub async fn run_once(
    command: &[String],
    env: &[(&str, &str)],
    patience: Duration,
) -> io::Result<ExitStatus> {
    let (program, args) = command
        .split_first()
        .ok_or_else(|| io::Error::other("the command is empty"))?;
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .env_remove(REMOTE_TOKEN_VARIABLE);
    for variable in secrets::kept_from_children() {
        command.env_remove(variable);
    }
    for (name, value) in env {
        command.env(name, value);
    }
    let mut child = command.spawn()?;
    let group = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    if let Ok(ended) = timeout(patience, child.wait()).await {
        return ended;
    }
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait().await;
    Err(io::Error::from(io::ErrorKind::TimedOut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[tokio::test]
    async fn a_command_gets_its_variables_and_its_end_is_told() {
        let script = shell("test \"$STATE\" = waiting");
        let env = [("STATE", "waiting")];
        let ended = run_once(&script, &env, Duration::from_secs(20)).await;
        assert!(ended.unwrap().success());
    }

    #[tokio::test]
    async fn one_that_does_not_end_in_time_is_killed() {
        let ended = run_once(&shell("sleep 600"), &[], Duration::from_millis(50)).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(run_once(&[], &[], Duration::ZERO).await.is_err());
    }
}
