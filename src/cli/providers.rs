//! `tundra providers`: every profile and how it stands.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};
use crate::api::shapes::{ProviderShape, WindowShape};
use crate::domain::moment::Span;
use crate::domain::plan::{OVERAGE, coming};
use crate::domain::printable::printable;

#[derive(Debug, Args)]
pub struct Providers {
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Providers, context: &Context) -> Result<Exit, Failure> {
    let providers = context.client()?.providers()?;
    if args.json.json {
        return Ok(output::json(&providers));
    }
    let mut text = table(&providers, output::columns()).join("\n");
    text.push('\n');
    Ok(output::data(&text))
}

/// A head and one line for each provider, and below them why those that are not ready are not.
pub fn table(providers: &[ProviderShape], columns: Option<usize>) -> Vec<String> {
    let head = [
        "", "NAME", "PROVIDER", "STATE", "BREAKER", "RPM", "TPM", "P50", "REQ", "ERR", "TOKENS",
        "COST", "MODEL",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(providers.iter().map(row));
    if columns.is_some() {
        rows = without_unused(rows);
    }
    let last = rows.first().map_or(0, |head| head.len().saturating_sub(1));
    let mut lines = show::table_within(&rows, columns, &[last, 1]);
    let now = Timestamp::now();
    for provider in providers {
        lines.extend(plan(provider, now));
        if let Some(reason) = &provider.reason {
            lines.push(format!(
                "{}: {}",
                printable(&provider.name),
                printable(reason)
            ));
        }
    }
    lines
}

/// Where a person looks, the columns of limits that nobody has take no room.
fn without_unused(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let says = |column: usize| {
        let mut cells = rows.iter().skip(1).filter_map(|row| row.get(column));
        cells.any(|cell| cell != "-")
    };
    let width = rows.first().map_or(0, Vec::len);
    let kept: Vec<bool> = (0..width).map(says).collect();
    let row = |row: Vec<String>| {
        let cells = row.into_iter().zip(&kept);
        cells
            .filter_map(|(cell, kept)| kept.then_some(cell))
            .collect()
    };
    rows.into_iter().map(row).collect()
}

/// What is left of a login's plan: `claude-login: 5h 73 % 14:20 · 7d 12 %`.
fn plan(provider: &ProviderShape, now: Timestamp) -> Option<String> {
    let zone = TimeZone::system();
    let shown = |window: &&WindowShape| window.name != OVERAGE || window.used > 0.0;
    let windows = provider.windows.iter().filter(shown);
    let mut parts: Vec<String> = (windows.enumerate())
        .map(|(at, window)| {
            let used = format!("{} {:.0} %", window.name, window.used * 100.0);
            // The end of the first one is what its user waits for.
            match window.resets_at.filter(|_| at == 0) {
                Some(resets_at) => format!("{used} {}", coming(resets_at, now, &zone)),
                None => used,
            }
        })
        .collect();
    if let Some(until) = provider.used_up_until {
        let until = coming(until, now, &zone);
        let until = match &provider.used_up_family {
            Some(family) => format!("for {family} until {until}"),
            None => format!("until {until}"),
        };
        parts.push(match &provider.substitute {
            Some(substitute) if substitute.asks => format!(
                "used up {until}: tundra failover --from {} goes on with {}",
                provider.name, substitute.name
            ),
            Some(substitute) => format!("used up {until}: goes on with {}", substitute.name),
            None => format!("used up {until}"),
        });
    }
    let text = parts.join(" · ");
    (!text.is_empty()).then(|| format!("{}: {}", printable(&provider.name), printable(&text)))
}

fn row(provider: &ProviderShape) -> Vec<String> {
    let mark = match (provider.active, provider.pinned) {
        (true, true) => ">p",
        (true, false) => ">",
        (false, true) => "p",
        (false, false) => "",
    };
    let errors = &provider.errors;
    let errors = errors.http
        + errors.api
        + errors.rate_limited
        + errors.timeout
        + errors.parse
        + errors.unsupported;
    let tokens = &provider.tokens;
    let bucket = |bucket: Option<crate::api::shapes::BucketShape>| {
        bucket.map_or("-".to_owned(), |bucket| {
            format!("{}/{}", bucket.available, bucket.capacity)
        })
    };
    vec![
        mark.to_owned(),
        provider.name.clone(),
        provider.provider.clone(),
        state(provider),
        breaker(provider),
        bucket(provider.buckets.requests),
        bucket(provider.buckets.tokens),
        provider
            .first_byte_ms
            .p50
            .map_or("-".to_owned(), |millis| format!("{millis}ms")),
        provider.requests.to_string(),
        errors.to_string(),
        format!("{}+{}", tokens.input, tokens.output),
        provider
            .cost_usd
            .map_or("?".to_owned(), |dollars| format!("${dollars:.2}")),
        provider.model.clone(),
    ]
}

fn state(provider: &ProviderShape) -> String {
    let left = provider.held_s.or(provider.cooldown_s);
    let state = match left {
        Some(left) if matches!(provider.state.as_str(), "held" | "cooling" | "exhausted") => {
            format!("{} {}", provider.state, wait(left))
        }
        _ => provider.state.clone(),
    };
    match &provider.process {
        Some(process) if process.state != "ready" => format!("{state} (server {})", process.state),
        _ => state,
    }
}

fn breaker(provider: &ProviderShape) -> String {
    match (provider.breaker.state.as_str(), provider.breaker.retry_in_s) {
        ("open", Some(left)) => format!("open {}", wait(left)),
        (state, _) => state.replace('_', "-"),
    }
}

fn wait(seconds: f64) -> String {
    Span(Duration::try_from_secs_f64(seconds).unwrap_or_default()).to_string()
}
