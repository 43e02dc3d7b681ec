//! `tundra wait`: until something holds.

use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use crate::api::{Condition as Until, WaitOutcome, pattern};
use crate::config::{parse_duration, show_duration};

#[derive(Debug, Args)]
pub struct Wait {
    /// Its id, the start of its id, or its name
    #[arg(add = complete::terminals())]
    id: String,
    #[command(flatten)]
    condition: Condition,
    /// Give up after this time, and exit 1; a bare number counts seconds, 0s looks once
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = limit)]
    timeout: Duration,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Condition {
    /// Until the text of its screen or history matches, ^ and $ at the ends of a row; what came before counts too
    #[arg(long, value_name = "REGEX", value_parser = checked_pattern, allow_hyphen_values = true)]
    text: Option<String>,
    /// Until it has ended
    #[arg(long)]
    exit: bool,
    /// Until it, or the agent in it, is in this state
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(Until::states()))]
    state: Option<String>,
}

pub fn run(args: &Wait, context: &Context) -> Result<Exit, Failure> {
    let (until, what) = match &args.condition {
        Condition {
            text: Some(text), ..
        } => (
            Until::Text(text.clone()),
            format!("its text matched {text:?}"),
        ),
        Condition {
            state: Some(state), ..
        } => {
            let until = Until::state(state);
            let until = until.ok_or_else(|| Failure::Usage(format!("{state:?} is not a state")))?;
            (until, format!("it was {state}"))
        }
        _ => (Until::Exit, "it ended".to_owned()),
    };
    match context.client()?.wait(&args.id, until, args.timeout)? {
        WaitOutcome::Holds => Ok(Exit::DONE),
        WaitOutcome::TimedOut => Err(Failure::TimedOut(format!(
            "timed out: {} passed before {what}",
            show_duration(args.timeout)
        ))),
        WaitOutcome::Ended => Err(Failure::Ended(format!(
            "terminal is dead: {} ended before {what}",
            args.id
        ))),
    }
}

fn checked_pattern(text: &str) -> Result<String, String> {
    match pattern::compile(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A duration; a bare number counts seconds.
fn limit(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .or_else(|| text.parse().ok().map(Duration::from_secs))
        .ok_or_else(|| "write a duration with its unit, such as 500ms, 30s or 5m".to_owned())
}
