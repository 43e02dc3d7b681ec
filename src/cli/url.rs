//! `tundra url`: the address for a browser.

use clap::Args;

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;

#[derive(Debug, Args)]
pub struct Url {
    /// Open this terminal at once
    #[arg(value_name = "ID", add = complete::terminals())]
    pub id: Option<String>,
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Url, context: &Context) -> Result<Exit, Failure> {
    let url = context.client()?.url(args.id.as_deref())?;
    if args.json.json {
        return Ok(output::json(&serde_json::json!({ "url": url })));
    }
    Ok(output::data(&format!("{url}\n")))
}
