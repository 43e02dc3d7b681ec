//! `tundra completions`: for the shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::args;
use super::exit::Exit;
use super::output;

#[derive(Clone, Copy, Debug, Args)]
pub struct Completions {
    shell: Shell,
}

pub fn run(args: Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut args::Args::command(),
        "tundra",
        &mut script,
    );
    output::data(&String::from_utf8_lossy(&script))
}
