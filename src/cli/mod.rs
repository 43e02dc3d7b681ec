//! The command line: what is asked for, done through `app` or the local socket, and told.
//!
//! `main` calls it and nobody else does, but for [`exit`], which `app` answers with. Help, man page and completions come
//! from the one definition in [`args`]. Data goes to stdout and talk to stderr, both through `output` alone; a command
//! that asks the running instance starts no runtime. This room must not know of panes or sockets beyond their clients.

mod agents;
mod args;
mod ask;
mod attach;
mod budget;
mod capture;
mod complete;
mod completions;
mod config;
mod context;
mod demo;
mod detach;
mod doctor;
pub mod exit;
mod explain;
mod failure;
mod file_watch;
mod history;
mod kill;
mod launch;
mod logs;
mod ls;
mod man;
mod new;
mod output;
mod providers;
mod rename;
mod resize;
mod resume;
mod send;
mod show;
mod status;
mod steer;
mod stop;
mod store;
mod upgrade;
mod url;
mod usage;
mod wait;

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

use self::args::{Args, Command};
use self::context::Context;
use self::exit::Exit;
use self::failure::Failure;
use self::output::ColorChoice;
use crate::app::Beginning;
use crate::domain::nearest::nearest;
use crate::domain::printable::printable;
use crate::domain::route::Verb;
use crate::runtime::fault;

/// The version that `--version`, `status` and `--print-ready` tell.
pub fn version() -> &'static str {
    // A test's stand-in for a program of another version.
    fault::detail_of("version").unwrap_or(env!("CARGO_PKG_VERSION"))
}

/// Runs the command line.
pub fn main(arguments: impl Iterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.collect();
    if complete::answer(&arguments) {
        return Exit::DONE;
    }
    let args = match Args::without_parser(&arguments).map_or_else(|| parse(&arguments), Ok) {
        Ok(args) => args,
        Err(error) => return not_parsed(&error, &arguments),
    };
    let json = args.command.as_ref().is_some_and(Command::wants_json);
    let context = Context::new(args.globals);
    if args.can_resume {
        return resume::can_resume(&context);
    }
    match run(args.command, args.run, args.fresh, &context) {
        Ok(exit) => exit,
        Err(failure) => output::fail(&failure, json),
    }
}

fn parse(arguments: &[OsString]) -> Result<Args, clap::Error> {
    Args::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Args::from_arg_matches(&matches))
}

fn run(
    command: Option<Command>,
    run: Vec<String>,
    fresh: bool,
    context: &Context,
) -> Result<Exit, Failure> {
    match command {
        None => launch::front(run, Beginning::of(fresh), context),
        Some(Command::Serve(args)) => launch::serve(&args, Beginning::of(fresh), context),
        Some(Command::Detach(_)) => detach::run(context),
        Some(Command::Stop(args)) => stop::run(&args, context),
        Some(Command::Upgrade(args)) => upgrade::run(&args, context),
        Some(Command::Resume(args)) => resume::run(args, context),
        Some(Command::Ls(args)) => ls::run(&args, context),
        Some(Command::New(args)) => new::run(args, context),
        Some(Command::Send(args)) => send::run(args, context),
        Some(Command::Capture(args)) => capture::run(&args, context),
        Some(Command::Resize(args)) => resize::run(&args, context),
        Some(Command::Rename(args)) => rename::run(&args, context),
        Some(Command::Kill(args)) => kill::run(&args, context),
        Some(Command::Wait(args)) => wait::run(&args, context),
        Some(Command::Agents(args)) => agents::run(&args, context),
        Some(Command::Budget(args)) => budget::run(&args, context),
        Some(Command::Providers(args)) => providers::run(&args, context),
        Some(Command::Failover(args)) => steer::failover(&args, context),
        Some(Command::Pin(args)) => steer::named(Verb::Pin, &args, context),
        Some(Command::Unpin(args)) => steer::unpin(&args, context),
        Some(Command::Restart(args)) => steer::named(Verb::Restart, &args, context),
        Some(Command::Reset(args)) => steer::named(Verb::Reset, &args, context),
        Some(Command::Enable(args)) => steer::named(Verb::Enable, &args, context),
        Some(Command::Disable(args)) => steer::named(Verb::Disable, &args, context),
        Some(Command::Ask(args)) => ask::run(args, context),
        Some(Command::Status(args)) => status::run(&args, context),
        Some(Command::Usage(args)) => usage::run(&args, context),
        Some(Command::History(args)) => history::run(&args, context),
        Some(Command::Logs(args)) => logs::run(args, context),
        Some(Command::Demo(args)) => demo::run(args),
        Some(Command::Doctor(args)) => doctor::run(&args, context),
        Some(Command::Explain(args)) => explain::run(&args, context),
        Some(Command::Store(args)) => store::run(&args.command, context),
        Some(Command::Attach(args)) => attach::run(args, context),
        Some(Command::Url(args)) => url::run(&args, context),
        Some(Command::Config(args)) => config::run(&args.command, context),
        Some(Command::Completions(args)) => Ok(completions::run(&args)),
        Some(Command::Man) => man::run(),
    }
}

/// The first word of a command line that is neither a flag nor the value of one that comes before the command.
fn first_word(arguments: &[OsString]) -> Option<&str> {
    let mut words = arguments.iter().skip(1).map(|word| word.to_str());
    while let Some(word) = words.next() {
        match word? {
            "--" => return None,
            "--home" | "--config" | "--color" => {
                words.next();
            }
            flag if flag.starts_with('-') => {}
            word => return Some(word),
        }
    }
    None
}

/// What stands in a command's place and is none.
fn unknown_command(arguments: &[OsString]) -> Option<Failure> {
    let given = first_word(arguments)?;
    let command = Args::command();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .chain(["help"])
        .collect();
    if names.contains(&given) {
        return None;
    }
    let meant =
        nearest(given, &names).map_or_else(String::new, |name| format!(", did you mean {name:?}?"));
    Some(Failure::Usage(format!(
        "there is no command {given:?}{meant}\nto run a program in the first pane: tundra -- {given}\n\
         for all commands: tundra --help"
    )))
}

/// Help and version are data, everything else is a mistake of the caller.
fn not_parsed(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let color = ColorChoice::scan(arguments);
    let asks_json = arguments.iter().any(|argument| argument == "--json");
    let is_strange = matches!(
        error.kind(),
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand
    );
    if let Some(failure) = unknown_command(arguments).filter(|_| is_strange) {
        return output::fail(&failure, asks_json);
    }
    let Some(text) = rendered_printable(arguments) else {
        output::talk(&error.render().to_string());
        return Exit::USAGE;
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::styled(&if color.on_stdout() {
                text.ansi().to_string()
            } else {
                text.to_string()
            })
        }
        _ if asks_json => output::fail(&Failure::Usage(one_line(&text.to_string())), true),
        _ => {
            if color.on_stderr() {
                output::talk_styled(&text.ansi().to_string());
            } else {
                output::talk(&text.to_string());
            }
            Exit::USAGE
        }
    }
}

/// What the parser says of the arguments, its colours apart from any that those bring along: they are in its words.
fn rendered_printable(arguments: &[OsString]) -> Option<StyledStr> {
    let printable = |argument: &OsString| printable(&argument.to_string_lossy()).into_owned();
    let parsed = Args::command().try_get_matches_from(arguments.iter().map(printable));
    parsed.err().map(|error| error.render())
}

/// What is wrong, without the advice on usage that follows it for people.
fn one_line(text: &str) -> String {
    let first = text.trim().split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    let line = words.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::printable::is_disruptive;

    /// Every command with its whole name.
    fn commands(of: &clap::Command, parent: &str) -> Vec<(String, clap::Command)> {
        let mut found = Vec::new();
        for command in of
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let name = format!("{parent} {}", command.get_name());
            found.push((name.clone(), command.clone()));
            found.extend(commands(command, &name));
        }
        found
    }

    #[test]
    fn what_goes_past_the_parser_is_what_the_parser_says() {
        let lines: [&[&str]; 6] = [
            &["tundra"],
            &["tundra", "--"],
            &["tundra", "--", "sh"],
            &["tundra", "--", "sh", "-c", "exit 3", "--help", ""],
            &["tundra", "--", "--", "ls"],
            &["tundra", "--", "--fresh"],
        ];
        for line in lines {
            let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
            let past = Args::without_parser(&arguments).unwrap();
            let parsed = parse(&arguments).unwrap();
            assert_eq!(format!("{past:?}"), format!("{parsed:?}"), "{line:?}");
        }
        for line in [&["tundra", "ls"][..], &["tundra", "--fresh", "--"], &[]] {
            let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
            assert!(Args::without_parser(&arguments).is_none(), "{line:?}");
        }
    }

    #[test]
    fn every_command_opens_its_help_with_examples_that_can_be_run() {
        for (name, command) in commands(&Args::command(), "tundra") {
            let help = command.get_before_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("{name} has no example: add before_help"));
            let examples: Vec<&str> = help.lines().skip(1).collect();
            assert!(!examples.is_empty(), "{name} has no example");
            for example in examples {
                let call = example.split(['|', '>', '<']).next().unwrap_or_default();
                let call = if example.contains('\'') {
                    example
                } else {
                    call
                };
                let words = call.split('\'').enumerate().flat_map(|(index, part)| {
                    let quoted = index % 2 == 1;
                    let words: Vec<&str> = if quoted {
                        vec![part]
                    } else {
                        part.split_whitespace().collect()
                    };
                    words
                });
                let words: Vec<&str> = words.collect();
                assert!(
                    words.join(" ").starts_with(&name),
                    "{example} is not {name}"
                );
                let parsed = Args::command().try_get_matches_from(&words);
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn a_mistyped_command_is_told_and_a_mistyped_flag_is_not_taken_for_one() {
        let told = |line: &str| {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            unknown_command(&arguments).map(|failure| failure.to_string())
        };
        let lss = told("tundra --home /x lss").unwrap();
        assert!(lss.starts_with("there is no command \"lss\", did you mean \"ls\"?"));
        assert_eq!(told("tundra ls --nonsense"), None);
        assert_eq!(told("tundra --nonsense"), None);
        assert_eq!(told("tundra -- lss"), None);
    }

    #[test]
    fn a_coloured_usage_error_holds_no_colour_but_the_parsers() {
        for argument in [
            "--\x1b]52;c;ZXZpbA==\x07",
            "--color=\u{9b}31m",
            "--\u{202e}x",
            "--rows=\x1b[8m",
        ] {
            let arguments = ["tundra", "new", argument].map(OsString::from);
            let told = rendered_printable(&arguments).unwrap().ansi().to_string();
            let mut plain = String::new();
            let mut rest = told.as_str();
            while let Some((before, after)) = rest.split_once("\x1b[") {
                plain.push_str(before);
                rest = after.split_once('m').unwrap().1;
                let style = after.split_once('m').unwrap().0;
                assert!(
                    style.chars().all(|c| c.is_ascii_digit() || c == ';'),
                    "{told:?}"
                );
            }
            plain.push_str(rest);
            assert!(plain.contains("\\u{"), "{told:?}");
            assert!(
                !plain.contains(|c: char| is_disruptive(c) && c != '\n'),
                "{told:?}"
            );
        }
    }

    #[test]
    fn a_usage_error_for_programs_is_one_line_that_names_what_is_wrong() {
        let told = |line: &str| {
            let arguments = line.split(' ').map(OsString::from);
            let error = Args::command().try_get_matches_from(arguments).unwrap_err();
            one_line(&error.render().to_string())
        };
        for (line, expected) in [
            (
                "tundra capture",
                "the following required arguments were not provided: <ID>",
            ),
            (
                "tundra ls --color loud",
                "invalid value 'loud' for '--color <WHEN>' [possible values: auto, always, never]",
            ),
            ("tundra ls --nosuch", "unexpected argument '--nosuch' found"),
            (
                "tundra new --rows 1001",
                "invalid value '1001' for '--rows <R>': 1001 is not in 1..=1000",
            ),
        ] {
            assert_eq!(told(line), expected);
        }
    }
}
