//! `tundra resize`: another size.

use clap::{Args, ValueHint};

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use crate::domain::size::Size;

#[derive(Debug, Args)]
pub struct Resize {
    /// Its id, the start of its id, or its name
    #[arg(add = complete::terminals())]
    id: String,
    /// Columns and rows, such as 120x40, at most 1000x1000
    #[arg(value_name = "COLSxROWS", value_hint = ValueHint::Other)]
    size: Size,
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Resize, context: &Context) -> Result<Exit, Failure> {
    context.client()?.resize(&args.id, args.size)?;
    Ok(Exit::DONE)
}
