//! What a shell offers behind the cursor: commands, flags and values from the one definition, and the names of what lives.
//!
//! The script that `tundra completions` prints asks the program itself, with [`VARIABLE`] set; so what is offered is that
//! of the version that runs. Names come from the running instance, which is given a moment and no more; where none runs,
//! profiles and agents come from the configuration.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::CommandFactory;
use clap_complete::engine::ValueCompleter;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};
use clap_complete::{
    ArgValueCandidates, ArgValueCompleter, CompleteEnv, CompletionCandidate, PathCompleter,
};

use super::args::Args;
use super::context::Context;
use crate::config::{self, Settings};
use crate::control::Client;

/// Set by the shells' scripts, to the name of the shell.
pub const VARIABLE: &str = "_TUNDRA_COMPLETE";
/// A shell that waits for longer feels stuck.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// What is completed.
const NAME: &str = "tundra";
const SHELLS: Shells<'static> = Shells(&[&Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// Answers a shell that asks; false where none does.
pub fn answer(arguments: &[OsString]) -> bool {
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(Args::command)
        .var(VARIABLE)
        .shells(SHELLS)
        .try_complete(arguments.to_vec(), here.as_deref())
        // Nobody reads what a completion says on stderr.
        .unwrap_or(true)
}

/// The names of living terminals.
pub fn terminals() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let terminals = client().and_then(|mut client| client.list().ok());
        let living = terminals.into_iter().flatten();
        living
            .filter(|terminal| terminal.status != "dead")
            .map(|terminal| candidate(&terminal.name, &terminal.command.join(" ")))
            .collect()
    })
}

/// The names of profiles.
pub fn profiles() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        if let Some(providers) = client().and_then(|mut client| client.providers().ok()) {
            let named = providers.iter();
            return named
                .map(|provider| candidate(&provider.name, &provider.state))
                .collect();
        }
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|key| !key.is_empty());
        let profiles = settings().map(|settings| settings.effective_profiles(is_set));
        let named = profiles.iter().flatten();
        named
            .map(|profile| candidate(profile.name.as_str(), profile.provider.as_str()))
            .collect()
    })
}

/// The names of agents.
pub fn agents() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let settings = settings();
        let named = settings.iter().flat_map(|settings| settings.agents.iter());
        named
            .map(|agent| candidate(agent.name.as_str(), &agent.command.join(" ")))
            .collect()
    })
}

/// Programs and files behind `--`, and nothing before it.
pub fn program() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        // The first `--` parts the shell's words from what it calls.
        let escapes = std::env::args_os().filter(|word| word == "--").count();
        if escapes < 2 {
            return Vec::new();
        }
        PathCompleter::file().complete(current)
    })
}

fn candidate(name: &str, help: &str) -> CompletionCandidate {
    CompletionCandidate::new(name).help(Some(help.to_owned().into()))
}

fn client() -> Option<Client> {
    let client = Client::connect(&context().paths().ok()?).ok()?;
    Some(client.within(ANSWER_WITHIN))
}

/// None where the configuration is wrong.
fn settings() -> Option<Settings> {
    let context = context();
    let paths = context.paths().ok()?;
    config::load(&context.config_source(&paths)).ok()
}

/// Where the words of the line so far say that things are.
fn context() -> Context {
    let words: Vec<OsString> = std::env::args_os().collect();
    let value = |flag: &str| {
        let at = words.iter().position(|word| word == flag)?;
        words.get(at + 1).map(PathBuf::from)
    };
    Context::of(value("--home"), value("--config"))
}

/// The script that makes a shell ask `program`; None for a shell that is not known.
pub fn script(shell: &str, program: &str) -> Option<String> {
    let completer: &dyn EnvCompleter = SHELLS.completer(shell)?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, NAME, NAME, program, &mut script)
        .ok()?;
    let mut script = String::from_utf8(script).ok()?.trim_start().to_owned();
    if shell == "zsh" {
        // As a file of fpath it is run by the first completion, which it then has to answer.
        script.push_str(
            "\nif [[ $funcstack[1] == _tundra ]]; then\n    _clap_dynamic_completer_tundra \"$@\"\nfi\n",
        );
    }
    let command = Args::command();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let names = names.join(", ");
    let _ = writeln!(script, "# Completes: {names}.");
    Some(script)
}

/// The shells that there is a script for.
pub fn shells() -> impl Iterator<Item = &'static str> {
    SHELLS.names()
}
