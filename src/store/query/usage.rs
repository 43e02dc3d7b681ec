//! Usage, added up by whatever is asked for.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _};
use rusqlite::{Row, params};

use super::Reader;
use crate::store::error::StoreError;
use crate::store::record::hour_of;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// More rows than this, and those without usage are left out.
const MOST_ROWS: usize = 200;

/// What a row of a report stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Grouping {
    #[default]
    Profile,
    Model,
    Pane,
    Agent,
    Hour,
    /// Days begin at midnight UTC.
    Day,
}

impl Grouping {
    pub const ALL: [Self; 6] = [
        Self::Profile,
        Self::Model,
        Self::Pane,
        Self::Agent,
        Self::Hour,
        Self::Day,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Model => "model",
            Self::Pane => "pane",
            Self::Agent => "agent",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|grouping| grouping.as_str() == name)
    }

    /// Hours of a row that is one of time.
    const fn hours(self) -> Option<i64> {
        match self {
            Self::Hour => Some(1),
            Self::Day => Some(24),
            Self::Profile | Self::Model | Self::Pane | Self::Agent => None,
        }
    }
}

/// The key of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageKey {
    /// A profile, a model, a terminal's id or an agent; empty where it is none.
    Name(String),
    /// The beginning of an hour or a day.
    Time(Timestamp),
}

/// Sums; what is a part of them may be estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageSum {
    pub requests: u64,
    /// Rate limits not among them.
    pub errors: u64,
    pub rate_limited: u64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// Of those whose price is known; None where none is.
    pub cost_micros: Option<u64>,
    /// Requests whose tokens are estimated.
    pub estimated: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    pub key: UsageKey,
    /// A terminal's name, where the key is its id.
    pub name: Option<String>,
    pub sum: UsageSum,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageReport {
    /// The full hour that it begins at.
    pub since: Timestamp,
    pub until: Timestamp,
    /// Hours and days the oldest first, all else the most requests first.
    pub rows: Vec<UsageRow>,
    pub total: UsageSum,
}

/// All that a profile ever used, for counters that go on over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub sum: UsageSum,
    /// Failed attempts by their kind, as far as the history still tells.
    pub errors_by_kind: BTreeMap<String, u64>,
}

impl UsageReport {
    /// The rows, of hours and days those between the first and the last without usage too: a gap is to be seen as one.
    #[must_use]
    pub fn rows_with_gaps(&self, by: Grouping) -> Vec<UsageRow> {
        let Some(step) = by.hours() else {
            return self.rows.clone();
        };
        let mut rows: Vec<UsageRow> = Vec::new();
        for row in &self.rows {
            while let (Some(last), UsageKey::Time(at)) = (rows.last(), &row.key) {
                let UsageKey::Time(before) = &last.key else {
                    break;
                };
                let Ok(next) = before.checked_add(step.hours()) else {
                    break;
                };
                if next >= *at {
                    break;
                }
                if rows.len() > MOST_ROWS {
                    return self.rows.clone();
                }
                rows.push(UsageRow {
                    key: UsageKey::Time(next),
                    name: None,
                    sum: UsageSum::default(),
                });
            }
            rows.push(row.clone());
        }
        rows
    }
}

impl UsageSum {
    /// What a bar of it is as long as: its tokens, or its requests where none are known.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self.tokens_in + self.tokens_out + self.cache_read + self.cache_write {
            0 => self.requests,
            tokens => tokens,
        }
    }

    /// Adds another sum.
    pub fn add(&mut self, more: &Self) {
        self.requests += more.requests;
        self.errors += more.errors;
        self.rate_limited += more.rate_limited;
        self.tokens_in += more.tokens_in;
        self.tokens_out += more.tokens_out;
        self.cache_read += more.cache_read;
        self.cache_write += more.cache_write;
        self.cost_micros = match (self.cost_micros, more.cost_micros) {
            (Some(so_far), Some(more)) => Some(so_far + more),
            (so_far, more) => so_far.or(more),
        };
        self.estimated += more.estimated;
    }
}

const PARTS: &str =
    "requests, errors, rate_limited, tokens_in, tokens_out, cache_read, cache_write, cost_micros,
    estimated";
const SUMS: &str = "sum(requests), sum(errors), sum(rate_limited), sum(tokens_in), sum(tokens_out), sum(cache_read),
    sum(cache_write), sum(cost_micros), sum(estimated)";

impl Reader {
    /// Adds up usage from the full hour of `since` on.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where the journal cannot be read.
    pub fn usage(
        &self,
        since: Timestamp,
        until: Timestamp,
        by: Grouping,
    ) -> Result<UsageReport, StoreError> {
        let since_ms = hour_of(since);
        let mut report = UsageReport {
            since: Timestamp::from_millisecond(since_ms).unwrap_or(since),
            until,
            rows: Vec::new(),
            total: UsageSum::default(),
        };
        let Some(connection) = self.connection() else {
            return Ok(report);
        };
        let query = match by {
            Grouping::Profile => sums_by("profile", "sum(requests) DESC, profile"),
            Grouping::Model => sums_by("model", "sum(requests) DESC, model"),
            Grouping::Agent => sums_by("agent", "sum(requests) DESC, agent"),
            Grouping::Hour => sums_by("hour_ms", "hour_ms"),
            Grouping::Day => {
                let day = format!("hour_ms - ((hour_ms % {DAY_MS}) + {DAY_MS}) % {DAY_MS}");
                sums_by(&day, "1")
            }
            Grouping::Pane => format!(
                "SELECT terminal_id, {SUMS}, (SELECT name FROM terminal WHERE id = terminal_id) FROM usage_hour
                 WHERE hour_ms >= ?1 GROUP BY terminal_id ORDER BY sum(requests) DESC, terminal_id"
            ),
        };
        let mut statement = connection.prepare(&query)?;
        let rows = statement.query_map(params![since_ms], |row| {
            let key = match by {
                Grouping::Profile | Grouping::Model | Grouping::Pane | Grouping::Agent => {
                    UsageKey::Name(row.get(0)?)
                }
                Grouping::Hour | Grouping::Day => {
                    UsageKey::Time(Timestamp::from_millisecond(row.get(0)?).unwrap_or_default())
                }
            };
            let name = match by {
                Grouping::Pane => row.get(10)?,
                _ => None,
            };
            let sum = sum_from(row, 1)?;
            Ok(UsageRow { key, name, sum })
        })?;
        for row in rows {
            let row = row?;
            report.total.add(&row.sum);
            report.rows.push(row);
        }
        Ok(report)
    }

    /// All usage by profile but for that of one instance, which began at `started`.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where the journal cannot be read.
    pub fn totals_before(
        &self,
        instance_id: &str,
        started: Timestamp,
    ) -> Result<BTreeMap<String, Totals>, StoreError> {
        let mut totals: BTreeMap<String, Totals> = BTreeMap::new();
        let Some(connection) = self.connection() else {
            return Ok(totals);
        };
        // The hours before this one from their sums, this one from its rows, which know their instance.
        let query = format!(
            "SELECT profile, {SUMS} FROM (
               SELECT profile, {PARTS} FROM usage_sum WHERE hour_ms < ?1
               UNION ALL SELECT profile, {PARTS} FROM usage_hour WHERE hour_ms >= ?1 AND instance_id <> ?2)
             GROUP BY profile"
        );
        let mut statement = connection.prepare(&query)?;
        let rows = statement.query_map(params![hour_of(started), instance_id], |row| {
            Ok((row.get::<_, String>(0)?, sum_from(row, 1)?))
        })?;
        for row in rows {
            let (profile, sum) = row?;
            totals.entry(profile).or_default().sum = sum;
        }
        let mut statement = connection.prepare(
            "SELECT profile, data ->> 'kind', count(*) FROM event WHERE kind = 'provider.failed'
               AND instance_id <> ?1 GROUP BY 1, 2",
        )?;
        let rows = statement.query_map([instance_id], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, i64>(2)?,
            ))
        })?;
        for row in rows {
            let (profile, kind, count) = row?;
            if let Some(kind) = kind {
                let errors = &mut totals.entry(profile).or_default().errors_by_kind;
                errors.insert(kind, u64::try_from(count).unwrap_or_default());
            }
        }
        Ok(totals)
    }
}

fn sums_by(key: &str, order: &str) -> String {
    format!("SELECT {key}, {SUMS} FROM usage_sum WHERE hour_ms >= ?1 GROUP BY 1 ORDER BY {order}")
}

fn sum_from(row: &Row<'_>, first: usize) -> rusqlite::Result<UsageSum> {
    let count = |offset: usize| -> rusqlite::Result<u64> {
        let count: i64 = row.get(first + offset)?;
        Ok(u64::try_from(count).unwrap_or_default())
    };
    let cost: Option<i64> = row.get(first + 7)?;
    Ok(UsageSum {
        requests: count(0)?,
        errors: count(1)?,
        rate_limited: count(2)?,
        tokens_in: count(3)?,
        tokens_out: count(4)?,
        cache_read: count(5)?,
        cache_write: count(6)?,
        cost_micros: cost.map(|cost| u64::try_from(cost).unwrap_or_default()),
        estimated: count(8)?,
    })
}
