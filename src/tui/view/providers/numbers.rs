//! Gauges, counters and costs of a provider.

use crate::domain::bucket::Gauge;
use crate::domain::route::ProviderStatus;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::view::gauge::{bar, gauge_role, latency, short};
use crate::tui::view::piece::{Piece, Styled, text};

/// Cells of a gauge here.
const CELLS: u64 = 10;

pub(super) fn gauges(model: &Model, provider: &ProviderStatus) -> Styled {
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
    let (filled, empty) = bar(model.client.theme.glyphs(), gauge, CELLS);
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

pub(super) fn numbers(provider: &ProviderStatus) -> Styled {
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

pub(super) fn cost(dollars: Option<f64>) -> String {
    match dollars {
        None => "cost unknown".to_owned(),
        Some(dollars) if dollars < 0.00005 => "$0".to_owned(),
        Some(dollars) if dollars < 0.1 => format!("${dollars:.4}"),
        Some(dollars) => format!("${dollars:.2}"),
    }
}
