//! `tundra config`: where the configuration is, whether it is right, and what can be said in it.

use clap::{Args, Subcommand};
use serde_json::json;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::config;

#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print where the configuration file is; with --json every folder of this home
    Path(Json),
    /// Check the configuration file and tell everything that is wrong with it
    Check(Json),
    /// Print a configuration file with every key and its default
    PrintDefault,
}

impl ConfigCommand {
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Path(json) | Self::Check(json) => json.json,
            Self::PrintDefault => false,
        }
    }
}

pub fn run(command: &ConfigCommand, context: &Context) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Path(json) => path(json.json, context),
        ConfigCommand::Check(json) => check(json.json, context),
        ConfigCommand::PrintDefault => Ok(output::data(config::DEFAULT_FILE)),
    }
}

fn path(json: bool, context: &Context) -> Result<Exit, Failure> {
    let paths = context.paths()?;
    let config = context.config_source(&paths).path;
    Ok(if json {
        output::json(&json!({
            "config": config.to_string_lossy(),
            "data": paths.data.to_string_lossy(),
            "state": paths.state.to_string_lossy(),
            "logs": paths.logs.to_string_lossy(),
            "control_socket": paths.control_socket().to_string_lossy(),
        }))
    } else {
        output::data(&format!("{}\n", config.display()))
    })
}

fn check(json: bool, context: &Context) -> Result<Exit, Failure> {
    let source = context.config_source(&context.paths()?);
    config::load(&source)?;
    let exists = source.path.exists();
    Ok(if json {
        output::json(
            &json!({ "ok": true, "path": source.path.to_string_lossy(), "exists": exists }),
        )
    } else if exists {
        output::data(&format!("{}: ok\n", source.path.display()))
    } else {
        let path = source.path.display();
        output::data(&format!(
            "{path}: there is no such file, so the defaults hold\n"
        ))
    })
}
