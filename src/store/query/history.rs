//! Events, by time, kind, terminal and profile.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::Reader;
use crate::domain::fact::Kind;
use crate::store::error::StoreError;

/// Which events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// From then on.
    pub since: Option<Timestamp>,
    /// All kinds where it is empty.
    pub kinds: Vec<Kind>,
    /// A terminal's id or name.
    pub terminal: Option<String>,
    pub profile: Option<String>,
    /// The latest ones, at most so many.
    pub last: Option<usize>,
}

/// An event as it was kept, borrowed from the row that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'r> {
    pub id: &'r str,
    pub at: Timestamp,
    pub kind: &'r str,
    pub terminal: Option<TerminalName<'r>>,
    pub profile: Option<&'r str>,
    pub by: Option<&'r str>,
    pub text: &'r str,
    /// A JSON object.
    pub data: &'r str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalName<'r> {
    pub id: &'r str,
    /// None where the terminal is not known any more.
    pub name: Option<&'r str>,
}

/// Where a reader stands among the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Events up to this row were seen.
    pub seen: i64,
}

const COLUMNS: &str = r#"event.rowid, event.id, event.at_ms, event.kind, event.terminal_id, terminal.name,
    event.profile, event."by", event.text, event.data"#;

impl Reader {
    /// Tells each event that is wanted, the oldest first, and where reading can go on.
    ///
    /// # Errors
    /// Whatever `tell` fails with; [`StoreError::Sql`] where the journal cannot be read.
    pub fn events<E: From<StoreError>>(
        &self,
        filter: &EventFilter,
        after: Option<Events>,
        mut tell: impl FnMut(&Event<'_>) -> Result<(), E>,
    ) -> Result<Events, E> {
        let sql = |error: rusqlite::Error| E::from(StoreError::Sql(error));
        let Some(connection) = self.connection() else {
            return Ok(after.unwrap_or_default());
        };
        // Before the events are read, so that one that comes meanwhile is read twice rather than never.
        let newest: i64 = connection
            .query_row("SELECT coalesce(max(rowid), 0) FROM event", [], |row| {
                row.get(0)
            })
            .map_err(sql)?;
        let (condition, values) = condition(filter, after, newest);
        // In the order of the journal where it is followed, since that is the order in which new ones come.
        let order = match after {
            Some(_) => "event.rowid",
            None => "event.at_ms, event.rowid",
        };
        let chosen = format!(
            "SELECT {COLUMNS} FROM event LEFT JOIN terminal ON terminal.id = event.terminal_id WHERE {condition}"
        );
        let query = match filter.last {
            Some(last) => format!(
                "SELECT * FROM ({chosen} ORDER BY event.at_ms DESC, event.rowid DESC LIMIT {last}) ORDER BY at_ms, rowid"
            ),
            None => format!("{chosen} ORDER BY {order}"),
        };
        let mut statement = connection.prepare(&query).map_err(sql)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            tell(&event_from(row).map_err(sql)?)?;
        }
        Ok(Events { seen: newest })
    }

    /// Another one whenever something was written.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where the journal cannot be read.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        let Some(connection) = self.connection() else {
            return Ok(0);
        };
        Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }
}

fn condition(filter: &EventFilter, after: Option<Events>, newest: i64) -> (String, Vec<Value>) {
    let mut conditions = vec!["event.rowid <= ?1".to_owned()];
    let mut values = vec![Value::Integer(newest)];
    let mut with = |value: Value| {
        values.push(value);
        values.len()
    };
    if let Some(after) = after {
        let number = with(Value::Integer(after.seen));
        conditions.push(format!("event.rowid > ?{number}"));
    }
    if let Some(since) = filter.since {
        let number = with(Value::Integer(since.as_millisecond()));
        conditions.push(format!("event.at_ms >= ?{number}"));
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<String> = filter
            .kinds
            .iter()
            .map(|kind| format!("?{}", with(Value::Text(kind.as_str().to_owned()))))
            .collect();
        conditions.push(format!("event.kind IN ({})", kinds.join(", ")));
    }
    if let Some(terminal) = &filter.terminal {
        let number = with(Value::Text(terminal.clone()));
        conditions.push(format!(
            "event.terminal_id <> '' AND (terminal.name = ?{number} OR substr(event.terminal_id, 1, length(?{number})) = lower(?{number}))"
        ));
    }
    if let Some(profile) = &filter.profile {
        let number = with(Value::Text(profile.clone()));
        conditions.push(format!("event.profile = ?{number}"));
    }
    (conditions.join(" AND "), values)
}

fn event_from<'r>(row: &'r Row<'_>) -> rusqlite::Result<Event<'r>> {
    let text = |column: usize| -> rusqlite::Result<&'r str> {
        Ok(row.get_ref(column)?.as_str_or_null()?.unwrap_or_default())
    };
    let some = |column: usize| -> rusqlite::Result<Option<&'r str>> {
        Ok(Some(text(column)?).filter(|text| !text.is_empty()))
    };
    let terminal = some(4)?;
    let name = some(5)?;
    Ok(Event {
        id: text(1)?,
        at: Timestamp::from_millisecond(row.get(2)?).unwrap_or_default(),
        kind: text(3)?,
        terminal: terminal.map(|id| TerminalName { id, name }),
        profile: some(6)?,
        by: some(7)?,
        text: text(8)?,
        data: text(9)?,
    })
}
