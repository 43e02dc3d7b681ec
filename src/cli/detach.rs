//! `tundra detach`: whatever terminal shows the instance leaves.

use clap::Args;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

#[derive(Debug, Args)]
pub struct Detach {
    #[command(flatten)]
    pub json: Json,
}

pub fn run(context: &Context) -> Result<Exit, Failure> {
    context.client()?.detach()?;
    Ok(Exit::DONE)
}
