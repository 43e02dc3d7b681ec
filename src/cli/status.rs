//! `tundra status`: the running instance in one look.

use clap::Args;
use jiff::Timestamp;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Status, context: &Context) -> Result<Exit, Failure> {
    let status = context.client()?.status()?;
    if args.json.json {
        return Ok(output::json(&status));
    }
    let up = show::age(status.started_at, Timestamp::now());
    let rows = [
        (
            "tundra",
            format!("{}, pid {}, up {up}", status.version, status.pid),
        ),
        (
            "pool",
            format!("{}/{} terminals", status.pool.active, status.pool.max),
        ),
        ("socket", status.control_socket),
        ("log", status.log_file),
        ("config", status.config_file),
    ]
    .map(|(name, value)| vec![name.to_owned(), value]);
    let mut text = show::table(&rows).join("\n");
    text.push('\n');
    Ok(output::data(&text))
}
