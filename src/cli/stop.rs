//! `tundra stop`: ends the instance, and waits until it is gone.

use clap::Args;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

#[derive(Debug, Args)]
pub struct Stop {
    /// End the programs that still run, too
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Stop, context: &Context) -> Result<Exit, Failure> {
    context.client()?.stop(args.force)?;
    Ok(Exit::DONE)
}
