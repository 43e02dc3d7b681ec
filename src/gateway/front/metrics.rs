//! `/metrics` in the Prometheus text format (<https://prometheus.io/docs/instrumenting/exposition_formats>, 0.0.4).
//!
//! Labels are bounded: profiles are as many as are configured, models the busiest few of each, callers none.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use crate::domain::breaker::BreakerState;
use crate::domain::outcome::ErrorKind;
use crate::domain::route::{ProviderState, ProviderStatus, RouterStatus};
use crate::domain::usage::{Counters, Latency, OTHER_MODEL, Usage};
use crate::gateway::service::GatewayState;
use crate::runtime::proc;

mod page;

use page::{Dollars, Page};

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How many models of one profile get a line of their own.
const MOST_MODELS: usize = 32;

const STATES: [ProviderState; 11] = [
    ProviderState::Ready,
    ProviderState::Open,
    ProviderState::HalfOpen,
    ProviderState::Cooling,
    ProviderState::Held,
    ProviderState::Exhausted,
    ProviderState::Disabled,
    ProviderState::NoKey,
    ProviderState::NoLogin,
    ProviderState::Down,
    ProviderState::Rejected,
];

/// Everything there is to scrape, as of now.
pub fn exposition(state: &GatewayState) -> Bytes {
    let status = state.router.status();
    let models = state.router.read(|state, _| by_model(&state.usage));
    let mut page = Page::new();
    gateway(&mut page, state, &status);
    usage(&mut page, &models);
    let latencies = |of: fn(&ProviderStatus) -> &Latency| {
        let providers = status.providers.iter();
        providers.map(move |provider| (provider.profile.name.as_str(), of(provider)))
    };
    page.histograms(
        "tundra_llm_time_to_first_byte_seconds",
        "From sending a call to the first byte of its answer.",
        latencies(|provider| &provider.usage.first_byte),
    );
    page.histograms(
        "tundra_llm_request_duration_seconds",
        "From sending a call to its end.",
        latencies(|provider| &provider.usage.total),
    );
    providers(&mut page, &status);
    process(&mut page);
    Bytes::from(page.into_text())
}

type Model = (String, String);

/// Sums usage over callers; a profile's rarer models are summed under one name.
fn by_model(usage: &Usage) -> Vec<(Model, Counters)> {
    let mut models: HashMap<Model, Counters> = HashMap::new();
    for (key, counters) in usage.rows() {
        let model = (key.profile.as_str().to_owned(), key.model.to_string());
        models.entry(model).or_default().merge(counters);
    }
    let mut sorted: Vec<_> = models.into_iter().collect();
    sorted.sort_by(|(a, x), (b, y)| (&a.0, y.requests, &a.1).cmp(&(&b.0, x.requests, &b.1)));
    let mut kept: Vec<(Model, Counters)> = Vec::new();
    let mut seen = 0;
    for ((profile, model), counters) in sorted {
        seen = match kept.last() {
            Some(((last, _), _)) if *last == profile => seen + 1,
            _ => 0,
        };
        if seen < MOST_MODELS {
            kept.push(((profile, model), counters));
        } else if let Some((last, sum)) = kept.last_mut() {
            if last.1 != OTHER_MODEL && seen == MOST_MODELS {
                kept.push(((profile, OTHER_MODEL.to_owned()), counters));
            } else {
                sum.merge(&counters);
            }
        }
    }
    kept
}

fn gateway(page: &mut Page, state: &GatewayState, status: &RouterStatus) {
    let count = |value: &std::sync::atomic::AtomicU64| value.load(Ordering::Relaxed);
    page.head("tundra_build_info", "gauge", "The running version.");
    page.line(
        "tundra_build_info",
        &[("version", env!("CARGO_PKG_VERSION"))],
        1,
    );
    page.head(
        "tundra_gateway_requests_total",
        "counter",
        "Requests for a forwarded route.",
    );
    page.line(
        "tundra_gateway_requests_total",
        &[],
        count(&state.counts.requests),
    );
    page.head(
        "tundra_gateway_refused_total",
        "counter",
        "Requests that were turned away for a fault of their own.",
    );
    page.line(
        "tundra_gateway_refused_total",
        &[],
        count(&state.counts.refused),
    );
    page.head(
        "tundra_gateway_requests_in_flight",
        "gauge",
        "Calls to providers under way.",
    );
    page.line("tundra_gateway_requests_in_flight", &[], status.in_flight);
    page.head(
        "tundra_gateway_requests_waiting",
        "gauge",
        "Requests that wait for room.",
    );
    page.line("tundra_gateway_requests_waiting", &[], status.waiting);
}

fn usage(page: &mut Page, models: &[(Model, Counters)]) {
    counted(
        page,
        models,
        "tundra_llm_requests_total",
        "Calls to providers, however they ended.",
        |counters| counters.requests,
    );
    page.head(
        "tundra_llm_errors_total",
        "counter",
        "Calls that ended in an error, by its kind.",
    );
    for ((profile, model), counters) in models {
        for kind in ErrorKind::ALL {
            let labels = [
                ("profile", profile.as_str()),
                ("model", model),
                ("kind", kind.as_str()),
            ];
            page.line("tundra_llm_errors_total", &labels, counters.errors.of(kind));
        }
    }
    page.head(
        "tundra_llm_tokens_total",
        "counter",
        "Tokens; input is without what came from or went to a cache.",
    );
    for ((profile, model), counters) in models {
        let tokens = counters.tokens;
        for (kind, value) in [
            ("input", tokens.input),
            ("output", tokens.output),
            ("cache_read", tokens.cache_read),
            ("cache_write", tokens.cache_write),
        ] {
            let labels = [
                ("profile", profile.as_str()),
                ("model", model),
                ("type", kind),
            ];
            page.line("tundra_llm_tokens_total", &labels, value);
        }
    }
    counted(
        page,
        models,
        "tundra_llm_estimated_total",
        "Calls whose tokens are estimated.",
        |counters| counters.estimated,
    );
    counted(
        page,
        models,
        "tundra_llm_translated_total",
        "Calls in another dialect than the caller's.",
        |counters| counters.translated,
    );
    counted(
        page,
        models,
        "tundra_llm_cost_usd_total",
        "Estimated cost of calls whose price is known.",
        |counters| Dollars(counters.cost.nanodollars),
    );
    counted(
        page,
        models,
        "tundra_llm_cost_unknown_total",
        "Calls whose price is not known.",
        |counters| counters.cost.unknown,
    );
}

/// A counter with one value for each profile's model.
fn counted<T: Display>(
    page: &mut Page,
    models: &[(Model, Counters)],
    name: &str,
    help: &str,
    value: impl Fn(&Counters) -> T,
) {
    page.head(name, "counter", help);
    for ((profile, model), counters) in models {
        let labels = [("profile", profile.as_str()), ("model", model)];
        page.line(name, &labels, value(counters));
    }
}

fn providers(page: &mut Page, status: &RouterStatus) {
    let each =
        |page: &mut Page, name: &str, help: &str, of: &dyn Fn(&ProviderStatus) -> Option<f64>| {
            page.head(name, "gauge", help);
            for provider in &status.providers {
                if let Some(value) = of(provider) {
                    page.line(name, &[("profile", provider.profile.name.as_str())], value);
                }
            }
        };
    each(
        page,
        "tundra_provider_active",
        "1 where the next request goes.",
        &|provider| Some(f64::from(u8::from(provider.active))),
    );
    each(
        page,
        "tundra_provider_in_flight",
        "Calls under way.",
        &|provider| Some(number(provider.in_flight)),
    );
    each(
        page,
        "tundra_provider_cooldown_seconds",
        "Until it may be asked again.",
        &|provider| Some(provider.cooldown.map_or(0.0, |left| left.as_secs_f64())),
    );
    page.head(
        "tundra_provider_state",
        "gauge",
        "1 for the state that it is in.",
    );
    for provider in &status.providers {
        for state in STATES {
            let labels = [
                ("profile", provider.profile.name.as_str()),
                ("state", state.as_str()),
            ];
            page.line(
                "tundra_provider_state",
                &labels,
                u8::from(provider.state == state),
            );
        }
    }
    plans(page, status);
    page.head(
        "tundra_breaker_state",
        "gauge",
        "1 for the state that the breaker is in.",
    );
    for provider in &status.providers {
        for state in [
            BreakerState::Closed,
            BreakerState::Open,
            BreakerState::HalfOpen,
        ] {
            let labels = [
                ("profile", provider.profile.name.as_str()),
                ("state", state.as_str()),
            ];
            page.line(
                "tundra_breaker_state",
                &labels,
                u8::from(provider.breaker.state == state),
            );
        }
    }
    for (name, help) in [
        ("tundra_bucket_available", "What a limit has room for now."),
        (
            "tundra_bucket_capacity",
            "What a limit has room for at most.",
        ),
    ] {
        page.head(name, "gauge", help);
        for provider in &status.providers {
            for (kind, gauge) in [
                ("requests", provider.requests_bucket),
                ("tokens", provider.tokens_bucket),
            ] {
                let Some(gauge) = gauge else { continue };
                let value = if name.ends_with("capacity") {
                    gauge.capacity
                } else {
                    gauge.available
                };
                let labels = [
                    ("profile", provider.profile.name.as_str()),
                    ("bucket", kind),
                ];
                page.line(name, &labels, value);
            }
        }
    }
}

fn plans(page: &mut Page, status: &RouterStatus) {
    page.head(
        "tundra_plan_window_used_ratio",
        "gauge",
        "How much of a window of a login's plan is used, 1 for all of it.",
    );
    for provider in &status.providers {
        for window in &provider.plan.windows {
            let labels = [
                ("profile", provider.profile.name.as_str()),
                ("window", window.name.as_str()),
            ];
            page.line("tundra_plan_window_used_ratio", &labels, window.used);
        }
    }
}

/// The usual numbers of a process, as far as the system tells them.
fn process(page: &mut Page) {
    if let Some(bytes) = resident_bytes() {
        page.head(
            "process_resident_memory_bytes",
            "gauge",
            "Resident memory size in bytes.",
        );
        page.line("process_resident_memory_bytes", &[], bytes);
    }
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let nanos = u32::try_from(cpu.tv_nsec).unwrap_or_default();
    let seconds = Duration::new(u64::try_from(cpu.tv_sec).unwrap_or_default(), nanos);
    page.head(
        "process_cpu_seconds_total",
        "counter",
        "Total user and system CPU time spent in seconds.",
    );
    page.line("process_cpu_seconds_total", &[], seconds.as_secs_f64());
    if let Some(open) = proc::open_files(std::process::id()) {
        page.head(
            "process_open_fds",
            "gauge",
            "Number of open file descriptors.",
        );
        page.line("process_open_fds", &[], open);
    }
}

/// The process's resident memory in bytes; `None` where the system does not tell.
pub fn resident_bytes() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")
        .ok()?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()?;
    Some(pages * u64::try_from(rustix::param::page_size()).ok()?)
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of calls under way")]
fn number(value: u64) -> f64 {
    value as f64
}
