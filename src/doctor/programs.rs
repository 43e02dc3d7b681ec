//! The shell and the agents: where they are, which version, and whether they can be pointed at the gateway.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::subject::Subject;
use crate::domain::adapter::Adapter;
use crate::domain::check::Check;
use crate::domain::printable::printable;
use crate::runtime::programs;

/// A program that has not said its version by then is not waited for.
const VERSION_WITHIN: Duration = Duration::from_secs(4);
const POLL: Duration = Duration::from_millis(20);
/// As much of what it says as is read, in bytes.
const MOST: u64 = 4096;

pub(super) fn names(subject: &Subject) -> Vec<String> {
    let agents = agents(subject);
    let shell = std::iter::once("programs.shell".to_owned());
    shell
        .chain(agents.iter().map(|agent| name(agent)))
        .collect()
}

pub(super) fn checks(subject: &Subject) -> Vec<Check> {
    let agents = agents(subject);
    let wanted: Vec<&str> = match &subject.settings {
        Ok(settings) => settings
            .panes
            .iter()
            .filter_map(|pane| pane.agent.as_ref())
            .map(|agent| agent.as_str())
            .collect(),
        Err(_) => Vec::new(),
    };
    let mut checks = vec![shell(subject)];
    // Each asks a program for its version, which takes its time.
    let looked = thread::scope(|scope| {
        let running: Vec<_> = agents
            .iter()
            .map(|agent| {
                let is_wanted = wanted.contains(&agent.name.as_str());
                scope.spawn(move || self::agent(agent, is_wanted))
            })
            .collect();
        running
            .into_iter()
            .filter_map(|check| check.join().ok())
            .collect::<Vec<_>>()
    });
    checks.extend(looked);
    checks
}

/// All but the one that is the shell itself.
fn agents(subject: &Subject) -> Vec<Adapter> {
    let settings = subject.settings_or_default();
    let agents = settings.map(|settings| settings.agents).unwrap_or_default();
    agents
        .iter()
        .filter(|agent| agent.program().is_some())
        .cloned()
        .collect()
}

fn name(agent: &Adapter) -> String {
    format!("programs.{}", agent.name)
}

fn shell(subject: &Subject) -> Check {
    let check = "programs.shell";
    let settings = subject.settings_or_default();
    let command = settings.map(|settings| settings.general.shell_command());
    let program = command.unwrap_or_default().into_iter().next();
    let program = program.unwrap_or_else(|| "/bin/sh".to_owned());
    match programs::find_here(&program) {
        Ok(path) => Check::ok(check, path.display().to_string()),
        Err(error) => Check::fail(
            check,
            error.to_string(),
            "general.shell with the path of a shell, or export SHELL",
        ),
    }
}

fn agent(agent: &Adapter, is_wanted: bool) -> Check {
    let check = name(agent);
    let program = agent.command.first().cloned().unwrap_or_default();
    let path = match programs::find_here(&program) {
        Ok(path) => path,
        Err(error) if is_wanted => {
            let cure = format!(
                "install it, or [[agent]] with name = {:?} and its command",
                agent.name.as_str()
            );
            return Check::fail(check, error.to_string(), cure);
        }
        Err(_) => return Check::skip(check, "not installed"),
    };
    let version = match version(&path) {
        Some(version) => version,
        None => {
            let message = format!("{}: tells no version", path.display());
            return Check::warn(
                check,
                message,
                "run it once by hand: it may want something first",
            );
        }
    };
    let pointed = if agent.args.is_empty() && agent.env.is_empty() && agent.wirings.is_empty() {
        "keeps its own way to its provider"
    } else {
        "is pointed at the gateway"
    };
    Check::ok(check, format!("{} {version}, {pointed}", path.display()))
}

/// The first line that a program says to `--version`.
fn version(program: &Path) -> Option<String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if started.elapsed() < VERSION_WITHIN => thread::sleep(POLL),
            Ok(None) | Err(_) => break None,
        }
    };
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
        return None;
    }
    let mut said = String::new();
    let stdout = child.stdout.take()?;
    stdout.take(MOST).read_to_string(&mut said).ok()?;
    let line = said.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(printable(line).into_owned())
}
