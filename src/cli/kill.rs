//! `tundra kill`: ends a terminal.

use clap::Args;

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

#[derive(Debug, Args)]
pub struct Kill {
    /// Its id, the start of its id, or its name
    #[arg(add = complete::terminals())]
    id: String,
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Kill, context: &Context) -> Result<Exit, Failure> {
    context.client()?.kill(&args.id)?;
    Ok(Exit::DONE)
}
