//! `tundra rename`: another name.

use clap::Args;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

#[derive(Debug, Args)]
pub struct Rename {
    /// Its id, the start of its id, or its present name
    id: String,
    name: String,
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Rename, context: &Context) -> Result<Exit, Failure> {
    context.client()?.rename(&args.id, &args.name)?;
    Ok(Exit::DONE)
}
