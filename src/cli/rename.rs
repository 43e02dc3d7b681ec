//! `tundra rename`: another name.

use clap::{Args, ValueHint};

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

#[derive(Debug, Args)]
pub struct Rename {
    /// Its id, the start of its id, or its present name
    #[arg(add = complete::terminals())]
    id: String,
    /// The new one, which no other living terminal has
    #[arg(value_hint = ValueHint::Other)]
    name: String,
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Rename, context: &Context) -> Result<Exit, Failure> {
    context.client()?.rename(&args.id, &args.name)?;
    Ok(Exit::DONE)
}
