//! The shell and the agents: where they are, which version, and whether they can be pointed at the gateway.

use std::thread;
use std::time::Duration;

use super::subject::Subject;
use crate::domain::adapter::{Adapter, AgentName, Version};
use crate::domain::check::Check;
use crate::domain::offer::Offers;
use crate::domain::printable::printable;
use crate::runtime::version::version_of;
use crate::runtime::{programs, secrets};

/// A program that has not said its version by then is not waited for.
const VERSION_WITHIN: Duration = Duration::from_secs(4);

pub(super) fn names(subject: &Subject) -> Vec<String> {
    let agents = agents(subject);
    let shell = std::iter::once("programs.shell".to_owned());
    shell.chain(agents.iter().map(name)).collect()
}

pub(super) fn checks(subject: &Subject) -> Vec<Check> {
    let agents = agents(subject);
    let wanted: Vec<&str> = match &subject.settings {
        Ok(settings) => settings
            .panes
            .iter()
            .filter_map(|pane| pane.agent.as_ref())
            .map(AgentName::as_str)
            .collect(),
        Err(_) => Vec::new(),
    };
    let is_set = |name: &str| secrets::value(name).is_some_and(|value| !value.is_empty());
    let settings = subject.settings_or_default();
    let offers = settings.map_or_else(Offers::default, |settings| settings.offers(is_set));
    let mut checks = vec![shell(subject)];
    // Each asks a program for its version, which takes its time.
    let looked = thread::scope(|scope| {
        let running: Vec<_> = agents
            .iter()
            .map(|agent| {
                let is_wanted = wanted.contains(&agent.name.as_str());
                let look = move || self::agent(agent, is_wanted, offers);
                // Where no further thread can be had they are asked one after the other.
                (
                    agent,
                    is_wanted,
                    thread::Builder::new().spawn_scoped(scope, look),
                )
            })
            .collect();
        running
            .into_iter()
            .filter_map(|(agent, is_wanted, running)| match running {
                Ok(running) => running.join().ok(),
                Err(_) => Some(self::agent(agent, is_wanted, offers)),
            })
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

fn agent(agent: &Adapter, is_wanted: bool, offers: Offers) -> Check {
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
    // Of a command of several words the program is only what runs the agent.
    let said = (agent.command.len() == 1)
        .then(|| version_of(&path, VERSION_WITHIN))
        .flatten();
    let version = said.as_deref().and_then(Version::find);
    let told = version.as_ref().map_or_else(
        || "tells no version".to_owned(),
        |(text, _)| printable(text).into_owned(),
    );
    let found = format!("{} {told}", path.display());
    match agent.unobserved(version.as_ref().map(|(_, version)| version), offers) {
        Some(why) => Check::warn(
            check,
            format!("{found}: its requests do not pass the gateway: {why}"),
            "it works all the same, without failover; tundra agents tells which versions are observed",
        ),
        None => Check::ok(check, format!("{found}, is pointed at the gateway")),
    }
}
