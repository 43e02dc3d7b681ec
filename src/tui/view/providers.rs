//! The panel of providers: the list, all about one, and what its server wrote.

use std::time::Duration;

use ratatui::buffer::Buffer;

use super::area;
use super::gauge::{bar, breaker, gauge_role, latency, short, spark, state};
use super::text::Line;
use crate::domain::bucket::Gauge;
use crate::domain::layout::Rect;
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::Dialect;
use crate::domain::route::{Caller, ProviderStatus};
use crate::domain::usage::{Attempt, AttemptEnd, Slot};
use crate::providers::{ProcessStatus, ProvidersStatus};
use crate::tui::model::{Model, Page, Panel};
use crate::tui::theme::Role;

/// Cells of a gauge here.
const CELLS: u64 = 10;

/// A wait that is shorter than this is none.
const WAIT_SHOWN: Duration = Duration::from_millis(5);

/// Text of one look.
#[derive(Clone, Debug)]
struct Piece(String, Role);

/// One line of the panel.
type Styled = Vec<Piece>;

pub(super) fn draw(model: &Model, panel: &Panel, inner: Rect, buffer: &mut Buffer) {
    let lines = lines(model, panel);
    let rows = usize::from(inner.height);
    let last = lines.len().saturating_sub(rows);
    let first = match &panel.page {
        Page::List => first_of_list(model, panel, rows).min(last),
        Page::Details { scroll, .. } => (*scroll).min(last),
        Page::Output { scroll, .. } => last.saturating_sub(*scroll),
    };
    for (row, styled) in (0..inner.height).zip(lines.iter().skip(first)) {
        let mut line = Line::new(buffer, area(inner), row);
        for Piece(text, role) in styled {
            line.put_fit(
                text,
                model.theme.style(*role),
                model.theme.glyphs().ellipsis,
            );
        }
    }
}

/// How far a page can be scrolled in an area of so many rows.
pub(super) fn scroll_limit(model: &Model, panel: &Panel, rows: usize) -> usize {
    match panel.page {
        Page::List => 0,
        _ => lines(model, panel).len().saturating_sub(rows),
    }
}

pub(super) fn title(panel: &Panel) -> String {
    let name = panel.selected.as_ref().map_or("", |name| name.as_str());
    match panel.page {
        Page::List => "providers".to_owned(),
        Page::Details { .. } => format!("provider {name}"),
        Page::Output { .. } => format!("output of {name}"),
    }
}

fn lines(model: &Model, panel: &Panel) -> Vec<Styled> {
    let Some(status) = model.providers.status() else {
        return vec![muted("nothing is known yet")];
    };
    match &panel.page {
        Page::List => {
            let mut lines = vec![muted(&endpoint(status))];
            for (provider, process) in status.each() {
                let chosen = panel.selected.as_ref() == Some(&provider.profile.name);
                lines.extend(entry(model, status, provider, process, chosen));
            }
            lines
        }
        Page::Details { attempts, .. } => {
            let chosen = status
                .each()
                .find(|(provider, _)| Some(&provider.profile.name) == panel.selected.as_ref());
            match chosen {
                Some((provider, process)) => details(model, status, provider, process, attempts),
                None => vec![muted("it is no longer configured")],
            }
        }
        Page::Output { file, lines, .. } => {
            let mut shown: Vec<Styled> = lines.iter().map(|line| plain(line)).collect();
            if shown.is_empty() {
                shown.push(muted("it has written nothing"));
            }
            if let Some(file) = file {
                shown.push(muted(&file.display().to_string()));
            }
            shown
        }
    }
}

/// The first line to show so that the chosen entry is whole.
fn first_of_list(model: &Model, panel: &Panel, rows: usize) -> usize {
    let Some(status) = model.providers.status() else {
        return 0;
    };
    let mut end = 1;
    for (provider, process) in status.each() {
        let chosen = panel.selected.as_ref() == Some(&provider.profile.name);
        end += entry(model, status, provider, process, chosen).len();
        if chosen {
            break;
        }
    }
    end.saturating_sub(rows)
}

fn endpoint(status: &ProvidersStatus) -> String {
    match &status.endpoint {
        Some(endpoint) => format!(
            "gateway {}: {} requests, {} in flight, {} waiting",
            endpoint.url,
            short(status.requests),
            status.router.in_flight,
            status.router.waiting
        ),
        None => "the gateway is disabled: programs in the panes do not come here".to_owned(),
    }
}

fn entry(
    model: &Model,
    status: &ProvidersStatus,
    provider: &ProviderStatus,
    process: Option<ProcessStatus>,
    chosen: bool,
) -> Vec<Styled> {
    let glyphs = model.theme.glyphs();
    let profile = &provider.profile;
    let (state_text, state_role) = state(provider, process);
    let (breaker_text, breaker_role) = breaker(&provider.breaker);
    let mark = if chosen { glyphs.selected } else { " " };
    let name_role = if chosen {
        Role::Selected
    } else {
        Role::Heading
    };
    let mut head = vec![
        Piece(format!("{mark} {}", profile.name), name_role),
        text("  "),
        Piece(state_text, state_role),
        text("  "),
        Piece(breaker_text, breaker_role),
    ];
    if provider.active {
        head.push(Piece("  active".to_owned(), Role::Success));
    }
    if provider.pinned {
        head.push(Piece("  pinned".to_owned(), Role::Info));
    }
    head.push(Piece(
        format!("  {} {}", profile.provider.as_str(), profile.default_model),
        Role::Muted,
    ));
    let mut lines = vec![head, gauges(model, provider), numbers(provider)];
    if let Some(reason) = &provider.reason {
        lines.push(vec![
            Piece("    why  ".to_owned(), Role::Muted),
            text(reason),
        ]);
    }
    let slots: Vec<Slot> = provider.usage.timeline.slots(status.router.at).collect();
    let requests: Vec<u64> = slots.iter().map(|slot| slot.requests.into()).collect();
    lines.push(vec![
        Piece("    10m  ".to_owned(), Role::Muted),
        Piece(spark(glyphs, &requests), Role::Info),
    ]);
    lines
}

fn gauges(model: &Model, provider: &ProviderStatus) -> Styled {
    let mut line = vec![text("    ")];
    for (name, gauge) in [
        ("rpm", provider.requests_bucket),
        ("tpm", provider.tokens_bucket),
    ] {
        line.push(Piece(format!("{name} "), Role::Muted));
        line.extend(gauge_spans(model, gauge));
    }
    let first_byte = provider.usage.first_byte.percentiles();
    line.push(Piece("first byte ".to_owned(), Role::Muted));
    line.push(text(&first_byte.map_or("-".to_owned(), |spans| {
        format!("{} (p95 {})", latency(spans.p50), latency(spans.p95))
    })));
    line
}

fn gauge_spans(model: &Model, gauge: Option<Gauge>) -> Styled {
    let Some(gauge) = gauge else {
        return vec![text("no limit  ")];
    };
    let (filled, empty) = bar(model.theme.glyphs(), gauge, CELLS);
    vec![
        Piece(filled, gauge_role(gauge)),
        Piece(empty, Role::Muted),
        text(&format!(
            " {}/{}  ",
            short(gauge.available),
            short(gauge.capacity)
        )),
    ]
}

fn numbers(provider: &ProviderStatus) -> Styled {
    let counters = &provider.usage.counters;
    let tokens = counters.tokens;
    let errors = counters.errors.total();
    let error_role = if errors > 0 { Role::Error } else { Role::Text };
    vec![
        text(&format!("    {} requests  ", short(counters.requests))),
        Piece(format!("{} errors", short(errors)), error_role),
        text(&format!(
            "  {} in  {} out  {} cached  {}  {} in flight",
            short(tokens.input),
            short(tokens.output),
            short(tokens.cache_read),
            cost(counters.cost.dollars()),
            provider.in_flight
        )),
    ]
}

fn cost(dollars: Option<f64>) -> String {
    match dollars {
        None => "cost unknown".to_owned(),
        Some(dollars) if dollars < 0.00005 => "$0".to_owned(),
        Some(dollars) if dollars < 0.1 => format!("${dollars:.4}"),
        Some(dollars) => format!("${dollars:.2}"),
    }
}

fn details(
    model: &Model,
    status: &ProvidersStatus,
    provider: &ProviderStatus,
    process: Option<ProcessStatus>,
    attempts: &[Attempt],
) -> Vec<Styled> {
    let mut lines = facts(status, provider, process);
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
    let key = profile.key_env.as_deref();
    lines.push(fact(
        "key",
        &key.map_or("none".to_owned(), |name| format!("in {name}")),
    ));
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
        let at = status.date(error.at).strftime("%H:%M:%SZ").to_string();
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
    let glyphs = model.theme.glyphs();
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
    let at = status.date(attempt.at).strftime("%H:%M:%SZ").to_string();
    let who = match attempt.caller {
        Caller::Terminal(id) => model.panes.get(&id).map_or_else(
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

fn label(name: &str) -> Piece {
    Piece(format!("{name:<12}"), Role::Muted)
}

fn fact(name: &str, value: &str) -> Styled {
    vec![label(name), text(value)]
}

fn text(text: &str) -> Piece {
    Piece(text.to_owned(), Role::Text)
}

fn plain(line: &str) -> Styled {
    vec![text(line)]
}

fn muted(line: &str) -> Styled {
    vec![Piece(line.to_owned(), Role::Muted)]
}
