//! The panel of providers: the list, all about one, and what its server wrote.

mod details;
mod numbers;
mod plan;
mod requests;

use std::ops::Range;

use ratatui::buffer::Buffer;

use self::details::details;
use self::numbers::{gauges, numbers};
use self::plan::plan;
use super::gauge::{breaker, short, spark, state};
use super::piece::{Piece, Styled, muted, plain, text};
use super::store_line::store_line;
use super::text::Line;
use crate::domain::layout::Rect;
use crate::domain::route::ProviderStatus;
use crate::domain::usage::Slot;
use crate::providers::ProvidersStatus;
use crate::supervise::ProcessStatus;
use crate::tui::client::{Page, Panel};
use crate::tui::model::Model;
use crate::tui::theme::Role;

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
        let mut line = Line::new(buffer, inner, row);
        for Piece(text, role) in styled {
            line.put_fit(
                text,
                model.client.theme.style(*role),
                model.client.theme.glyphs().ellipsis,
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
            let mut lines = head(model, status);
            for (provider, process) in status.each() {
                let chosen = panel.selected.as_ref() == Some(&provider.profile.name);
                lines.extend(entry(model, status, provider, process, chosen));
            }
            lines
        }
        Page::Details { requests, .. } => {
            let chosen = status
                .each()
                .find(|(provider, _)| Some(&provider.profile.name) == panel.selected.as_ref());
            match chosen {
                Some((provider, process)) => details(model, status, provider, process, requests),
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

/// The row of the chosen entry in an area of so many rows.
pub(super) fn row_of_chosen(model: &Model, panel: &Panel, rows: u16) -> Option<u16> {
    let status = model.providers.status()?;
    let is_listed = status
        .each()
        .any(|(provider, _)| Some(&provider.profile.name) == panel.selected.as_ref());
    if panel.page != Page::List || !is_listed {
        return None;
    }
    let first = first_of_list(model, panel, usize::from(rows));
    u16::try_from(
        place_of_chosen(model, status, panel)
            .start
            .checked_sub(first)?,
    )
    .ok()
}

/// The first line to show so that the chosen entry is whole.
fn first_of_list(model: &Model, panel: &Panel, rows: usize) -> usize {
    model.providers.status().map_or(0, |status| {
        let place = place_of_chosen(model, status, panel);
        place.end.saturating_sub(rows)
    })
}

/// The lines of the chosen entry among all of the list's.
fn place_of_chosen(model: &Model, status: &ProvidersStatus, panel: &Panel) -> Range<usize> {
    let mut place = 0..head(model, status).len();
    for (provider, process) in status.each() {
        let chosen = panel.selected.as_ref() == Some(&provider.profile.name);
        let lines = entry(model, status, provider, process, chosen).len();
        place = place.end..place.end + lines;
        if chosen {
            break;
        }
    }
    place
}

/// What is told before the providers: where they are reached, and where what they do is kept.
fn head(model: &Model, status: &ProvidersStatus) -> Vec<Styled> {
    let mut lines = vec![muted(&endpoint(status))];
    lines.extend(model.store.as_ref().map(|store| store_line(model, store)));
    lines
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
    let glyphs = model.client.theme.glyphs();
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
    } else if provider.answered_last {
        head.push(Piece("  answered last".to_owned(), Role::Info));
    }
    if provider.pinned {
        head.push(Piece("  pinned".to_owned(), Role::Info));
    }
    head.push(Piece(
        format!("  {} {}", profile.provider.as_str(), profile.default_model),
        Role::Muted,
    ));
    let mut lines = vec![head, gauges(model, provider), numbers(provider)];
    lines.extend(plan(model, status, provider));
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
