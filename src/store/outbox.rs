//! Rows on their way to the versioned copy: which wait, what they hold now, and which arrived.
//!
//! A row is named, not copied: it is read when it is shipped, so that ten changes of a counter are shipped once.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

/// The tables that are copied, with their columns in the copy's order and their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Instance,
    Terminal,
    Event,
    UsageHour,
}

impl Table {
    pub const ALL: [Self; 4] = [Self::Instance, Self::Terminal, Self::Event, Self::UsageHour];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Terminal => "terminal",
            Self::Event => "event",
            Self::UsageHour => "usage_hour",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Instance => &[
                "id",
                "host",
                "version",
                "pid",
                "started_ms",
                "ended_ms",
                "end",
            ],
            Self::Terminal => &[
                "id",
                "instance_id",
                "name",
                "command",
                "cwd",
                "agent",
                "opened_ms",
                "exited_ms",
                "exit_code",
                "exit_signal",
            ],
            Self::Event => &[
                "id",
                "at_ms",
                "instance_id",
                "kind",
                "terminal_id",
                "profile",
                "by",
                "text",
                "data",
            ],
            Self::UsageHour => &[
                "hour_ms",
                "instance_id",
                "profile",
                "model",
                "terminal_id",
                "agent",
                "requests",
                "errors",
                "rate_limited",
                "tokens_in",
                "tokens_out",
                "cache_read",
                "cache_write",
                "cost_micros",
                "estimated",
            ],
        }
    }

    /// Whether a column holds text; the others hold whole numbers.
    #[must_use]
    pub fn is_text(self, column: &str) -> bool {
        !(column.ends_with("_ms")
            || matches!(
                column,
                "pid"
                    | "exit_code"
                    | "exit_signal"
                    | "requests"
                    | "errors"
                    | "rate_limited"
                    | "tokens_in"
                    | "tokens_out"
                    | "cache_read"
                    | "cache_write"
                    | "cost_micros"
                    | "estimated"
            ))
    }

    /// The columns that a row is known by.
    #[must_use]
    pub const fn key(self) -> &'static [&'static str] {
        match self {
            Self::Instance | Self::Terminal | Self::Event => &["id"],
            Self::UsageHour => &[
                "hour_ms",
                "instance_id",
                "profile",
                "model",
                "terminal_id",
                "agent",
            ],
        }
    }

    /// The column that says when a row began.
    #[must_use]
    pub const fn time(self) -> &'static str {
        match self {
            Self::Instance => "started_ms",
            Self::Terminal => "opened_ms",
            Self::Event => "at_ms",
            Self::UsageHour => "hour_ms",
        }
    }

    /// The columns for SQLite, quoted.
    #[must_use]
    pub fn quoted_columns(self) -> String {
        quoted(self.columns(), ", ")
    }
}

fn quoted(columns: &[&str], separator: &str) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(separator)
}

/// A row as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub table: Table,
    /// In the order of [`Table::columns`].
    pub values: Vec<Value>,
}

/// What is shipped at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shipment {
    /// The places that its arrival frees.
    pub places: Vec<i64>,
    pub rows: Vec<Row>,
    /// Whether more waits behind it.
    pub is_last: bool,
}

/// The name of a row of usage in the outbox.
#[must_use]
pub fn usage_row_id(key: &(i64, &str, &str, &str, &str, &str)) -> String {
    serde_json::to_string(key).unwrap_or_default()
}

/// Notes that a row waits; one that waits already goes to the end. Tells whether it is one more.
///
/// # Errors
/// [`rusqlite::Error`] where it cannot be written.
pub fn enqueue(database: &Connection, table: Table, row_id: &str) -> rusqlite::Result<bool> {
    let waited = database
        .prepare_cached("DELETE FROM outbox WHERE tbl = ?1 AND row_id = ?2")?
        .execute(params![table.name(), row_id])?;
    database
        .prepare_cached("INSERT INTO outbox (tbl, row_id) VALUES (?1, ?2)")?
        .execute(params![table.name(), row_id])?;
    Ok(waited == 0)
}

/// Begins or ends to keep an outbox. What was recorded while there was none is put into it whole: to ship a row twice
/// does no harm.
///
/// # Errors
/// [`rusqlite::Error`] where it cannot be written.
pub fn track(database: &mut Connection, wanted: bool) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    let tracked: Option<String> = transaction
        .query_row(
            "SELECT value FROM sink_state WHERE sink = 'dolt' AND name = 'tracked'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let is_tracked = tracked.as_deref() == Some("1");
    if is_tracked != wanted {
        transaction.execute("DELETE FROM outbox", [])?;
        transaction.execute(
            "INSERT OR REPLACE INTO sink_state VALUES ('dolt', 'tracked', ?1)",
            [if wanted { "1" } else { "0" }],
        )?;
        if wanted {
            fill(&transaction)?;
        }
    }
    transaction.commit()
}

/// Puts everything there is into the outbox, each row once.
///
/// # Errors
/// [`rusqlite::Error`] where it cannot be written.
pub fn refill(database: &mut Connection) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    transaction.execute("DELETE FROM outbox", [])?;
    fill(&transaction)?;
    transaction.commit()
}

fn fill(transaction: &Connection) -> rusqlite::Result<()> {
    for table in [Table::Instance, Table::Terminal, Table::Event] {
        let name = table.name();
        let fill = format!("INSERT INTO outbox (tbl, row_id) SELECT '{name}', id FROM {name}");
        transaction.execute(&fill, [])?;
    }
    transaction.execute(
                "INSERT INTO outbox (tbl, row_id) SELECT 'usage_hour',
                   json_array(hour_ms, instance_id, profile, model, terminal_id, agent) FROM usage_hour",
                [],
            )?;
    Ok(())
}

/// What waits longest, at most `most` rows. Rows that are gone by now only free their places.
///
/// # Errors
/// [`rusqlite::Error`] where it cannot be read.
pub fn next(database: &Connection, most: usize) -> rusqlite::Result<Shipment> {
    let mut waiting =
        database.prepare_cached("SELECT seq, tbl, row_id FROM outbox ORDER BY seq LIMIT ?1")?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let names = waiting
        .query_map([limit], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
            ))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut shipment = Shipment {
        is_last: names.len() < most,
        ..Shipment::default()
    };
    for (seq, table, row_id) in names {
        shipment.places.push(seq);
        if let Some(table) = Table::named(&table)
            && let Some(values) = read(database, table, &row_id)?
        {
            shipment.rows.push(Row { table, values });
        }
    }
    Ok(shipment)
}

/// Frees the places of what has arrived; tells how many there still were.
///
/// # Errors
/// [`rusqlite::Error`] where it cannot be written.
pub fn arrived(database: &mut Connection, places: &[i64]) -> rusqlite::Result<u64> {
    let transaction = database.transaction()?;
    let mut freed = 0;
    {
        let mut delete = transaction.prepare_cached("DELETE FROM outbox WHERE seq = ?1")?;
        for seq in places {
            freed += delete.execute([seq])?;
        }
    }
    transaction.commit()?;
    Ok(u64::try_from(freed).unwrap_or_default())
}

fn read(database: &Connection, table: Table, row_id: &str) -> rusqlite::Result<Option<Vec<Value>>> {
    let condition: Vec<String> = (1..)
        .zip(table.key())
        .map(|(number, column)| format!("\"{column}\" = ?{number}"))
        .collect();
    let query = format!(
        "SELECT {} FROM {} WHERE {}",
        table.quoted_columns(),
        table.name(),
        condition.join(" AND ")
    );
    let key = key_values(table, row_id);
    if key.len() != table.key().len() {
        return Ok(None);
    }
    let count = table.columns().len();
    database
        .prepare_cached(&query)?
        .query_row(rusqlite::params_from_iter(key), |row| {
            (0..count).map(|column| row.get(column)).collect()
        })
        .optional()
}

fn key_values(table: Table, row_id: &str) -> Vec<Value> {
    match table {
        Table::Instance | Table::Terminal | Table::Event => vec![Value::Text(row_id.to_owned())],
        Table::UsageHour => {
            let parts: Vec<serde_json::Value> = serde_json::from_str(row_id).unwrap_or_default();
            let values = parts.into_iter().map(|part| match part {
                serde_json::Value::Number(number) => {
                    Value::Integer(number.as_i64().unwrap_or_default())
                }
                serde_json::Value::String(text) => Value::Text(text),
                _ => Value::Null,
            });
            values.collect()
        }
    }
}
