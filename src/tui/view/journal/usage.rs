//! Usage: a table of what it is grouped by, and a bar for each hour or day.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::domain::layout::Rect;
use crate::store::{Grouping, UsageKey, UsageRow, UsageSum};
use crate::tui::client::{JournalView, UsageContents};
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::view::gauge::short;
use crate::tui::view::piece::{Piece, Styled, muted};
use crate::tui::view::text::{fit, width};

/// Columns of a row's name, at least and at most.
const NAME_COLUMNS: (u16, u16) = (10, 30);
const COLUMN: u16 = 8;
/// Rows of a bar.
const BAR_ROWS: u64 = 4;
/// Columns of a bar with the gap after it, at most.
const BAR_COLUMNS: usize = 3;

/// A column of numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Requests,
    Errors,
    RateLimited,
    Input,
    Output,
    Cached,
    Cost,
}

impl Column {
    /// As they stand beside each other.
    const ALL: [Self; 7] = [
        Self::Requests,
        Self::Errors,
        Self::RateLimited,
        Self::Input,
        Self::Output,
        Self::Cached,
        Self::Cost,
    ];
    /// Those first that are shown where not all have room.
    const WANTED: [Self; 7] = [
        Self::Requests,
        Self::Cost,
        Self::Input,
        Self::Output,
        Self::Errors,
        Self::Cached,
        Self::RateLimited,
    ];

    const fn head(self) -> &'static str {
        match self {
            Self::Requests => "REQ",
            Self::Errors => "ERR",
            Self::RateLimited => "429",
            Self::Input => "INPUT",
            Self::Output => "OUTPUT",
            Self::Cached => "CACHED",
            Self::Cost => "COST",
        }
    }

    fn of(self, sum: &UsageSum) -> String {
        // An estimate is marked, as it is in the panel.
        let about = if sum.estimated > 0 { "~" } else { "" };
        match self {
            Self::Requests => short(sum.requests),
            Self::Errors => short(sum.errors),
            Self::RateLimited => short(sum.rate_limited),
            Self::Input => format!("{about}{}", short(sum.tokens_in)),
            Self::Output => format!("{about}{}", short(sum.tokens_out)),
            Self::Cached => short(sum.cache_read.saturating_add(sum.cache_write)),
            Self::Cost => cost(sum.cost_micros),
        }
    }
}

/// The rows with their total; the heads stay above what is scrolled.
pub(super) fn table(
    model: &Model,
    view: &JournalView,
    usage: &UsageContents,
    room: u16,
    head: &mut Vec<Styled>,
    body: &mut Vec<Styled>,
) {
    if usage.rows.is_empty() {
        body.push(muted("no requests"));
        return;
    }
    let names: Vec<String> = usage
        .rows
        .iter()
        .map(|row| name(model, row, view.by))
        .collect();
    let longest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let least = NAME_COLUMNS.1.min(room / 3).max(NAME_COLUMNS.0);
    let columns = longest.clamp(NAME_COLUMNS.0, least);
    let count = usize::from(room.saturating_sub(columns) / COLUMN);
    let shown: Vec<Column> = Column::WANTED.into_iter().take(count).collect();
    let numbers = |sum: Option<&UsageSum>| numbers(sum, &shown);
    let ellipsis = model.client.theme.glyphs().ellipsis;
    let cell = |name: &str| {
        let name = fit(name, columns, ellipsis);
        let blanks = usize::from(columns.saturating_sub(width(&name)));
        name + &" ".repeat(blanks)
    };
    head.push(muted(&(cell(view.by.as_str()) + &numbers(None))));
    for (name, row) in names.iter().zip(&usage.rows) {
        body.push(vec![
            Piece(cell(name), Role::Text),
            Piece(numbers(Some(&row.sum)), Role::Text),
        ]);
    }
    body.push(vec![
        Piece(cell("total"), Role::Heading),
        Piece(numbers(Some(&usage.total)), Role::Heading),
    ]);
}

/// The columns that are shown, of a row or, without one, of their heads.
fn numbers(sum: Option<&UsageSum>, shown: &[Column]) -> String {
    let width = usize::from(COLUMN);
    let mut line = String::new();
    for column in Column::ALL {
        if shown.contains(&column) {
            let cell = sum.map_or_else(|| column.head().to_owned(), |sum| column.of(sum));
            // Writing to a string does not fail.
            let _ = write!(line, "{cell:>width$}");
        }
    }
    line
}

fn cost(micros: Option<u64>) -> String {
    let Some(micros) = micros else {
        return "?".to_owned();
    };
    // Something is never told as nothing.
    let cents = micros.div_ceil(10_000);
    format!("${}.{:02}", cents / 100, cents % 100)
}

fn name(model: &Model, row: &UsageRow, by: Grouping) -> String {
    match (&row.key, &row.name) {
        (_, Some(name)) | (UsageKey::Name(name), None) if !name.is_empty() => name.clone(),
        (UsageKey::Time(at), _) => slot_name(model, *at, by),
        (UsageKey::Name(_), _) => match by {
            Grouping::Pane => "(outside)".to_owned(),
            Grouping::Profile
            | Grouping::Model
            | Grouping::Agent
            | Grouping::Hour
            | Grouping::Day => "(none)".to_owned(),
        },
    }
}

/// Hours in the user's own time; days are those of UTC.
fn slot_name(model: &Model, at: Timestamp, by: Grouping) -> String {
    match by {
        Grouping::Day => at.strftime("%Y-%m-%d").to_string(),
        Grouping::Profile | Grouping::Model | Grouping::Pane | Grouping::Agent | Grouping::Hour => {
            let date = model.options.date(at);
            let time = model.options.time(at);
            format!("{date} {}", time.get(..5).unwrap_or_default())
        }
    }
}

/// A bar for each hour or day, as high as its tokens, with their hours or days below.
pub(super) fn chart(
    model: &Model,
    slot: Grouping,
    usage: &UsageContents,
    inner: Rect,
) -> Vec<Styled> {
    let most = usage.slots.iter().map(|(_, sum)| sum.weight()).max();
    let Some(most) = most.filter(|most| *most > 0) else {
        return Vec::new();
    };
    let room = usize::from(inner.width);
    let cell = (room / usage.slots.len()).clamp(1, BAR_COLUMNS);
    // The newest ones, where not all have room.
    let shown = usage.slots.len().min(room / cell);
    let slots = usage
        .slots
        .get(usage.slots.len() - shown..)
        .unwrap_or_default();
    let mut lines = vec![Vec::new(), caption(slot, most, usage)];
    for row in (0..BAR_ROWS).rev() {
        let bars: String = slots
            .iter()
            .map(|(_, sum)| bar(model, sum.weight(), most, row, cell))
            .collect();
        lines.push(vec![Piece(bars, Role::Info)]);
    }
    lines.push(muted(&labels(model, slots, slot, cell)));
    lines
}

fn caption(slot: Grouping, most: u64, usage: &UsageContents) -> Styled {
    let tokens = usage.total.tokens_in + usage.total.tokens_out;
    let what = if tokens > 0 { "tokens" } else { "requests" };
    let slot = slot.as_str();
    muted(&format!("{what} per {slot}, {} at most", short(most)))
}

/// What a bar has in one row of the chart, counted from below.
fn bar(model: &Model, part: u64, most: u64, row: u64, cell: usize) -> String {
    let levels = &model.client.theme.glyphs().spark;
    let steps = levels.len() as u64;
    let height = (u128::from(part) * u128::from(BAR_ROWS * steps)).div_ceil(u128::from(most));
    let height = u64::try_from(height).unwrap_or(0);
    let here = height.saturating_sub(row * steps).min(steps);
    let glyph = usize::try_from(here)
        .ok()
        .and_then(|here| here.checked_sub(1))
        .and_then(|level| levels.get(level))
        .copied()
        .unwrap_or(" ");
    let gap = usize::from(cell > 1);
    glyph.repeat(cell - gap) + &" ".repeat(gap)
}

/// The hour or the day of every bar that has room for it, else of the first one and the last one.
fn labels(model: &Model, slots: &[(Timestamp, UsageSum)], slot: Grouping, cell: usize) -> String {
    let label = |at: Timestamp| match slot {
        Grouping::Day => at.strftime("%d").to_string(),
        Grouping::Profile | Grouping::Model | Grouping::Pane | Grouping::Agent | Grouping::Hour => {
            let time = model.options.time(at);
            time.get(..2).unwrap_or_default().to_owned()
        }
    };
    if cell >= BAR_COLUMNS {
        let mut line = String::new();
        for (at, _) in slots {
            let _ = write!(line, "{:<cell$}", label(*at));
        }
        return line;
    }
    let (Some((first, _)), Some((last, _))) = (slots.first(), slots.last()) else {
        return String::new();
    };
    let width = (slots.len() * cell).saturating_sub(2);
    format!("{:<width$}{}", label(*first), label(*last))
}
