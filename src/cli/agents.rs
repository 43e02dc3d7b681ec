//! `tundra agents`: the agents there are, and whether each can be started and seen.

use clap::Args;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};
use crate::api::agents;
use crate::api::shapes::AdapterShape;
use crate::config;
use crate::control::{Client, ControlError};
use crate::domain::printable::printable;

#[derive(Debug, Args)]
pub struct Agents {
    #[command(flatten)]
    pub json: Json,
}

/// As the running instance would start them; without one, as the next would.
pub fn run(args: &Agents, context: &Context) -> Result<Exit, Failure> {
    let paths = context.paths()?;
    let agents = match Client::connect(&paths) {
        Ok(mut client) => client.agents()?,
        Err(ControlError::NoInstance) => {
            let settings = config::load(&context.config_source(&paths))?;
            let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let offers = settings.offers(is_set);
            agents(&settings.agents, &settings.general.shell_command(), offers)
        }
        Err(error) => return Err(error.into()),
    };
    if args.json.json {
        return Ok(output::json(&agents));
    }
    let mut text = lines(&agents).join("\n");
    text.push('\n');
    Ok(output::data(&text))
}

/// A head and one line for each agent, and below them what is to be known of some.
fn lines(agents: &[AdapterShape]) -> Vec<String> {
    let mut rows = vec![
        ["NAME", "VERSION", "OBSERVED", "FOUND"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for agent in agents {
        let observed = if agent.observed { "yes" } else { "no" };
        rows.push(vec![
            printable(&agent.name).into_owned(),
            printable(agent.version.as_deref().unwrap_or("-")).into_owned(),
            observed.to_owned(),
            printable(agent.found.as_deref().unwrap_or("-")).into_owned(),
        ]);
    }
    let mut lines = show::table(&rows);
    for agent in agents {
        if let Some(note) = &agent.note {
            let (name, note) = (printable(&agent.name), printable(note));
            lines.push(format!("{name}: {note}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_listed_with_what_is_to_be_known() {
        let agent = |name: &str, found: Option<&str>, note: Option<&str>| AdapterShape {
            name: name.to_owned(),
            command: vec![name.to_owned()],
            found: found.map(str::to_owned),
            version: found.map(|_| "1.2".to_owned()),
            observed: note.is_none(),
            note: note.map(str::to_owned),
        };
        let lines = lines(&[
            agent("claude", Some("/usr/bin/claude"), None),
            agent("x", None, Some("x: not found in PATH")),
        ]);
        assert_eq!(
            lines,
            [
                "NAME    VERSION  OBSERVED  FOUND",
                "claude  1.2      yes       /usr/bin/claude",
                "x       -        no        -",
                "x: x: not found in PATH",
            ]
        );
    }
}
