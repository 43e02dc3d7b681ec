//! `tundra upgrade`: another program goes on in the running instance's place, and keeps everything.

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::api::shapes::UpgradeShape;

#[derive(Debug, Args)]
pub struct Upgrade {
    /// The program to go on as; without it this very one
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    binary: Option<PathBuf>,
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Upgrade, context: &Context) -> Result<Exit, Failure> {
    let program = program(args.binary.clone())?;
    let upgraded = context.client()?.upgrade(program)?;
    Ok(if args.json.json {
        output::json(&upgraded)
    } else {
        output::data(&told(&upgraded))
    })
}

/// The program as an absolute path: the instance works elsewhere.
fn program(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let program = match named {
        Some(named) => named,
        None => std::env::current_exe()?,
    };
    fs::canonicalize(&program).map_err(|error| {
        let program = program.display();
        Failure::Input(format!("the program {program} cannot be used: {error}"))
    })
}

fn told(upgraded: &UpgradeShape) -> String {
    let UpgradeShape {
        pid,
        from,
        version,
        terminals,
        lost,
    } = upgraded;
    let kept = match terminals {
        1 => "1 terminal goes on".to_owned(),
        count => format!("{count} terminals go on"),
    };
    let mut text = format!("tundra {version} in place of {from}, pid {pid}: {kept}\n");
    for lost in lost {
        text.push_str(lost);
        text.push('\n');
    }
    text
}
