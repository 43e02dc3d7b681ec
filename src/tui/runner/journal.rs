//! What is read of the journal for the view that is open. It is the disk that is read: not for the loop.

use jiff::{SignedDuration, Timestamp};

use crate::domain::fact::Kind;
use crate::domain::printable::printable;
use crate::store::{Event, EventFilter, Grouping, Reader, Store, StoreError, UsageKey, UsageSum};
use crate::tui::client::{
    HistoryEntry, JournalContents, JournalPage, JournalQuery, JournalSpan, UsageContents,
};

/// Events that can be scrolled back to.
const EVENTS: usize = 2000;
/// Bars that are added up: more than any screen is wide.
const SLOTS: usize = 400;

/// Reads what was asked for.
///
/// # Errors
/// [`StoreError`] where the journal cannot be read.
pub(super) fn read(store: &Store, query: &JournalQuery) -> Result<JournalContents, StoreError> {
    let reader = store.read()?;
    let now = Timestamp::now();
    let since = since(query.span, now);
    match query.page {
        JournalPage::History => history(&reader, since, query.family),
        JournalPage::Usage => usage(&reader, since, now, query),
    }
}

fn since(span: JournalSpan, now: Timestamp) -> Timestamp {
    let back = span
        .back()
        .and_then(|back| SignedDuration::try_from(back).ok());
    back.and_then(|back| now.checked_sub(back).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn history(
    reader: &Reader,
    since: Timestamp,
    family: Option<&str>,
) -> Result<JournalContents, StoreError> {
    let filter = EventFilter {
        since: Some(since),
        kinds: family.map(Kind::named).unwrap_or_default(),
        last: Some(EVENTS),
        ..EventFilter::default()
    };
    let mut entries = Vec::new();
    reader.events(&filter, None, |event| {
        entries.push(entry(event));
        Ok::<_, StoreError>(())
    })?;
    Ok(JournalContents::History(entries))
}

fn entry(event: &Event<'_>) -> HistoryEntry {
    let terminal = event.terminal.map(|terminal| {
        // The first group of an id is enough for a person.
        let short = terminal.id.split('-').next().unwrap_or(terminal.id);
        terminal.name.unwrap_or(short)
    });
    let mut text = match terminal {
        Some(name) if !event.text.starts_with(name) => format!("{name}: {}", event.text),
        _ => event.text.to_owned(),
    };
    if let Some(by) = event.by {
        text = format!("{text} (by {by})");
    }
    HistoryEntry {
        at: event.at,
        kind: printable(event.kind).into_owned(),
        text: printable(&text).into_owned(),
    }
}

fn usage(
    reader: &Reader,
    since: Timestamp,
    now: Timestamp,
    query: &JournalQuery,
) -> Result<JournalContents, StoreError> {
    let mut report = reader.usage(since, now, query.by)?;
    for row in &mut report.rows {
        if let UsageKey::Name(name) = &mut row.key {
            *name = printable(name).into_owned();
        }
        row.name = row.name.as_deref().map(|name| printable(name).into_owned());
    }
    let by = query.span.slot();
    let slots = reader.usage(since, now, by)?;
    let mut sums = slots.rows.iter().filter_map(|row| match &row.key {
        UsageKey::Time(at) => Some((*at, row.sum)),
        UsageKey::Name(_) => None,
    });
    let first = match query.span {
        JournalSpan::All => slots.rows.first().and_then(|row| match &row.key {
            UsageKey::Time(at) => Some(*at),
            UsageKey::Name(_) => None,
        }),
        JournalSpan::Hour | JournalSpan::Day | JournalSpan::Week | JournalSpan::Month => {
            Some(slots.since)
        }
    };
    let mut filled = Vec::new();
    if let Some(first) = first {
        let mut next = sums.next();
        for at in times(first, now, by) {
            let sum = next.filter(|(key, _)| *key == at);
            if sum.is_some() {
                next = sums.next();
            }
            filled.push((at, sum.map_or(UsageSum::default(), |(_, sum)| sum)));
        }
    }
    let surplus = filled.len().saturating_sub(SLOTS);
    filled.drain(..surplus);
    Ok(JournalContents::Usage(UsageContents {
        rows: report.rows,
        total: report.total,
        slots: filled,
    }))
}

/// The beginning of every hour or day from `first` to now.
fn times(first: Timestamp, now: Timestamp, by: Grouping) -> impl Iterator<Item = Timestamp> {
    let step = match by {
        Grouping::Day => 24 * 3600,
        Grouping::Profile | Grouping::Model | Grouping::Pane | Grouping::Agent | Grouping::Hour => {
            3600
        }
    };
    let first = first.as_second();
    let first = first - first.rem_euclid(step);
    let last = now.as_second();
    let count = usize::try_from((last - first) / step).unwrap_or(0);
    (0..=count).filter_map(move |number| {
        let seconds = first + i64::try_from(number).ok()? * step;
        Timestamp::from_second(seconds).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hour_and_every_day_has_its_place() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let hours: Vec<String> = times(
            at("2026-11-29T22:10:00Z"),
            at("2026-11-30T00:30:00Z"),
            Grouping::Hour,
        )
        .map(|at| at.to_string())
        .collect();
        assert_eq!(
            hours,
            [
                "2026-11-29T22:00:00Z",
                "2026-11-29T23:00:00Z",
                "2026-11-30T00:00:00Z"
            ]
        );
        let days = times(
            at("2026-11-28T22:10:00Z"),
            at("2026-11-30T00:30:00Z"),
            Grouping::Day,
        );
        assert_eq!(days.count(), 3);
    }
}
