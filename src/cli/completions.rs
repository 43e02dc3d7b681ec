//! `tundra completions`: for the shell.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::complete;
use super::exit::Exit;
use super::output;

#[derive(Clone, Debug, Args)]
pub struct Completions {
    /// The shell that is to read it
    #[arg(value_name = "SHELL", value_parser = PossibleValuesParser::new(complete::shells()))]
    shell: String,
}

pub fn run(args: &Completions) -> Exit {
    let script = complete::script(&args.shell, &program());
    output::data(&script.unwrap_or_default())
}

/// This program as the script is to call it: by its name where it was found so, else by its file.
fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let is_path = called.is_some_and(|called| called.components().count() > 1);
    let file = std::env::current_exe().ok().filter(|_| is_path);
    file.map_or_else(
        || "tundra".to_owned(),
        |file| file.to_string_lossy().into_owned(),
    )
}
