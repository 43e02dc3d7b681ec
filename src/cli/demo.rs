//! `tundra demo`: failover to watch, without an account.

use std::io;

use clap::Args;

use super::exit::Exit;
use super::failure::Failure;
use super::launch::need_terminal;
use super::output;
use crate::app;

#[derive(Debug, Args)]
pub struct Demo {
    /// The client in its pane, given where the simulated providers listen
    #[arg(long, hide = true, value_name = "ADDRESS")]
    client: Option<String>,
}

pub fn run(args: Demo) -> Result<Exit, Failure> {
    need_terminal("it is there to be watched")?;
    if let Some(providers) = args.client {
        app::demo_client(providers, |text| match output::styled(text) {
            Exit::DONE => Ok(()),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        })?;
        return Ok(Exit::DONE);
    }
    let program = std::env::current_exe().map_err(Failure::Output)?;
    Ok(match app::demo(&program)? {
        0 => Exit::DONE,
        code => u8::try_from(code).map_or(Exit::FAILURE, Exit::with),
    })
}
