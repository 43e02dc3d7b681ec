//! `tundra new`: opens a terminal.

use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use clap::{Args, ValueHint};

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use super::{budget, complete};
use crate::domain::adapter::AgentName;
use crate::domain::budget::Budget;
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalSpec};

#[derive(Debug, Args)]
pub struct New {
    /// Its name, by which other commands find it
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    name: Option<String>,
    /// Where it starts [default: here]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    cwd: Option<PathBuf>,
    /// A variable for it, besides those the running tundra has
    #[arg(long, value_name = "K=V", value_parser = variable, value_hint = ValueHint::Other)]
    env: Vec<(String, String)>,
    /// Its width, 1 to 1000 as for `resize`
    #[arg(long, value_name = "C", default_value_t = Size::DEFAULT.cols(), value_parser = up_to(Size::MAX.cols()))]
    cols: u16,
    /// Its height, 1 to 1000 as for `resize`
    #[arg(long, value_name = "R", default_value_t = Size::DEFAULT.rows(), value_parser = up_to(Size::MAX.rows()))]
    rows: u16,
    /// Keep it when its last viewer leaves
    #[arg(long)]
    persistent: bool,
    /// The agent that runs in it: claude, codex, aider, opencode, gemini or shell
    #[arg(long, value_name = "NAME", add = complete::agents())]
    agent: Option<AgentName>,
    /// Refuse its requests once they have cost so many US dollars
    #[arg(long, value_name = "X", value_parser = budget::usd)]
    budget_usd: Option<u64>,
    /// Refuse its requests once they have used so many tokens, input and output without what a cache gave
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    budget_tokens: Option<u64>,
    /// Leave its environment as it is: its programs go to their providers by themselves
    #[arg(long)]
    no_gateway: bool,
    /// Keep its programs from tundra's own sockets, tokens and files, as pty.confine does
    #[arg(long)]
    confine: bool,
    #[command(flatten)]
    pub json: Json,
    /// What it runs [default: the shell, or the agent]
    #[arg(value_name = "CMD", trailing_var_arg = true, add = complete::program())]
    command: Vec<String>,
}

pub fn run(args: New, context: &Context) -> Result<Exit, Failure> {
    let spec = TerminalSpec {
        confine: args.confine.then_some(true),
        resume: false,
        budget: Budget {
            nanodollars: args.budget_usd,
            tokens: args.budget_tokens,
        },
        name: args.name,
        command: args.command,
        cwd: working_directory(args.cwd)?,
        env: args.env,
        size: Size::clamped(args.cols, args.rows),
        persistent: args.persistent,
        agent: args.agent,
        gateway: !args.no_gateway,
        owner: Owner::Local,
    };
    let terminal = context.client()?.open(spec)?;
    Ok(if args.json.json {
        output::json(&terminal)
    } else {
        output::data(&format!("{}\n", terminal.id))
    })
}

/// The folder as the instance, which was started elsewhere, has to be told it.
fn working_directory(given: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    match (given, std::env::current_dir()) {
        (Some(path), Ok(here)) => Ok(Some(here.join(path))),
        (Some(path), Err(_)) if path.is_absolute() => Ok(Some(path)),
        // Nothing relative leads anywhere from a folder that was removed.
        (Some(path), Err(_)) => Err(Failure::Input(format!(
            "pty spawn failed: working directory {}: does not exist",
            path.display()
        ))),
        (None, Ok(here)) => Ok(Some(here)),
        // A shell in such a folder still gets its terminal.
        (None, Err(_)) => Ok(None),
    }
}

fn up_to(most: u16) -> RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=i64::from(most))
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}
