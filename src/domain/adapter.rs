//! How each agent's command line is started and pointed at the gateway: a table of data, one row per agent.

use std::fmt;
use std::sync::Arc;

use super::agent::AgentTraits;
use super::budget::Budget;
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
    /// A model that a profile serves; empty where none does.
    pub model: &'a str,
}

impl Endpoint<'_> {
    /// Without the key: every user of the machine can read a process's arguments.
    fn fill_argument(&self, text: &str) -> String {
        text.replace("{gateway}", self.gateway)
            .replace("{model}", self.model)
    }

    fn fill(&self, text: &str) -> String {
        self.fill_argument(text).replace("{key}", self.key)
    }
}

/// One agent's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    pub name: AgentName,
    /// Program and arguments; empty for the configured shell.
    pub command: Vec<String>,
    /// Arguments that it always gets, right after its command. `{gateway}` stands for the gateway's address, `{model}` for a
    /// model that a profile serves. The key has no place here.
    pub args: Vec<String>,
    /// Arguments, after those, with which it goes on with its last conversation.
    pub resume_args: Vec<String>,
    /// Variables, beyond those that every terminal gets; placeholders as in `args`, and `{key}` for the terminal's key.
    pub env: Vec<(String, String)>,
    /// What it gets besides, by what the gateway offers the clients of a vendor.
    pub wirings: Vec<Wiring>,
    /// What Shift+Enter is to its program while that has asked for no keyboard protocol; None: what it is to every other.
    pub shift_enter: Option<String>,
    /// How its signs are read.
    pub traits: AgentTraits,
    /// What a terminal of it may use, where nothing else is said.
    pub budget: Budget,
    /// Whether it is pointed at the gateway.
    pub gateway: bool,
    /// Whether its terminals are confined; None: as the configuration says.
    pub confine: Option<bool>,
    /// The versions whose requests do not pass the gateway.
    pub unobserved: Vec<Unobserved>,
}

/// Versions whose requests do not pass the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unobserved {
    /// The first of them; None for all.
    pub from: Option<Version>,
    /// The vendor whose clients the gateway must have something for, so that they do pass it.
    pub unless: Option<Vendor>,
    pub why: String,
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

/// A version, as numbers between dots; what follows them is not compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u64>);

impl Version {
    /// Reads the first word that begins with a number, as in `codex-cli 0.171.0`; None where there is none.
    #[must_use]
    pub fn find(text: &str) -> Option<(&str, Self)> {
        let is_of_version = |c: char| c.is_ascii_alphanumeric() || ".-+_".contains(c);
        let mut words = text.split_whitespace().filter_map(|word| {
            let word = word.trim_start_matches('v');
            let end = word.find(|c| !is_of_version(c)).unwrap_or(word.len());
            // What else stands there may be a colour, or no text at all.
            let version = word.get(..end)?;
            (end == word.len() || version.contains('.')).then_some(version)
        });
        words.find_map(|word| {
            let is_number = |c: char| c.is_ascii_digit() || c == '.';
            let end = word.find(|c| !is_number(c)).unwrap_or(word.len());
            let numbers = word.get(..end)?.split('.').map(str::parse);
            let numbers = numbers.collect::<Result<Vec<u64>, _>>().ok()?;
            Some((word, Self(numbers)))
        })
    }
}

impl Adapter {
    /// An agent that is started by its name and needs nothing.
    #[must_use]
    pub fn new(name: AgentName) -> Self {
        Self {
            command: vec![name.to_string()],
            name,
            args: Vec::new(),
            resume_args: Vec::new(),
            env: Vec::new(),
            wirings: Vec::new(),
            shift_enter: None,
            traits: AgentTraits::default(),
            budget: Budget::default(),
            gateway: true,
            confine: None,
            unobserved: Vec::new(),
        }
    }

    /// The file name of its program; none for the shell.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        self.command.first().map(|program| file_name(program))
    }

    /// What its command says after the program.
    #[must_use]
    pub fn own_words(&self) -> &[String] {
        self.command.get(1..).unwrap_or_default()
    }

    /// Whether its program alone tells that it is this agent. Of one that is run by something else, as a script is by a
    /// shell, that would make an agent of every shell.
    fn is_its_program(&self) -> bool {
        self.own_words().is_empty() || self.program() == Some(self.name.as_str())
    }

    /// Its arguments in a terminal, right after its command.
    #[must_use]
    pub fn launch_args(&self, endpoint: Endpoint<'_>, offers: Offers) -> Vec<String> {
        let wired = self.wired(offers).flat_map(|wiring| &wiring.args);
        let fill = |text: &String| endpoint.fill_argument(text);
        self.args.iter().chain(wired).map(fill).collect()
    }

    /// Its variables in a terminal. A name may come more than once; the last one counts.
    #[must_use]
    pub fn launch_env(&self, endpoint: Endpoint<'_>, offers: Offers) -> Vec<(String, String)> {
        let fill = |(name, value): &(String, String)| (name.clone(), endpoint.fill(value));
        let wired = self.wired(offers).flat_map(|wiring| &wiring.env);
        self.env.iter().chain(wired).map(fill).collect()
    }

    /// Its arguments where it is not pointed at the gateway: all of them, unless one speaks of it.
    #[must_use]
    pub fn bare_args(&self) -> Vec<String> {
        if self.args.iter().any(|text| has_placeholder(text)) {
            return Vec::new();
        }
        self.args.clone()
    }

    /// Its variables where it is not pointed at the gateway: those that do not speak of it.
    #[must_use]
    pub fn bare_env(&self) -> Vec<(String, String)> {
        let own = self.env.iter();
        own.filter(|(_, value)| !has_placeholder(value))
            .cloned()
            .collect()
    }

    /// Why requests of a version do not pass the gateway, which offers so much; None where they do. An unknown version is
    /// judged by what holds for all.
    #[must_use]
    pub fn unobserved(&self, version: Option<&Version>, offers: Offers) -> Option<&str> {
        if !self.gateway {
            return Some("gateway = false: it goes to its provider by itself");
        }
        let holds = |row: &&Unobserved| match (&row.from, version) {
            (None, _) => true,
            (Some(from), Some(version)) => version >= from,
            (Some(_), None) => false,
        };
        let is_offered = |row: &Unobserved| {
            row.unless
                .is_some_and(|vendor| offers.to(vendor) != Offer::Nothing)
        };
        let mut rows = self.unobserved.iter().filter(|row| !is_offered(row));
        let row = rows.find(holds)?;
        Some(&row.why)
    }

    fn wired(&self, offers: Offers) -> impl Iterator<Item = &Wiring> {
        self.wirings
            .iter()
            .filter(move |wiring| offers.to(wiring.vendor) == wiring.offer)
    }
}

fn has_placeholder(text: &str) -> bool {
    ["{gateway}", "{key}", "{model}"]
        .iter()
        .any(|placeholder| text.contains(placeholder))
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
        let mut rows = self.iter().filter(|adapter| adapter.is_its_program());
        rows.find(|adapter| adapter.program() == wanted)
    }

    /// Recognises an agent by the command that is started: by its program, or by all the words of its own command.
    #[must_use]
    pub fn of_command(&self, command: &[String]) -> Option<&Adapter> {
        let (program, rest) = command.split_first()?;
        let is_whole = |adapter: &&Adapter| {
            let own = adapter.own_words();
            !own.is_empty()
                && adapter.program() == Some(file_name(program))
                && rest.starts_with(own)
        };
        let whole = self.iter().filter(is_whole);
        let whole = whole.max_by_key(|adapter| adapter.command.len());
        whole.or_else(|| self.of_program(program))
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
            command: command.iter().map(ToString::to_string).collect(),
            args: vec!["--url={gateway}/v1".to_owned(), "{key}{model}".to_owned()],
            env: vec![(
                "AUTH".to_owned(),
                "{key} at {gateway}, {env:KEY} {model}".to_owned(),
            )],
            wirings: vec![Wiring {
                vendor: Vendor::OpenAi,
                offer: Offer::Login,
                args: vec!["--login={gateway}".to_owned()],
                env: vec![("LOGIN".to_owned(), "{key}".to_owned())],
            }],
            ..Adapter::new(name.into())
        }
    }

    const ENDPOINT: Endpoint<'_> = Endpoint {
        gateway: "http://127.0.0.1:1",
        key: "secret",
        model: "m",
    };

    #[test]
    fn placeholders_are_filled_and_a_key_never_becomes_an_argument() {
        let adapter = adapter("one", &["one"]);
        let none = Offers::default();
        assert_eq!(
            adapter.launch_args(ENDPOINT, none),
            ["--url=http://127.0.0.1:1/v1", "{key}m"]
        );
        let value = "secret at http://127.0.0.1:1, {env:KEY} m".to_owned();
        let auth = ("AUTH".to_owned(), value);
        assert_eq!(
            adapter.launch_env(ENDPOINT, none),
            std::slice::from_ref(&auth)
        );
        let login = Offers {
            openai: Offer::Login,
            ..none
        };
        let args = adapter.launch_args(ENDPOINT, login);
        assert_eq!(args.last().unwrap(), "--login=http://127.0.0.1:1");
        let env = adapter.launch_env(ENDPOINT, login);
        assert_eq!(env, [auth, ("LOGIN".to_owned(), "secret".to_owned())]);
    }

    #[test]
    fn without_the_gateway_nothing_speaks_of_it() {
        let mut adapter = adapter("one", &["one"]);
        adapter.env.push(("LOG".to_owned(), "1".to_owned()));
        assert_eq!(adapter.bare_args(), [""; 0]);
        assert_eq!(adapter.bare_env(), [("LOG".to_owned(), "1".to_owned())]);
        adapter.args = vec!["--fast".to_owned()];
        assert_eq!(adapter.bare_args(), ["--fast"]);
    }

    #[test]
    fn a_version_is_the_first_word_that_begins_with_a_number() {
        let version = |text| Version::find(text).map(|(word, _)| word);
        assert_eq!(version("2.1.197 (Claude Code)"), Some("2.1.197"));
        assert_eq!(version("codex-cli 0.171.0"), Some("0.171.0"));
        assert_eq!(version("tool v1.2.0-rc1, built"), Some("1.2.0-rc1"));
        assert_eq!(version("no version"), None);
        assert_eq!(version("1.2.3\u{1b}[31m"), Some("1.2.3"));
        assert_eq!(version("7\u{fffd}\u{12}"), None);
        let number = |text| Version::find(text).unwrap().1;
        assert!(number("0.171.0") > number("0.9.9") && number("2.0") > number("1.99.99"));
        assert!(number("2.0.1-beta") > number("2.0"));
    }

    #[test]
    fn versions_that_cannot_be_pointed_at_the_gateway_say_why() {
        let mut adapter = Adapter::new("one".into());
        assert_eq!(adapter.unobserved(None, Offers::default()), None);
        let from = Version::find("2").map(|(_, version)| version);
        let row = |from, why: &str| Unobserved {
            from,
            unless: None,
            why: why.to_owned(),
        };
        adapter.unobserved = vec![row(from, "shares a server")];
        let why = |adapter: &Adapter, text: Option<&str>| {
            let version = text.and_then(Version::find).map(|(_, version)| version);
            let none = Offers::default();
            adapter
                .unobserved(version.as_ref(), none)
                .map(str::to_owned)
        };
        assert_eq!(why(&adapter, Some("2.0.1")).unwrap(), "shares a server");
        assert_eq!(why(&adapter, Some("1.18.33")), None);
        assert_eq!(why(&adapter, None), None);
        adapter.unobserved = vec![row(None, "speaks no dialect")];
        assert_eq!(why(&adapter, None).unwrap(), "speaks no dialect");
        adapter.unobserved[0].unless = Some(Vendor::Google);
        let with_key = Offers {
            google: Offer::Key,
            ..Offers::default()
        };
        assert!(why(&adapter, None).is_some());
        assert_eq!(adapter.unobserved(None, with_key), None);
        adapter.gateway = false;
        assert!(why(&adapter, None).unwrap().starts_with("gateway = false"));
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
        let adapters = Adapters::new([adapter("shell", &[]), adapter("one", &["/opt/1"])]);
        let found = |program| adapters.of_program(program).map(|row| row.name.as_str());
        assert_eq!(found("1"), Some("one"));
        assert_eq!(found("/usr/bin/1"), Some("one"));
        assert_eq!(found("one"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn what_runs_an_agents_script_is_not_that_agent() {
        let adapters = Adapters::new([
            adapter("claude", &["claude", "--fast"]),
            adapter("mine", &["sh", "/opt/mine"]),
            adapter("opus", &["claude", "--model", "opus"]),
        ]);
        let of = |adapter: Option<&Adapter>| adapter.map(|row| row.name.to_string());
        assert_eq!(of(adapters.of_program("sh")), None);
        assert_eq!(of(adapters.of_program("claude")).unwrap(), "claude");
        let found = |command: &str| {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            of(adapters.of_command(&words)).unwrap_or_default()
        };
        let table = [
            ("/bin/sh /opt/mine now", "mine"),
            ("sh", ""),
            ("sh -c true", ""),
            ("claude", "claude"),
            ("claude -p", "claude"),
            ("claude --model opus -p", "opus"),
        ];
        for (command, expected) in table {
            assert_eq!(found(command), expected, "{command}");
        }
        assert_eq!(of(adapters.of_command(&[])), None);
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
