//! `tundra` and `tundra serve`: become the instance.

use std::io::{self, IsTerminal};

use clap::Args;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use crate::app::{self, Launch};
use crate::config;

#[derive(Debug, Args)]
pub struct Serve {
    /// Print one line of JSON on stdout once everything listens
    #[arg(long)]
    pub print_ready: bool,
}

pub fn front(command: Vec<String>, context: &Context) -> Result<Exit, Failure> {
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(Failure::NoTerminal(" that can do more than TERM=dumb"));
    }
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::NoTerminal(""));
    }
    Ok(app::front(prepare(command, context)?))
}

pub fn serve(args: &Serve, context: &Context) -> Result<Exit, Failure> {
    Ok(app::serve(prepare(Vec::new(), context)?, args.print_ready))
}

fn prepare(command: Vec<String>, context: &Context) -> Result<Launch, Failure> {
    let paths = context.paths()?;
    let config_file = context.config_source(&paths);
    let settings = config::load(&config_file)?;
    Ok(Launch {
        paths,
        settings,
        config_file,
        command,
    })
}
