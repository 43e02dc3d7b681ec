//! The providers above the hint line: one row each, as far as there is room.

use std::ops::RangeInclusive;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::gauge::{bar, breaker, gauge_role, latency, plan_end, short, state, windows};
use super::text::{Line, fill, fit, width};
use crate::domain::bucket::Gauge;
use crate::domain::layout::Rect;
use crate::domain::route::ProviderStatus;
use crate::supervise::ProcessStatus;
use crate::tui::model::Model;
use crate::tui::theme::{Role, Theme};

/// For the longest name and its mark.
const NAME_COLUMNS: RangeInclusive<u16> = 12..=16;
const STATE_COLUMNS: u16 = 13;
const BREAKER_COLUMNS: u16 = 10;
/// What is left of a row is worth the words of an error from so many columns on.
const ERROR_COLUMNS: u16 = 16;
/// From this width on gauges are longer and tell their capacity.
const WIDE_FROM: u16 = 110;

/// A text in its style.
type Piece = (String, Style);

pub(super) fn draw(model: &Model, rect: Rect, buffer: &mut Buffer) {
    fill(buffer, rect, model.client.theme.style(Role::Bar));
    let mut providers: Vec<_> = model.providers.each().collect();
    let rows = usize::from(rect.height);
    // The last row tells of all that got none.
    let own = if providers.len() > rows {
        rows.saturating_sub(1)
    } else {
        rows
    };
    // Whom requests go to is among those that are told in full.
    let active = providers.iter().position(|(provider, _)| provider.active);
    if let Some(active) = active.filter(|active| *active >= own) {
        let last = own.saturating_sub(1);
        if let Some(moved) = providers.get_mut(last..=active) {
            moved.rotate_right(1);
        }
    }
    for (row, (provider, process)) in (0..).zip(providers.iter().take(own)) {
        draw_row(model, provider, *process, rect, row, buffer);
    }
    if providers.len() > rows
        && let Some(row) = rect.height.checked_sub(1)
    {
        draw_rest(model, &providers, own, rect, row, buffer);
    }
}

fn draw_row(
    model: &Model,
    provider: &ProviderStatus,
    process: Option<ProcessStatus>,
    rect: Rect,
    row: u16,
    buffer: &mut Buffer,
) {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let base = theme.style(Role::Bar);
    let wide = rect.width >= WIDE_FROM;
    let mut line = Line::new(buffer, rect, row);
    let mut column = |text: &str, columns: u16, role: Role| {
        let text = fit(text, columns, glyphs.ellipsis);
        let pad = columns.saturating_sub(width(&text));
        line.put(&text, base.patch(theme.style(role)))
            .put(&" ".repeat(usize::from(pad) + 1), base);
    };
    let name_role = if provider.active {
        Role::Heading
    } else {
        Role::Text
    };
    column(
        &format!("{}{}", marks(model, provider), provider.profile.name),
        name_columns(model),
        name_role,
    );
    let (text, role) = state(provider, process);
    column(&text, STATE_COLUMNS, role);
    let (text, role) = breaker(&provider.breaker);
    column(&text, BREAKER_COLUMNS - 1, role);
    let end = plan_end(&model.options, provider, model.providers.now());
    let has_plan = end.is_some() || !provider.plan.windows.is_empty();
    if let Some((text, role)) = end {
        line.put_fit(
            &format!("{text}  "),
            base.patch(theme.style(role)),
            glyphs.ellipsis,
        );
    } else if has_plan {
        for (text, role) in windows(&model.options, &provider.plan, model.providers.now()) {
            line.put(&text, base.patch(theme.style(role)));
        }
        line.put("  ", base);
    }
    let numbers = numbers(provider, base, theme);
    let needed: u16 = numbers.iter().map(|(text, _)| width(text)).sum();
    let gauges: Vec<_> = [
        ("rpm", provider.requests_bucket),
        ("tpm", provider.tokens_bucket),
    ]
    .into_iter()
    .filter(|(_, gauge)| !has_plan || gauge.is_some())
    .collect();
    // Where there is little room the bars are shortened first: nothing that is counted is cut.
    let longest: u64 = if wide { 8 } else { 3 };
    let pieces = (0..=longest)
        .rev()
        .map(|cells| {
            let gauges = gauges.iter();
            let pieces: Vec<Piece> = gauges
                .flat_map(|(name, gauge)| gauge_pieces(model, name, *gauge, cells, wide))
                .collect();
            pieces
        })
        .find(|pieces| {
            let columns: u16 = pieces.iter().map(|(text, _)| width(text)).sum();
            columns + needed <= line.room()
        });
    let pieces = pieces.unwrap_or_default();
    for (text, style) in pieces.iter().chain(&numbers) {
        line.put(text, *style);
    }
    let cost = provider.usage.counters.cost.dollars();
    if let Some(cost) = cost.filter(|cost| *cost > 0.0) {
        let cost = format!(" ${cost:.2}");
        if width(&cost) <= line.room() {
            line.put(&cost, base);
        }
    }
    if let Some(error) = model.providers.fresh_error(provider)
        && line.room() >= ERROR_COLUMNS
    {
        line.put("  ", base).put_fit(
            &error.message,
            base.patch(theme.style(Role::Error)),
            glyphs.ellipsis,
        );
    }
}

/// A bucket in so many cells and a number.
fn gauge_pieces(
    model: &Model,
    name: &'static str,
    gauge: Option<Gauge>,
    cells: u64,
    wide: bool,
) -> Vec<Piece> {
    let theme = &model.client.theme;
    let base = theme.style(Role::Bar);
    let muted = base.patch(theme.style(Role::Muted));
    let mut pieces = vec![(name.to_owned(), muted), (" ".to_owned(), base)];
    let Some(gauge) = gauge else {
        pieces.push(("- ".to_owned(), base));
        return pieces;
    };
    let (filled, empty) = bar(theme.glyphs(), gauge, cells);
    pieces.push((filled, base.patch(theme.style(gauge_role(gauge)))));
    pieces.push((empty, muted));
    let gap = if cells > 0 { " " } else { "" };
    pieces.push((format!("{gap}{} ", amount(gauge, wide)), base));
    pieces
}

/// How fast it answers, how often it was asked and how often it failed.
fn numbers(provider: &ProviderStatus, base: Style, theme: &Theme) -> Vec<Piece> {
    let usage = &provider.usage;
    let first_byte = usage.first_byte.percentiles();
    let first_byte = first_byte.map_or("-".to_owned(), |spans| latency(spans.p50));
    let errors = usage.counters.errors.total();
    let error_role = if errors > 0 { Role::Error } else { Role::Muted };
    vec![
        (first_byte, base),
        (format!(" {} req", short(usage.counters.requests)), base),
        (
            format!(" {} err", short(errors)),
            base.patch(theme.style(error_role)),
        ),
    ]
}

/// Where the next request goes, or who answered the last one where that is another; and before it who is pinned, in a
/// column that is only there while somebody is.
fn marks(model: &Model, provider: &ProviderStatus) -> String {
    let glyphs = model.client.theme.glyphs();
    let pin = match (provider.pinned, has_pin(model)) {
        (true, _) => "p",
        (false, true) => " ",
        (false, false) => "",
    };
    let route = if provider.active {
        glyphs.selected
    } else if provider.answered_last {
        glyphs.arrow_left
    } else {
        " "
    };
    format!("{pin}{route}")
}

fn has_pin(model: &Model) -> bool {
    model.providers.each().any(|(provider, _)| provider.pinned)
}

/// As many as the longest name takes, within bounds.
fn name_columns(model: &Model) -> u16 {
    let names = model.providers.each();
    let longest = names.map(|(provider, _)| width(provider.profile.name.as_str()) + 1);
    let columns = longest
        .max()
        .unwrap_or_default()
        .clamp(*NAME_COLUMNS.start(), *NAME_COLUMNS.end());
    columns + u16::from(has_pin(model))
}

fn amount(gauge: Gauge, wide: bool) -> String {
    if wide {
        format!("{}/{}", short(gauge.available), short(gauge.capacity))
    } else {
        short(gauge.available)
    }
}

/// Those without a row of their own, each by its state alone.
fn draw_rest(
    model: &Model,
    providers: &[(&ProviderStatus, Option<ProcessStatus>)],
    own: usize,
    rect: Rect,
    row: u16,
    buffer: &mut Buffer,
) {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let base = theme.style(Role::Bar);
    let mut line = Line::new(buffer, rect, row);
    for (provider, process) in providers.iter().skip(own) {
        let (mut text, role) = state(provider, *process);
        if provider.breaker.state == crate::domain::breaker::BreakerState::Open {
            text = breaker(&provider.breaker).0;
        }
        let name = format!("{}{} ", marks(model, provider), provider.profile.name);
        if width(&name) + width(&text) + 1 > line.room() {
            line.put(glyphs.ellipsis, base);
            break;
        }
        line.put(&name, base)
            .put(&text, base.patch(theme.style(role)))
            .put(" ", base);
    }
}
