//! The commands that steer providers: `failover`, `pin`, `unpin`, `restart`, `reset`, `enable` and `disable`.

use std::time::Duration;

use clap::Args;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::config::parse_duration;
use crate::control::ProviderCommand;
use crate::control::shapes::DoneShape;
use crate::domain::moment::Span;

#[derive(Debug, Args)]
pub struct Failover {
    /// Whom to hold [default: the profile that requests now go to]
    #[arg(long, value_name = "NAME")]
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
    name: String,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Unpin {
    #[command(flatten)]
    pub json: Json,
}

pub fn failover(args: Failover, context: &Context) -> Result<Exit, Failure> {
    let command = ProviderCommand::Failover {
        from: args.from,
        hold_ms: Some(u64::try_from(args.hold.as_millis()).unwrap_or(u64::MAX)),
    };
    carry_out(command, args.json, context, |done| {
        let held = done.held_s.map(wait).unwrap_or_default();
        format!("{} is held for {held}", profile(done))
    })
}

pub fn pin(args: Named, context: &Context) -> Result<Exit, Failure> {
    let command = ProviderCommand::Pin(args.name);
    carry_out(command, args.json, context, |done| {
        format!("{} is pinned", profile(done))
    })
}

pub fn unpin(args: &Unpin, context: &Context) -> Result<Exit, Failure> {
    carry_out(
        ProviderCommand::Unpin,
        args.json,
        context,
        |done| match &done.profile {
            Some(name) => format!("{name} is no longer pinned"),
            None => "nothing was pinned".to_owned(),
        },
    )
}

pub fn restart(args: Named, context: &Context) -> Result<Exit, Failure> {
    let command = ProviderCommand::Restart(args.name);
    carry_out(command, args.json, context, |done| {
        format!("{} is restarted", profile(done))
    })
}

pub fn reset(args: Named, context: &Context) -> Result<Exit, Failure> {
    let command = ProviderCommand::Reset(args.name);
    carry_out(command, args.json, context, |done| {
        format!("{} is reset", profile(done))
    })
}

pub fn enable(args: Named, context: &Context) -> Result<Exit, Failure> {
    let command = ProviderCommand::Enable(args.name);
    carry_out(command, args.json, context, |done| {
        format!("{} is enabled", profile(done))
    })
}

pub fn disable(args: Named, context: &Context) -> Result<Exit, Failure> {
    let command = ProviderCommand::Disable(args.name);
    carry_out(command, args.json, context, |done| {
        format!("{} is disabled", profile(done))
    })
}

fn carry_out(
    command: ProviderCommand,
    json: Json,
    context: &Context,
    told: impl FnOnce(&DoneShape) -> String,
) -> Result<Exit, Failure> {
    let done = context.client()?.steer(command)?;
    if json.json {
        return Ok(output::json(&done));
    }
    let goes = match &done.active {
        Some(active) => format!("requests go to {active}"),
        None => "nobody can take requests".to_owned(),
    };
    Ok(output::data(&format!("{}; {goes}\n", told(&done))))
}

fn profile(done: &DoneShape) -> &str {
    done.profile.as_deref().unwrap_or("nobody")
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
