//! All about one provider.

use std::time::Duration;

use super::numbers::{cost, gauges, numbers};
use crate::domain::caller::Caller;
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::{Auth, Dialect};
use crate::domain::route::ProviderStatus;
use crate::domain::usage::{Attempt, AttemptEnd, Slot};
use crate::providers::ProvidersStatus;
use crate::supervise::ProcessStatus;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::view::gauge::{breaker, latency, short, spark, state, windows};
use crate::tui::view::piece::{Piece, Styled, fact, label, muted, text};

/// A wait that is shorter than this is none.
const WAIT_SHOWN: Duration = Duration::from_millis(5);

pub(super) fn details(
    model: &Model,
    status: &ProvidersStatus,
    provider: &ProviderStatus,
    process: Option<ProcessStatus>,
    attempts: &[Attempt],
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
    if attempts.is_empty() {
        lines.push(muted("none yet"));
    }
    lines.extend(
        attempts
            .iter()
            .map(|made| attempt(model, status, provider, made)),
    );
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
    if !provider.plan.windows.is_empty() {
        let mut line = vec![label("plan")];
        for piece in windows(&model.options, &provider.plan, now) {
            line.push(Piece(piece.0, piece.1));
        }
        lines.push(line);
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

/// When, who, model, what became of it, why it was chosen or skipped, wait, first byte, tokens, cost.
fn attempt(
    model: &Model,
    status: &ProvidersStatus,
    provider: &ProviderStatus,
    attempt: &Attempt,
) -> Styled {
    let at = model.options.time(status.date(attempt.at));
    let who = match attempt.caller {
        Caller::Terminal(id) => model.session.panes.get(&id).map_or_else(
            || id.to_string().chars().take(8).collect(),
            |pane| pane.name().to_owned(),
        ),
        Caller::Outside => "outside".to_owned(),
        Caller::Ask => "ask".to_owned(),
    };
    let (outcome, role) = match &attempt.end {
        AttemptEnd::Success => ("ok".to_owned(), Role::Success),
        AttemptEnd::Failed { message, .. } => (message.clone(), Role::Error),
        AttemptEnd::Cancelled => ("caller left".to_owned(), Role::Muted),
        AttemptEnd::Skipped(skip) => (
            format!("skipped: {}", skip.text(&provider.profile, attempt.at)),
            Role::Muted,
        ),
    };
    let mut line = vec![
        Piece(format!("{at} "), Role::Muted),
        text(&format!("{who} ")),
        Piece(format!("{} ", attempt.sent_model), Role::Muted),
    ];
    if let Some(choice) = attempt.choice {
        line.push(Piece(format!("{} ", choice.as_str()), Role::Muted));
    }
    if attempt.translated {
        let dialect = attempt.dialect.as_str();
        line.push(text(&format!("translated to {dialect} ")));
    }
    if !attempt.without.is_empty() {
        let without = attempt.without.join(", ");
        line.push(Piece(format!("without {without} "), Role::Warning));
    }
    // What the router itself takes is no wait.
    if attempt.waited >= WAIT_SHOWN {
        line.push(text(&format!("waited {} ", latency(attempt.waited))));
    }
    if let Some(first_byte) = attempt.first_byte {
        line.push(text(&format!("{} ", latency(first_byte))));
    }
    if let Some(tokens) = attempt.tokens {
        let mark = if attempt.estimated { "~" } else { "" };
        line.push(text(&format!(
            "{mark}{}+{} ",
            short(tokens.input + tokens.cache_read + tokens.cache_write),
            short(tokens.output)
        )));
        #[allow(
            clippy::cast_precision_loss,
            reason = "the price of one answer is far below what a double holds"
        )]
        let dollars = attempt.nanodollars.map(|nanos| nanos as f64 / 1e9);
        line.push(Piece(format!("{} ", cost(dollars)), Role::Muted));
    }
    line.push(Piece(outcome, role));
    line
}
