//! Rows as lines of JSON.

use std::fmt::Write;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Row, params};
use serde_json::Value;

use super::Reader;
use crate::store::error::StoreError;
use crate::store::outbox::Table;

/// Tells each row of the tables as one line: `{"table":…}` and its columns, in the order of time.
///
/// # Errors
/// Whatever `tell` fails with; [`StoreError::Sql`] where the journal cannot be read.
pub fn export<E: From<StoreError>>(
    reader: &Reader,
    tables: &[Table],
    since: Option<Timestamp>,
    mut tell: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let sql = |error: rusqlite::Error| E::from(StoreError::Sql(error));
    let Some(connection) = reader.connection() else {
        return Ok(());
    };
    for table in tables {
        let time = table.time();
        let query = format!(
            "SELECT {} FROM {} WHERE {time} >= ?1 ORDER BY {time}",
            table.quoted_columns(),
            table.name(),
        );
        let mut statement = connection.prepare(&query).map_err(sql)?;
        let since = since.map_or(i64::MIN, Timestamp::as_millisecond);
        let mut rows = statement.query(params![since]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            tell(&line_of(*table, row).map_err(sql)?)?;
        }
    }
    Ok(())
}

/// The table first, then the columns in their order.
fn line_of(table: Table, row: &Row<'_>) -> rusqlite::Result<String> {
    let mut line = format!("{{\"table\":\"{}\"", table.name());
    for (index, column) in table.columns().iter().enumerate() {
        let value = json_of(row.get_ref(index)?);
        // Writing to a string does not fail.
        let _ = write!(line, ",\"{column}\":{value}");
    }
    line.push('}');
    Ok(line)
}

fn json_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            String::from_utf8_lossy(text).into_owned().into()
        }
    }
}
