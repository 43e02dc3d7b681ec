//! How each agent's command line is started and pointed at the gateway: a table of data, one row per agent.

use std::fmt;
use std::sync::Arc;

use super::offer::{Offer, Offers, Vendor};

/// What an agent goes by in commands, configuration and lists.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentName(Arc<str>);

impl AgentName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for AgentName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for AgentName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the placeholders of a row stand for in one terminal.
#[derive(Clone, Copy)]
pub struct Endpoint<'a> {
    /// The gateway's address without a path or a slash at its end, such as `http://127.0.0.1:3100`.
    pub gateway: &'a str,
    /// The terminal's own key.
    pub key: &'a str,
}

/// One agent's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    pub name: AgentName,
    /// Program and arguments; empty for the configured shell.
    pub command: Vec<String>,
    /// Arguments that point it at the gateway, right after the program's name. `{gateway}` stands for the gateway's
    /// address. The key has no place here: every user of the machine can read a process's arguments.
    pub args: Vec<String>,
    /// Variables that point it at the gateway, beyond those that every terminal gets. `{gateway}` stands for the
    /// gateway's address, `{key}` for the terminal's key.
    pub env: Vec<(String, String)>,
    /// What it gets besides, by what the gateway offers the clients of a vendor.
    pub wirings: Vec<Wiring>,
    /// What Shift+Enter is to its program while that has asked for no keyboard protocol; None: what it is to every other.
    pub shift_enter: Option<String>,
    /// Whether its terminals are confined; None: as the configuration says.
    pub confine: Option<bool>,
}

/// What points an agent at the gateway under one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    pub vendor: Vendor,
    pub offer: Offer,
    /// As [`Adapter::args`].
    pub args: Vec<String>,
    /// As [`Adapter::env`].
    pub env: Vec<(String, String)>,
}

impl Adapter {
    /// The file name of its program; none for the shell.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        self.command.first().map(|program| file_name(program))
    }

    /// Its arguments in a terminal, right after the program's name.
    #[must_use]
    pub fn launch_args(&self, gateway: &str, offers: Offers) -> Vec<String> {
        let wired = self.wired(offers).flat_map(|wiring| &wiring.args);
        let fill = |text: &String| text.replace("{gateway}", gateway);
        self.args.iter().chain(wired).map(fill).collect()
    }

    /// Its variables in a terminal. A name may come more than once; the last one counts.
    #[must_use]
    pub fn launch_env(&self, endpoint: Endpoint<'_>, offers: Offers) -> Vec<(String, String)> {
        let fill = |(name, value): &(String, String)| {
            let value = value
                .replace("{gateway}", endpoint.gateway)
                .replace("{key}", endpoint.key);
            (name.clone(), value)
        };
        let wired = self.wired(offers).flat_map(|wiring| &wiring.env);
        self.env.iter().chain(wired).map(fill).collect()
    }

    fn wired(&self, offers: Offers) -> impl Iterator<Item = &Wiring> {
        self.wirings
            .iter()
            .filter(move |wiring| offers.to(wiring.vendor) == wiring.offer)
    }
}

/// The agents there are, in the order in which they are shown; cheap to clone. No two have the same name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Adapters(Arc<[Adapter]>);

impl Adapters {
    /// A later row takes the place of an earlier one of its name.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = Adapter>) -> Self {
        let mut kept: Vec<Adapter> = Vec::new();
        for row in rows {
            match kept.iter_mut().find(|other| other.name == row.name) {
                Some(other) => *other = row,
                None => kept.push(row),
            }
        }
        Self(kept.into())
    }

    /// All of them, the built-in ones before those of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Adapter> {
        self.0.iter()
    }

    /// The row of a name.
    ///
    /// # Errors
    /// [`UnknownAgent`] where no row has that name.
    pub fn get(&self, name: &AgentName) -> Result<&Adapter, UnknownAgent> {
        self.iter()
            .find(|adapter| adapter.name == *name)
            .ok_or_else(|| UnknownAgent {
                given: name.to_string(),
                known: self.iter().map(|adapter| adapter.name.clone()).collect(),
            })
    }

    /// Recognises an agent by the program that is started, whatever folder it is in.
    #[must_use]
    pub fn of_program(&self, program: &str) -> Option<&Adapter> {
        let wanted = Some(file_name(program));
        self.iter().find(|adapter| adapter.program() == wanted)
    }
}

/// No adapter has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not an agent: use {}", alternatives(.known))]
pub struct UnknownAgent {
    given: String,
    known: Vec<AgentName>,
}

fn alternatives(names: &[AgentName]) -> String {
    let names: Vec<&str> = names.iter().map(AgentName::as_str).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

fn file_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, command: &[&str]) -> Adapter {
        Adapter {
            shift_enter: None,
            confine: None,
            name: name.into(),
            command: command.iter().map(ToString::to_string).collect(),
            args: vec!["--url={gateway}/v1".to_owned(), "{key}".to_owned()],
            env: vec![(
                "AUTH".to_owned(),
                "{key} at {gateway}, {env:KEY}".to_owned(),
            )],
            wirings: vec![Wiring {
                vendor: Vendor::OpenAi,
                offer: Offer::Login,
                args: vec!["--login={gateway}".to_owned()],
                env: vec![("LOGIN".to_owned(), "{key}".to_owned())],
            }],
        }
    }

    #[test]
    fn placeholders_are_filled_and_a_key_never_becomes_an_argument() {
        let adapter = adapter("one", &["one"]);
        let endpoint = Endpoint {
            gateway: "http://127.0.0.1:1",
            key: "secret",
        };
        let none = Offers::default();
        assert_eq!(
            adapter.launch_args(endpoint.gateway, none),
            ["--url=http://127.0.0.1:1/v1", "{key}"]
        );
        let value = "secret at http://127.0.0.1:1, {env:KEY}".to_owned();
        let auth = ("AUTH".to_owned(), value);
        assert_eq!(
            adapter.launch_env(endpoint, none),
            std::slice::from_ref(&auth)
        );
        let login = Offers {
            openai: Offer::Login,
            ..none
        };
        let args = adapter.launch_args(endpoint.gateway, login);
        assert_eq!(args.last().unwrap(), "--login=http://127.0.0.1:1");
        let env = adapter.launch_env(endpoint, login);
        assert_eq!(env, [auth, ("LOGIN".to_owned(), "secret".to_owned())]);
    }

    #[test]
    fn a_later_row_takes_the_place_of_an_earlier_one() {
        let replaced = adapter("one", &["/opt/one-next", "--fast"]);
        let adapters = Adapters::new([
            adapter("one", &["one"]),
            adapter("two", &["two"]),
            replaced.clone(),
        ]);
        let names: Vec<&str> = adapters.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(adapters.get(&"one".into()), Ok(&replaced));
    }

    #[test]
    fn a_program_is_recognised_in_any_folder_and_the_shell_by_none() {
        let adapters = Adapters::new([adapter("shell", &[]), adapter("one", &["/opt/1", "-x"])]);
        let found = |program| adapters.of_program(program).map(|row| row.name.as_str());
        assert_eq!(found("1"), Some("one"));
        assert_eq!(found("/usr/bin/1"), Some("one"));
        assert_eq!(found("one"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn an_unknown_agent_is_told_with_those_there_are() {
        let refusal = |names: &[&str]| {
            let adapters = Adapters::new(names.iter().map(|name| adapter(name, &[])));
            adapters.get(&"x\n".into()).unwrap_err().to_string()
        };
        assert_eq!(refusal(&[]), "\"x\\n\" is not an agent: use none");
        assert_eq!(refusal(&["a"]), "\"x\\n\" is not an agent: use a");
        assert_eq!(
            refusal(&["a", "b", "c"]),
            "\"x\\n\" is not an agent: use a, b or c"
        );
    }
}
