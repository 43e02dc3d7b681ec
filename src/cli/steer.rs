//! The commands that steer providers: `failover`, `pin`, `unpin`, `restart`, `reset`, `enable` and `disable`.

use std::time::Duration;

use clap::Args;

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::api::shapes::DoneShape;
use crate::config::parse_duration;
use crate::domain::moment::Span;
use crate::domain::profile::ProfileName;
use crate::domain::route::{NamelessError, RouterCommand, Verb};

#[derive(Debug, Args)]
pub struct Failover {
    /// Whom to hold [default: the profile that requests now go to]
    #[arg(long, value_name = "NAME", add = complete::profiles())]
    from: Option<String>,
    /// For how long
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = span)]
    hold: Duration,
    #[command(flatten)]
    pub json: Json,
}

/// A command about one profile.
#[derive(Debug, Args)]
pub struct Named {
    /// The profile
    #[arg(add = complete::profiles())]
    name: String,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Unpin {
    #[command(flatten)]
    pub json: Json,
}

pub fn failover(args: &Failover, context: &Context) -> Result<Exit, Failure> {
    let from = args.from.as_deref().map(ProfileName::from);
    let command = RouterCommand::of(Verb::Failover, from, Some(args.hold));
    carry_out(command, args.json, context)
}

pub fn named(verb: Verb, args: &Named, context: &Context) -> Result<Exit, Failure> {
    let name = ProfileName::from(args.name.as_str());
    carry_out(
        RouterCommand::of(verb, Some(name), None),
        args.json,
        context,
    )
}

pub fn unpin(args: &Unpin, context: &Context) -> Result<Exit, Failure> {
    let command = RouterCommand::of(Verb::Unpin, None, None);
    carry_out(command, args.json, context)
}

fn carry_out(
    command: Result<RouterCommand, NamelessError>,
    json: Json,
    context: &Context,
) -> Result<Exit, Failure> {
    let command = command.map_err(|error| Failure::Usage(error.to_string()))?;
    let verb = command.verb();
    let done = context.client()?.steer(command)?;
    if json.json {
        return Ok(output::json(&done));
    }
    let text = told(verb, &done);
    let goes = match &done.active {
        // The others' requests go where they went.
        _ if is_consent(verb, &done) => String::new(),
        Some(active) => format!("; requests go to {active}"),
        None => "; nobody can take requests".to_owned(),
    };
    Ok(output::data(&format!("{text}{goes}\n")))
}

/// Whether a failover held nobody, but let the requests of a login whose plan is used up cost money.
fn is_consent(verb: Verb, done: &DoneShape) -> bool {
    verb == Verb::Failover && done.held_s.is_none()
}

/// What a command has done, in words.
fn told(verb: Verb, done: &DoneShape) -> String {
    let profile = done.profile.as_deref().unwrap_or("nobody");
    match verb {
        Verb::Failover => match done.held_s.map(wait) {
            Some(held) => format!("{profile} is held for {held}"),
            None => format!("{profile}'s requests may cost money until its plan is back"),
        },
        Verb::Pin => format!("{profile} is pinned"),
        Verb::Unpin if done.profile.is_none() => "nothing was pinned".to_owned(),
        Verb::Unpin => format!("{profile} is no longer pinned"),
        Verb::Restart => format!("{profile} is restarted"),
        Verb::Reset => format!("{profile} is reset"),
        Verb::Enable => format!("{profile} is enabled"),
        Verb::Disable => format!("{profile} is disabled"),
    }
}

fn wait(seconds: f64) -> String {
    Span(Duration::try_from_secs_f64(seconds).unwrap_or_default()).to_string()
}

fn span(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Some(span) if !span.is_zero() => Ok(span),
        _ => Err("write a duration with its unit, such as 30s, 10m or 1h".to_owned()),
    }
}
