//! All about one provider.

use super::numbers::{gauges, numbers};
use super::{plan, requests};
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::{Auth, Dialect};
use crate::domain::route::ProviderStatus;
use crate::domain::usage::{RequestTries, Slot};
use crate::providers::ProvidersStatus;
use crate::supervise::ProcessStatus;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::view::gauge::{breaker, latency, short, spark, state};
use crate::tui::view::piece::{Piece, Styled, fact, label, muted};

pub(super) fn details(
    model: &Model,
    status: &ProvidersStatus,
    provider: &ProviderStatus,
    process: Option<ProcessStatus>,
    requests: &[RequestTries],
) -> Vec<Styled> {
    let mut lines = facts(model, status, provider, process);
    lines.push(Vec::new());
    lines.push(gauges(model, provider));
    lines.push(numbers(provider));
    let errors = ErrorKind::ALL
        .iter()
        .map(|kind| {
            format!(
                "{} {}",
                kind.as_str().replace('_', " "),
                provider.usage.counters.errors.of(*kind)
            )
        })
        .collect::<Vec<_>>()
        .join("  ");
    lines.push(fact("errors", &errors));
    lines.push(Vec::new());
    lines.extend(history(model, status, provider));
    lines.push(Vec::new());
    lines.push(vec![Piece(
        "last attempts, newest first".to_owned(),
        Role::Heading,
    )]);
    if requests.is_empty() {
        lines.push(muted("none yet"));
    }
    let entries = requests.iter();
    lines.extend(entries.flat_map(|request| requests::entry(model, status, request)));
    lines
}

fn facts(
    model: &Model,
    status: &ProvidersStatus,
    provider: &ProviderStatus,
    process: Option<ProcessStatus>,
) -> Vec<Styled> {
    let profile = &provider.profile;
    let (state_text, state_role) = state(provider, process);
    let (breaker_text, breaker_role) = breaker(&provider.breaker);
    let failures = format!(
        "  {} failures, {} timeouts in a row",
        provider.breaker.failures, provider.breaker.timeouts
    );
    let dialects: Vec<&str> = profile.dialects.iter().map(Dialect::as_str).collect();
    let mut lines = vec![
        vec![label("state"), Piece(state_text, state_role)],
        vec![
            label("breaker"),
            Piece(breaker_text, breaker_role),
            Piece(failures, Role::Muted),
        ],
    ];
    if let Some(reason) = &provider.reason {
        lines.push(fact("why", reason));
    }
    lines.push(fact(
        "provider",
        &format!(
            "{}, speaks {}",
            profile.provider.as_str(),
            dialects.join(", ")
        ),
    ));
    lines.push(fact("address", &profile.base_url));
    lines.push(fact("model", &profile.default_model));
    lines.push(fact("priority", &profile.priority.to_string()));
    let key = match (profile.auth, profile.key_env.as_deref()) {
        (Auth::Caller, _) => "each caller's own login".to_owned(),
        (Auth::Key, None) => "none".to_owned(),
        (Auth::Key, Some(name)) => format!("in {name}"),
    };
    lines.push(fact("key", &key));
    let now = status.date(status.router.at);
    let plan = plan::pieces(model, provider, now);
    if !plan.is_empty() {
        lines.push(std::iter::once(label("plan")).chain(plan).collect());
    }
    if let Some(until) = provider.plan.spills_until {
        let until = model.options.coming(until, now);
        lines.push(fact(
            "spills",
            &format!("to providers that cost money, until {until}"),
        ));
    }
    if let Some(process) = process {
        let pid = process
            .pid
            .map_or(String::new(), |pid| format!(", pid {pid}"));
        lines.push(fact(
            "server",
            &format!(
                "{}{pid}, started again {} times: {}",
                process.state.as_str(),
                process.restarts,
                profile.command.join(" ")
            ),
        ));
    }
    if let Some(error) = &provider.usage.last_error {
        let at = model.options.time(status.date(error.at));
        lines.push(vec![
            label("last error"),
            Piece(format!("{at} "), Role::Muted),
            Piece(error.message.clone(), Role::Error),
        ]);
    }
    lines
}

/// One small line for each thing that was counted over the last ten minutes, with its sum or its latest value.
fn history(model: &Model, status: &ProvidersStatus, provider: &ProviderStatus) -> Vec<Styled> {
    let glyphs = model.client.theme.glyphs();
    let slots: Vec<Slot> = provider.usage.timeline.slots(status.router.at).collect();
    let series = |name: &str, of: &dyn Fn(&Slot) -> u64| {
        let values: Vec<u64> = slots.iter().map(of).collect();
        let sum: u64 = values.iter().sum();
        vec![
            label(name),
            Piece(spark(glyphs, &values), Role::Info),
            Piece(format!(" {}", short(sum)), Role::Muted),
        ]
    };
    let mut lines = vec![
        vec![Piece("the last ten minutes".to_owned(), Role::Heading)],
        series("requests", &|slot| slot.requests.into()),
        series("errors", &|slot| slot.errors.into()),
        series("rate limits", &|slot| slot.rate_limited.into()),
        series("input", &|slot| slot.tokens.input),
        series("output", &|slot| slot.tokens.output),
        series("cache", &|slot| {
            slot.tokens.cache_read + slot.tokens.cache_write
        }),
    ];
    let spans: Vec<u64> = slots
        .iter()
        .map(|slot| {
            slot.first_byte.map_or(0, |span| {
                u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
            })
        })
        .collect();
    let latest = slots.iter().rev().find_map(|slot| slot.first_byte);
    let latest = latest.map_or("-".to_owned(), latency);
    lines.push(vec![
        label("first byte"),
        Piece(spark(glyphs, &spans), Role::Info),
        Piece(format!(" {latest}"), Role::Muted),
    ]);
    lines
}
